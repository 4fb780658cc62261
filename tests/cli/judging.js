// wisp press and wisp val on the real test data, for tests of accuracy.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { evaluate } from '../../cli/coco.js';
import { dataPath } from '../support/test-data.js';
import { runWisp } from './command.js';

export const MODEL = 'models/yolov5n_640.onnx';
const LABELS = 'coco/instances_val_subset.json';
export const needs = [MODEL, LABELS, 'coco/val', 'coco/calib'];

/** A folder for the length of a test. @param {import('node:test').TestContext} t */
export function workFolder(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'wisp-val-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/**
 * @param {string[]} words model and options
 * @param {string} folder
 */
export async function judge(words, folder) {
  const boxes = path.join(folder, 'boxes.json');
  const places = ['--data', dataPath('coco/val'), '--labels', dataPath(LABELS), '--json', boxes];
  const { code, stdout, stderr } = await runWisp(['val', ...words, ...places]);
  assert.equal(code, 0, stderr);
  /** @type {import('../../cli/coco.js').GroundTruth} */
  const all = JSON.parse(readFileSync(dataPath(LABELS), 'utf8'));
  const count = Number(/^pictures (\d+)/.exec(stdout)?.[1]);
  const images = all.images.slice(0, count);
  const ids = new Set(images.map(({ id }) => id));
  const annotations = all.annotations.filter(({ image_id }) => ids.has(image_id));
  const truth = { ...all, images, annotations };
  /** @type {import('../../cli/coco.js').Result[]} */
  const results = JSON.parse(readFileSync(boxes, 'utf8'));
  return { truth, results, stats: evaluate(truth, results), page: stdout };
}

/**
 * Calibrated on pictures that no test judges with.
 * @param {string[]} options
 * @param {string} folder
 * @returns {Promise<string>} the .wisp file
 */
export async function press(options, folder) {
  const output = path.join(folder, 'yolov5n.wisp');
  const words = [dataPath(MODEL), '--calib', dataPath('coco/calib'), '-o', output, ...options];
  const { code, stderr } = await runWisp(['press', ...words]);
  assert.equal(code, 0, stderr);
  return output;
}
