// The COCO evaluation against hand-made cases and against pycocotools' figures for a published set of boxes.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { evaluate, iou, summary } from '../../cli/coco.js';
import { precisionAndRecall } from '../../cli/precision.js';
import { dataPath, without } from '../support/test-data.js';

/**
 * @typedef {import('../../cli/coco.js').Bbox} Bbox
 * @typedef {import('../../cli/coco.js').Annotation} Annotation
 */

const TWO_IMAGES = [
  { id: 1, file_name: '1.jpg' },
  { id: 2, file_name: '2.jpg' },
];
const CAT = [{ id: 7, name: 'cat' }];

/** pycocotools adds an epsilon to its divisors. @param {number} actual @param {number} expected */
function about(actual, expected) {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, not ${expected}`);
}

let ids = 0;
/** @param {number} image @param {Bbox} bbox @param {Partial<Annotation>} [more] @returns {Annotation} */
const label = (image, bbox, more) => ({
  id: ++ids,
  image_id: image,
  category_id: 7,
  bbox,
  area: bbox[2] * bbox[3],
  iscrowd: 0,
  ...more,
});
/** @param {number} image @param {Bbox} bbox @param {number} score */
const found = (image, bbox, score) => ({ image_id: image, category_id: 7, bbox, score });
/** @param {Annotation[]} annotations */
const truth = (annotations) => ({ images: TWO_IMAGES, categories: CAT, annotations });

test('overlap, of boxes and of a box with a crowd', () => {
  assert.equal(iou([0, 0, 10, 10], [0, 0, 10, 10], false), 1);
  assert.equal(iou([0, 0, 10, 10], [5, 0, 10, 10], false), 50 / 150);
  assert.equal(iou([0, 0, 10, 10], [0, 0, 100, 100], true), 1);
  assert.equal(iou([0, 0, 10, 10], [10, 0, 10, 10], false), 0);
});

test('all found: 1; nothing found: 0; no labels: -1', () => {
  const box = /** @type {Bbox} */ ([10, 10, 40, 40]);
  const perfect = evaluate(truth([label(1, box)]), [found(1, box, 0.9)]);
  for (const [i, value] of [1, 1, 1, -1, 1, -1, 1, 1, 1, -1, 1, -1].entries()) {
    about(perfect[i], value);
  }
  assert.equal(evaluate(truth([label(1, box)]), [])[0], 0);
  assert.equal(evaluate(truth([]), [found(1, box, 0.9)])[0], -1);
});

test('half of the labels found, one box wrong', () => {
  const right = /** @type {Bbox} */ ([0, 0, 50, 50]);
  const labels = [label(1, right), label(2, right)];
  const results = [found(1, right, 0.8), found(1, [200, 200, 50, 50], 0.9)];
  const [ap, ap50, , , , , , , recall] = evaluate(truth(labels), results);
  // precision 1/2 up to recall 1/2, which is 51 of the 101 recalls
  about(ap50, (51 / 101) * 0.5);
  assert.equal(ap, ap50);
  assert.equal(recall, 0.5);
});

test('boxes on a crowd and boxes of another size class cost nothing', () => {
  const box = /** @type {Bbox} */ ([0, 0, 50, 50]);
  const labels = [label(1, box), label(1, [100, 100, 300, 300], { iscrowd: 1 })];
  const results = [
    found(1, [120, 120, 60, 60], 0.9),
    found(1, [200, 200, 60, 60], 0.8),
    found(1, box, 0.7),
  ];
  about(evaluate(truth(labels), results)[0], 1);
  const small = [...results.slice(2), found(2, [0, 0, 5, 5], 0.95)];
  const [ap, , , , medium] = evaluate(truth(labels), small);
  assert.ok(ap < 1);
  about(medium, 1);
});

test('of two boxes on one label the worse is wrong; beyond 100 boxes none counts', () => {
  const box = /** @type {Bbox} */ ([0, 0, 50, 50]);
  const [ap] = evaluate(truth([label(1, box), label(2, box)]), [
    found(1, box, 0.9),
    found(1, [0, 0, 50, 49], 0.8),
    found(2, box, 0.7),
  ]);
  about(ap, (51 + (50 * 2) / 3) / 101);
  const many = Array.from({ length: 100 }, () => found(1, [300, 300, 20, 20], 0.5));
  assert.equal(evaluate(truth([label(1, box)]), [...many, found(1, box, 0.4)])[0], 0);
});

const REFERENCE = ['coco/instances_val_subset.json', 'reference/yolov5n_fp32_dets.json'];

/** What pycocotools 2.0 prints for these two files, with all digits. */
const PYCOCOTOOLS = [
  0.2925214443749646, 0.4637648994423149, 0.30868558204373636, 0.1134054334330481,
  0.29983384639714467, 0.42878047447802886, 0.263248889672651, 0.4129780757102332,
  0.4453092995986209, 0.23894341467174196, 0.4611548035752389, 0.5632123226730656,
];

test('the twelve figures equal those of pycocotools', { skip: without(...REFERENCE) }, () => {
  const [labels, results] = REFERENCE.map((name) =>
    JSON.parse(readFileSync(dataPath(name), 'utf8')),
  );
  const stats = evaluate(labels, results);
  for (const [i, value] of stats.entries()) about(value, PYCOCOTOOLS[i]);
  const lines = summary(stats);
  assert.equal(lines.length, 12);
  assert.match(
    lines[1],
    /Average Precision {2}\(AP\) @\[ IoU=0\.50 {6}\| area= {3}all \| maxDets=100 \] = 0\.4638/,
  );
});

test("P and R equal those of YOLOv5's own procedure", { skip: without(...REFERENCE) }, () => {
  const [labels, results] = REFERENCE.map((name) =>
    JSON.parse(readFileSync(dataPath(name), 'utf8')),
  );
  const { precision, recall } = precisionAndRecall(labels, results);
  about(precision, 0.5803826808947242);
  about(recall, 0.4182238943078612);
});
