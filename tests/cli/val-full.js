// The accuracy that wisp promises for the official YOLOv5n, on all 543 labelled photographs. Takes minutes:
//   node --test tests/cli/val-full.js

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataPath, without } from '../support/test-data.js';
import { judge, MODEL, needs, press, workFolder } from './judging.js';

/** Of the FP32 network in another engine. */
const REFERENCE = { ap: 0.2937, ap50: 0.4659 };
const LEAST_AP = 0.287;

const options = { skip: without(...needs), timeout: 30 * 60_000 };

test('in float: AP and AP50 within 0.001 of the reference', options, async (t) => {
  const { stats, page } = await judge([dataPath(MODEL), '--float'], workFolder(t));
  for (const line of page.trimEnd().split('\n')) t.diagnostic(line);
  assert.ok(Math.abs(stats[0] - REFERENCE.ap) <= 0.001, `AP ${stats[0]}`);
  assert.ok(Math.abs(stats[1] - REFERENCE.ap50) <= 0.001, `AP50 ${stats[1]}`);
});

test('in integers: AP at least 0.287', options, async (t) => {
  const folder = workFolder(t);
  const { stats, page } = await judge([await press([], folder)], folder);
  for (const line of page.trimEnd().split('\n')) t.diagnostic(line);
  assert.ok(stats[0] >= LEAST_AP, `AP ${stats[0]}`);
});
