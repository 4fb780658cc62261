// Masks of labels and detections against what pycocotools 2.0 made of the same (tests/fixtures/masks.json).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { evaluate, MASKS } from '../../cli/coco.js';
import { maskOf } from '../../cli/masks/polygon.js';
import { areaOf, countsOf, textOf } from '../../cli/masks/run-lengths.js';

const golden = JSON.parse(readFileSync(new URL('../fixtures/masks.json', import.meta.url), 'utf8'));

test('polygons become the same pixels, run lengths the same text', () => {
  for (const { polygons, text, area, ...size } of golden.polygons) {
    const counts = maskOf(polygons, size);
    assert.equal(textOf(counts), text);
    assert.deepEqual(countsOf(text), counts);
    assert.equal(areaOf(counts), area);
  }
});

test('the twelve figures of masks are the same', () => {
  const { truth, results, stats } = golden;
  const size = { width: truth.images[0].width, height: truth.images[0].height };
  const annotations = truth.annotations.map((/** @type {any} */ one) => ({
    ...one,
    mask: { counts: maskOf(one.segmentation, size) },
  }));
  const found = results.map((/** @type {any} */ { segmentation, ...one }) => ({
    ...one,
    mask: { size: segmentation.size, counts: countsOf(segmentation.counts) },
  }));
  evaluate({ ...truth, annotations }, found, MASKS).forEach((figure, i) => {
    assert.ok(Math.abs(figure - stats[i]) < 1e-9, `figure ${i}: ${figure}, not ${stats[i]}`);
  });
});

test('what is no mask is refused', () => {
  assert.throws(() => countsOf('ab\u0001'), /no mask of COCO/);
  assert.throws(() => maskOf([], { width: 4, height: 4 }), /without points/);
});
