// Boxes as clients of other servers read them: DeepSparse's JSON, the tensors of the Open Inference Protocol.

import { single } from '../singles.js';

/** @typedef {import('../../web/src/index.js').Result} Result */

/**
 * As DeepSparse 1.8 answers for its YOLO pipeline: a list a picture, corners in pixels of the source, labels as floats.
 * @param {Result[]} results
 * @returns {string} JSON
 */
export function deepsparse(results) {
  const boxes = results.map((result) => result.boxes.map(corners));
  const scores = results.map((result) => result.boxes.map(({ score }) => single(score)));
  const labels = results.map((result) => `[${result.boxes.map(({ label }) => label.toFixed(1))}]`);
  const head = JSON.stringify({ boxes, scores }).slice(0, -1);
  return `${head},"labels":[${labels}],"intermediate_outputs":null}`;
}

/** @param {Result['boxes'][number]} box */
const corners = ({ x, y, width, height }) =>
  [x, y, x + width, y + height].map((side) => single(Math.fround(side)));

/** @param {string} name @param {string} datatype @param {number[]} shape @param {number[]} data */
const tensor = (name, datatype, shape, data) => ({ name, datatype, shape, data });

/**
 * The boxes of all pictures one after the other; `counts` says how many each picture has.
 * @param {Result[]} results
 */
export function tensors(results) {
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
