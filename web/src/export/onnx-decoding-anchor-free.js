// The end of a YOLOv8 export: the logits of all scales → [batch, 4 + classes, boxes] in pixels of the input.

import { BINS } from '../graph/head-forms.js';

/** @typedef {import('./onnx-writer.js').OnnxWriter} OnnxWriter */

/**
 * @param {OnnxWriter} writer
 * @param {import('../graph/head-parts.js').HeadParts[]} heads
 * @param {{batch: number, classes: number, input: {height: number, width: number}}} size
 * @param {(tensor: number) => string} nameOf
 */
export function decodeAnchorFree(writer, heads, { batch, classes, input }, nameOf) {
  const shaped = (/** @type {string} */ name, /** @type {number[]} */ dims) =>
    writer.node('Reshape', [name, writer.integers([batch, ...dims])]);
  const joined = (/** @type {number[]} */ tensors, /** @type {number} */ channels) => {
    const parts = tensors.map((tensor) => shaped(nameOf(tensor), [channels, -1]));
    return writer.node('Concat', parts, { axis: 2 });
  };
  const sides = joined(
    heads.map((head) => head.boxes),
    4 * BINS,
  );
  const logits = joined(
    heads.map((head) => head.classes),
    classes,
  );
  const bins = writer.node('Transpose', [shaped(sides, [4, BINS, -1])], { perm: [0, 2, 1, 3] });
  const chances = writer.node('Softmax', [bins], { axis: 1 });
  const counting = writer.reals(
    Array.from({ length: BINS }, (_, bin) => bin),
    [1, BINS, 1, 1],
  );
  const distances = shaped(writer.node('Conv', [chances, counting]), [4, -1]);
  const boxes = boxesOf(writer, distances, cellsOf(heads, input));
  const scores = writer.node('Sigmoid', [logits]);
  writer.output('output', [batch, 4 + classes, null]);
  writer.node('Concat', [boxes, scores], { axis: 1 }, ['output']);
}

/** @typedef {{x: number, y: number, stride: number}} Cell its middle, in cells */

/**
 * @param {OnnxWriter} writer
 * @param {string} distances of left, top, right and bottom from the middle of each cell, in cells
 * @param {Cell[]} cells
 */
function boxesOf(writer, distances, cells) {
  const slice = (/** @type {number} */ from) =>
    writer.node('Slice', [distances, ...[from, from + 2, 1].map((n) => writer.integers([n]))]);
  const middles = [...cells.map(({ x }) => x), ...cells.map(({ y }) => y)];
  const places = writer.reals(middles, [1, 2, cells.length]);
  const low = writer.node('Sub', [places, slice(0)]);
  const high = writer.node('Add', [places, slice(2)]);
  const both = writer.node('Add', [low, high]);
  const centres = writer.node('Div', [both, writer.reals([2], [])]);
  const sizes = writer.node('Sub', [high, low]);
  const strides = writer.reals(
    cells.map(({ stride }) => stride),
    [1, cells.length],
  );
  return writer.node('Mul', [writer.node('Concat', [centres, sizes], { axis: 1 }), strides]);
}

/**
 * @param {{stride: number}[]} heads
 * @param {{height: number, width: number}} input
 * @returns {Cell[]}
 */
function cellsOf(heads, input) {
  return heads.flatMap(({ stride }) => {
    const [rows, columns] = [input.height / stride, input.width / stride];
    return Array.from({ length: rows * columns }, (_, i) => ({
      x: (i % columns) + 0.5,
      y: Math.floor(i / columns) + 0.5,
      stride,
    }));
  });
}
