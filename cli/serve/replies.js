// Boxes as clients of other servers read them: DeepSparse's JSON, the tensors of the Open Inference Protocol.

import { textOf } from '../masks/run-lengths.js';
import { single } from '../singles.js';

/**
 * @typedef {import('../../web/src/index.js').Result} Result
 * @typedef {{results: Result[], masks: boolean}} Answer masks: whether each box has its run lengths, as COCO's
 */

/**
 * As DeepSparse 1.8 answers for its YOLO pipeline: a list a picture, corners in pixels of the source, labels as floats.
 * Masks, where they were asked for, are a list beside those.
 * @param {Answer} answer
 * @returns {string} JSON
 */
export function deepsparse({ results, masks: wanted }) {
  const boxes = results.map((result) => result.boxes.map(corners));
  const scores = results.map((result) => result.boxes.map(({ score }) => single(score)));
  const labels = results.map((result) => `[${result.boxes.map(({ label }) => label.toFixed(1))}]`);
  const head = JSON.stringify({ boxes, scores }).slice(0, -1);
  const masks = results.map((result) => result.boxes.map(({ mask }) => mask));
  const more = wanted ? `,"masks":${JSON.stringify(masks)}` : '';
  return `${head},"labels":[${labels}]${more},"intermediate_outputs":null}`;
}

/** @param {Result['boxes'][number]} box */
const corners = ({ x, y, width, height }) =>
  [x, y, x + width, y + height].map((side) => single(Math.fround(side)));

/** @param {string} name @param {string} datatype @param {number[]} shape @param {(number | string)[]} data */
const tensor = (name, datatype, shape, data) => ({ name, datatype, shape, data });

/** COCO's compressed run lengths. @param {Result['boxes'][number]} box */
function compressed({ mask }) {
  if (!mask || !('counts' in mask)) throw new Error('A box came without its run lengths.');
  return JSON.stringify({ size: mask.size, counts: textOf(mask.counts) });
}

/**
 * The boxes of all pictures one after the other; `counts` says how many each picture has. Masks are texts of JSON.
 * @param {Answer} answer
 */
export function tensors({ results, masks }) {
  const boxes = results.flatMap((result) => result.boxes);
  const n = boxes.length;
  const counts = results.map((result) => result.boxes.length);
  const labels = boxes.map(({ label }) => label);
  const scores = boxes.map(({ score }) => single(score));
  return [
    tensor('boxes', 'FP32', [n, 4], boxes.flatMap(corners)),
    tensor('scores', 'FP32', [n], scores),
    tensor('labels', 'INT64', [n], labels),
    tensor('counts', 'INT64', [results.length], counts),
    ...(masks ? [tensor('masks', 'BYTES', [n], boxes.map(compressed))] : []),
  ];
}

/** What a model takes and gives, as its metadata says it. */
export const SHAPES = {
  inputs: [{ name: 'images', datatype: 'BYTES', shape: [-1] }],
  outputs: [
    { name: 'boxes', datatype: 'FP32', shape: [-1, 4] },
    { name: 'scores', datatype: 'FP32', shape: [-1] },
    { name: 'labels', datatype: 'INT64', shape: [-1] },
    { name: 'counts', datatype: 'INT64', shape: [-1] },
  ],
};
