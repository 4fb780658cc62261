// Finds where a YOLOv5 network ends, and reads anchors and strides out of what follows.
//
// Exports spell the decoding in many ways. So it is not matched but run: the last convolutions are replaced by known
// logits, the nodes behind them are evaluated, and the boxes that come out tell anchors and strides. Every number
// is then compared with YOLOv5's formula.

import { unsupported } from '../graph/graph-error.js';
import { describe } from './onnx-feature.js';
import { nodesBefore } from './onnx-order.js';
import { countOf } from './onnx-tensor.js';

/**
 * @typedef {import('./onnx-proto.js').Tensor} Tensor
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 * @typedef {import('./onnx-proto.js').OnnxModel} OnnxModel
 * @typedef {import('../graph/float-graph.js').GraphHead} GraphHead
 * @typedef {{tensor: number, logits: Tensor}} Head `tensor` of the float graph; logits [1, anchors · n, h, w]
 */

/** Between YOLOv5's formula and a graph with fp16 constants. */
const TOLERANCE = 2e-3;

/**
 * The last convolutions before the first output, in the order in which it joins them.
 * @param {OnnxModel} model
 * @param {import('./onnx-order.js').Writers} writers
 * @returns {OnnxNode[]}
 */
export function findHeads(model, writers) {
  const isLast = (/** @type {OnnxNode} */ { op }) => op === 'Conv' || op === 'Shape';
  const behind = nodesBefore(writers, model.outputs.slice(0, 1), isLast);
  const heads = behind.filter(({ op }) => op === 'Conv');
  if (heads.length === 0) unsupported('This model has no convolution, so it is not a YOLOv5.');
  return heads;
}

/**
 * Logits for the probe: zero in the first cell, where boxes then are exactly the anchors; elsewhere different ones.
 * @param {number[]} dims
 * @returns {Tensor}
 */
export function probe(dims) {
  const [, , height, width] = dims;
  const data = new Float32Array(countOf(dims));
  const cells = height * width;
  for (let i = 0; i < data.length; i++) {
    data[i] = i % cells === 0 ? 0 : ((i * 2654435761) % 997) / 160 - 3;
  }
  return { dims, data };
}

/**
 * @param {Tensor} decoded [1, boxes, 5 + classes]: what the graph makes of the probes
 * @param {Head[]} heads
 * @param {{height: number, width: number}} input
 * @param {OnnxNode} last the node that wrote `decoded`, for messages
 * @returns {GraphHead[]}
 */
export function readHeads(decoded, heads, input, last) {
  const [, rows, columns] = decoded.dims;
  const boxes = heads.reduce((sum, { logits }) => sum + boxesOf(logits, columns), 0);
  if (decoded.dims.length !== 3 || columns < 6 || rows !== boxes) {
    unsupported(
      `${describe(last)} gives ${decoded.dims.join('×')} instead of YOLOv5's 1×boxes×(5 + classes); ` +
        "export the model with YOLOv5's export.py, decoding included (v5.0: --grid).",
    );
  }
  let row = 0;
  return heads.map(({ tensor, logits }) => {
    const head = readHead(decoded, logits, row);
    row += boxesOf(logits, columns);
    const [, , height, width] = logits.dims;
    if (height * head.stride !== input.height || width * head.stride !== input.width) {
      unsupported(
        `${describe(last)} places boxes ${head.stride} pixels apart on ${width}×${height} cells, ` +
          `which doesn't fill the ${input.width}×${input.height} input; this is not YOLOv5's decoding.`,
      );
    }
    const wrong = firstDifference(decoded, logits, row - boxesOf(logits, columns), head);
    if (wrong) unsupported(`${describe(last)} doesn't decode boxes as YOLOv5 does: ${wrong}.`);
    return { tensor, ...head };
  });
}

/** @param {Tensor} logits @param {number} columns numbers of a box */
function boxesOf({ dims: [, channels, height, width] }, columns) {
  return Math.floor(channels / columns) * height * width;
}

/**
 * @param {Tensor} decoded
 * @param {Tensor} logits
 * @param {number} row of the head's first box
 * @returns {{stride: number, anchors: [number, number][]}}
 */
function readHead(decoded, logits, row) {
  const columns = decoded.dims[2];
  const [, channels, height, width] = logits.dims;
  const count = channels / columns;
  if (!Number.isInteger(count)) {
    unsupported(`A head has ${channels} channels, which boxes of ${columns} numbers don't fill.`);
  }
  /** @type {[number, number][]} */
  const anchors = Array.from({ length: count }, (_, anchor) => {
    const at = (row + anchor * height * width) * columns;
    return [decoded.data[at + 2], decoded.data[at + 3]];
  });
  return { stride: decoded.data[row * columns] * 2, anchors };
}

/**
 * Compares every box of a head with YOLOv5's formula.
 * @param {Tensor} decoded
 * @param {Tensor} logits
 * @param {number} row
 * @param {{stride: number, anchors: [number, number][]}} head
 * @returns {string | null} what differs
 */
function firstDifference(decoded, logits, row, { stride, anchors }) {
  const columns = decoded.dims[2];
  const [, , height, width] = logits.dims;
  const cells = height * width;
  let at = row * columns;
  for (const [index, anchor] of anchors.entries()) {
    for (let cell = 0; cell < cells; cell++) {
      for (let k = 0; k < columns; k++, at++) {
        const s = 1 / (1 + Math.exp(-logits.data[(index * columns + k) * cells + cell]));
        let due = s;
        if (k < 2)
          due = (2 * s - 0.5 + (k === 0 ? cell % width : Math.floor(cell / width))) * stride;
        else if (k < 4) due = (2 * s) ** 2 * anchor[k - 2];
        if (Math.abs(decoded.data[at] - due) <= TOLERANCE * Math.max(1, Math.abs(due))) continue;
        return `number ${k} of box ${Math.floor(at / columns)} is ${decoded.data[at]}, not ${due}`;
      }
    }
  }
  return null;
}
