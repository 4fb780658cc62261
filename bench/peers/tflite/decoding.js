// The end of a YOLOv5 in a .tflite file: the sigmoids of one scale → its boxes in pixels of the input.

import { int } from './writer.js';

/** @typedef {import('./writer.js').TfliteWriter} TfliteWriter */

/**
 * @typedef {object} Scale
 * @property {number} stride
 * @property {[number, number][]} anchors
 * @property {number} height in cells
 * @property {number} width
 * @property {number} classes
 *
 * @param {TfliteWriter} writer
 * @param {number} shares tensor of the sigmoids, [1, height, width, anchors · (5 + classes)]
 * @param {Scale} scale
 * @param {boolean} isInt8 whether the sigmoids are integers
 * @returns {{tensor: number, rows: number}} [1, rows, 5 + classes]
 */
export function decodeScale(writer, shares, { stride, anchors, height, width, classes }, isInt8) {
  const rows = height * width * anchors.length;
  const columns = 5 + classes;
  const real = (/** @type {number} */ count) => writer.tensor('float', [1, rows, count]);
  const how = { isInt8: false };
  const reals = isInt8
    ? writer.tensor('float', [1, height, width, anchors.length * columns])
    : shares;
  if (isInt8) writer.operator('dequantise', [shares], reals, { isInt8 });
  const table = writer.operator(
    'reshape',
    [reals, writer.integers(1, rows, columns)],
    real(columns),
    how,
  );
  const slice = (/** @type {number} */ from, /** @type {number} */ count) => {
    const window = [writer.integers(0, 0, from), writer.integers(1, rows, count)];
    return writer.operator('slice', [table, ...window], real(count), how);
  };
  const times = (/** @type {number} */ one, /** @type {number} */ other) =>
    writer.operator('multiply', [one, other], real(2), how);
  const constant = (/** @type {number[]} */ shape, /** @type {number[]} */ values) =>
    writer.constant('float', shape, Float32Array.from(values));

  const spread = times(slice(0, 2), constant([1], [2 * stride]));
  const places = constant([1, rows, 2], placesOf(width, height, anchors.length, stride));
  const centres = writer.operator('add', [spread, places], real(2), how);
  const sides = slice(2, 2);
  const growth = anchors.flat().map((side) => 4 * side);
  const largest = constant(
    [1, rows, 2],
    Array(height * width)
      .fill(growth)
      .flat(),
  );
  const sizes = times(times(sides, sides), largest);
  const parts = [centres, sizes, slice(4, 1 + classes)];
  return {
    tensor: writer.operator('concat', parts, real(columns), { ...how, options: [int(2)] }),
    rows,
  };
}

/**
 * Where the middle of each box is if its sigmoids are 0.
 * @param {number} width @param {number} height @param {number} anchors @param {number} stride
 */
function placesOf(width, height, anchors, stride) {
  return Array.from({ length: height * width * anchors * 2 }, (_, i) => {
    const cell = Math.floor(i / 2 / anchors);
    return ((i % 2 === 0 ? cell % width : Math.floor(cell / width)) - 0.5) * stride;
  });
}
