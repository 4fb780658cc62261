// The official YOLOv5n through importer, press, runtime and evaluator, on a few dozen labelled photographs.
// All 543 of them take minutes: node --test tests/cli/val-full.js

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { evaluate } from '../../cli/coco.js';
import { dataPath, without } from '../support/test-data.js';
import { judge, MODEL, needs, press, workFolder } from './judging.js';

const PICTURES = 40;
const REFERENCE = 'reference/yolov5n_fp32_dets.json';
/** The reference leaves out what scores less. */
const LEAST = 0.01;
/** Of AP, between engines that resize and place pictures a little differently. */
const TOLERANCE = 0.006;
/** Of AP, between float and integers calibrated on few pictures. */
const LOSS = 0.015;
/** Which of COCO's figures is the AP of small things. */
const SMALL = 3;
/** Of the input for tiles: the pictures are about three times as wide. */
const SMALL_INPUT = ['--size', '224', '--limit', `${PICTURES}`];

test('float boxes are as good as the reference, integers nearly; tiles find small things', {
  skip: without(...needs, REFERENCE),
}, async (t) => {
  const folder = workFolder(t);
  const float = await judge([dataPath(MODEL), '--float', '--limit', `${PICTURES}`], folder);
  const images = new Set(float.truth.images.map(({ id }) => id));
  /** @type {import('../../cli/coco.js').Result[]} */
  const given = JSON.parse(readFileSync(dataPath(REFERENCE), 'utf8'));
  const reference = evaluate(
    float.truth,
    given.filter((one) => images.has(one.image_id)),
  );
  const same = evaluate(
    float.truth,
    float.results.filter(({ score }) => score >= LEAST),
  );
  for (const i of [0, 1]) {
    assert.ok(
      Math.abs(same[i] - reference[i]) < TOLERANCE,
      `${same[i]}, reference ${reference[i]}`,
    );
  }
  const model = await press(['--limit', '24'], folder);
  const integers = await judge([model, '--limit', `${PICTURES}`], folder);
  t.diagnostic(
    `AP of ${PICTURES} pictures: float ${float.stats[0]}, integers ${integers.stats[0]}`,
  );
  assert.ok(
    integers.stats[0] > float.stats[0] - LOSS,
    `${integers.stats[0]}, float ${float.stats[0]}`,
  );
  const whole = await judge([model, ...SMALL_INPUT], folder);
  const tiled = await judge([model, ...SMALL_INPUT, '--tiles', 'auto'], folder);
  const [before, after] = [whole.stats[SMALL], tiled.stats[SMALL]];
  t.diagnostic(`AP of small things at 224: ${before}, with tiles ${after}`);
  assert.ok(before > 0 && after > 1.5 * before, `${before}, with tiles ${after}`);
});
