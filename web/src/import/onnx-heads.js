// Finds where a YOLOv5 network ends, and reads anchors and strides out of what follows.
//
// Exports spell the decoding in many ways. So it is not matched but run: the last convolutions are replaced by known
// logits, the nodes behind them are evaluated, and the boxes that come out tell anchors and strides. Every number
// is then compared with YOLOv5's formula.

import { unsupported } from '../graph/graph-error.js';
import { requireAnchor } from '../graph/head-forms.js';
import { likeOthers } from './box-units.js';
import { anchorFreeScales, readAnchorFree } from './onnx-anchor-free.js';
import { describe, isFeature } from './onnx-feature.js';
import { nodesBefore } from './onnx-order.js';
import { countOf } from './onnx-tensor.js';
import { pairsOf, readUndecoded, remarkOn, USUAL_ANCHORS } from './onnx-undecoded.js';

/**
 * @typedef {import('./onnx-proto.js').Tensor} Tensor
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 * @typedef {import('./onnx-proto.js').OnnxModel} OnnxModel
 * @typedef {import('../graph/float-graph.js').GraphHead} GraphHead
 * @typedef {import('./onnx-undecoded.js').Boxes} Boxes
 * @typedef {{tensor: number, logits: Tensor}} Head `tensor` of the float graph; logits [1, anchors · n, h, w]
 */

/** A head without anchors is two convolutions, and models/FORMAT.md allows 16 heads. */
const MOST_HEADS = 32;

/**
 * What the numbers of a decoding were rounded to, where they are no whole ones.
 * @typedef {'float' | 'half' | 'byte'} Rounding
 */

/**
 * Between YOLOv5's formula and a graph: in pixels, and as a share of the number that is due; `anchors` likewise,
 * between those of a graph and YOLOv5's own.
 */
const TOLERANCES = {
  float: { pixels: 2e-3, share: 2e-3, anchors: null },
  half: { pixels: 0.5, share: 2e-3, anchors: { pixels: 0, share: 2e-3 } },
  byte: { pixels: 8, share: 0.1, anchors: { pixels: 2, share: 0.02 } },
};

/**
 * The last convolutions before the first output that joins some, in the order in which it does; of a network that joins
 * nothing, before the one output that is a list, as with a single scale and prototypes beside it, or before all.
 * @param {OnnxModel} model
 * @param {import('./onnx-order.js').Writers} writers
 * @returns {{last: OnnxNode[], ends: string[]}}
 */
export function findHeads({ outputs, shapes }, writers) {
  const isHead = (/** @type {OnnxNode} */ node) =>
    node.op === 'Conv' && !readsChances(node, writers);
  const isLast = (/** @type {OnnxNode} */ node) => isHead(node) || node.op === 'Shape';
  const before = (/** @type {string[]} */ ends) =>
    nodesBefore(writers, ends, isLast).filter(isHead);
  const joining = outputs.find((output) => before([output]).length > 1);
  const lists = outputs.filter((output) => shapes?.get(output)?.length === 3);
  const only = joining ?? (lists.length === 1 ? lists[0] : undefined);
  const ends = only === undefined ? outputs : [only];
  const last = before(ends);
  if (last.length === 0)
    unsupported('No output comes from a convolution, so this is not a YOLOv5 that wisp can read.');
  if (last.length > MOST_HEADS)
    unsupported(`The outputs come from ${last.length} convolutions; a YOLOv5 has three or four.`);
  return { last, ends };
}

/**
 * Outputs that no head comes before: the prototypes of masks, if the network segments.
 * @param {OnnxModel} model
 * @param {import('./onnx-order.js').Writers} writers
 * @param {{last: OnnxNode[], ends: string[]}} heads
 */
export function beside({ outputs }, writers, { last, ends }) {
  const isBehind = (/** @type {string} */ output) =>
    nodesBefore(writers, [output]).some((node) => last.includes(node));
  const others = outputs.filter((output) => !ends.includes(output)).slice(0, MOST_HEADS);
  return others.filter((output) => !isBehind(output));
}

/**
 * @param {import('./onnx-feature.js').Value} value
 * @param {{height: number, width: number}} input
 * @returns {GraphHead | null} null if it can't be prototypes
 */
export function prototypesOf(value, input) {
  if (!value || !isFeature(value)) return null;
  const [, masks, height, width] = value.dims;
  const stride = input.height / height;
  const fits = Number.isInteger(stride) && width * stride === input.width;
  return fits ? { kind: 'prototypes', tensor: value.id, stride, anchors: [], masks } : null;
}

/**
 * Whether a convolution belongs to the decoding: that of YOLOv8 weighs the results of a softmax by one.
 * @param {OnnxNode} node
 * @param {import('./onnx-order.js').Writers} writers
 */
function readsChances({ inputs }, writers) {
  const before = writers.get(inputs[0]);
  const origin = before?.op === 'Transpose' ? writers.get(before.inputs[0]) : before;
  return origin?.op === 'Softmax';
}

/**
 * Logits for the probe: zero in the first cell, where boxes then are exactly the anchors; elsewhere different ones.
 * @param {number[]} dims
 * @param {number} most numbers that they may be
 * @returns {Tensor}
 */
export function probe(dims, most) {
  const [, , height, width] = dims;
  const data = new Float32Array(countOf(dims, most));
  const cells = height * width;
  for (let i = 0; i < data.length; i++) {
    data[i] = i % cells === 0 ? 0 : ((i * 2654435761) % 997) / 160 - 3;
  }
  return { dims, data };
}

/** How boxes are read out of what follows the last convolutions. */
export class BoxReader {
  /** @type {Head[]} */
  heads = [];
  /** @type {Boxes | undefined} */
  found;
  /** Why the last value that might have held them doesn't. @type {unknown} */
  #refusal;
  #graph;
  #input;
  #anchors;
  /** @type {Rounding} */
  #rounding;
  /** Of a network that segments. @type {GraphHead | null} */
  prototypes = null;

  /**
   * @param {object} options
   * @param {import('../graph/float-graph.js').FloatGraphBuilder} options.graph to which heads without anchors are added
   * @param {{height: number, width: number}} options.input
   * @param {number[][]} [options.anchors] of heads that aren't decoded
   * @param {Rounding} options.rounding
   */
  constructor({ graph, input, anchors, rounding }) {
    this.#graph = graph;
    this.#input = input;
    this.#anchors = anchors;
    this.#rounding = rounding;
  }

  /**
   * Whether a node has written all boxes, decoded.
   * @param {OnnxNode} node
   * @param {import('./onnx-feature.js').Value[]} outputs
   */
  look(node, outputs) {
    for (const value of outputs)
      if (value && !isFeature(value) && this.#lookWithoutAnchors(node, value)) return true;
    const masks = this.prototypes?.masks ?? 0;
    const isRow = (/** @type {number[]} */ dims) =>
      dims.length === 3 && dims[2] > 5 + masks && dims[1] === rowsOf(this.heads, dims[2]);
    const decoded = outputs.find((value) => value && !isFeature(value) && isRow(value.dims));
    if (!decoded) return false;
    try {
      const tensor = /** @type {Tensor} */ (decoded);
      const last = { node, rounding: this.#rounding, masks };
      const heads = readHeads(tensor, this.heads, this.#input, last);
      const all = this.prototypes
        ? [...heads.map((head) => ({ ...head, masks })), this.prototypes]
        : heads;
      this.found = { heads: all, classes: tensor.dims[2] - 5 - masks };
      return true;
    } catch (thrown) {
      this.#refusal = thrown;
      return false;
    }
  }

  /** @param {OnnxNode} node @param {Tensor} decoded */
  #lookWithoutAnchors(node, decoded) {
    const scales = anchorFreeScales(decoded, this.heads);
    if (!scales) return false;
    try {
      const { share } = TOLERANCES[this.#rounding];
      const heads = readAnchorFree(this.#graph, decoded, scales, this.#input, { node, share });
      this.found = { heads, classes: decoded.dims[1] - 4 };
      return true;
    } catch (thrown) {
      this.#refusal = thrown;
      return false;
    }
  }

  /**
   * Of a network whose outputs are the logits themselves, or their sigmoids, in whichever layout.
   * @param {import('./onnx-feature.js').Value[]} outputs
   * @returns {Boxes}
   */
  undecoded(outputs) {
    const given = /** @type {Tensor[]} */ (outputs.filter((value) => value && !isFeature(value)));
    const anchors = this.#anchors ?? USUAL_ANCHORS[this.heads.length];
    const boxes = readUndecoded(this.heads, given, this.#input, anchors) ?? this.#refuse();
    return this.#anchors ? boxes : { ...boxes, remark: remarkOn(anchors) };
  }

  #refuse() {
    if (this.#refusal) throw this.#refusal;
    return unsupported(
      "The outputs are no boxes as YOLOv5 decodes them, 1×boxes×(5 + classes); export it with YOLOv5's export.py.",
    );
  }
}

/**
 * @param {Tensor} given [1, boxes, 5 + classes]: what the graph makes of the probes
 * @param {Head[]} heads
 * @param {{height: number, width: number}} input
 * @param {{node: OnnxNode, rounding: Rounding, masks: number}} last the node that wrote `decoded`, for messages;
 *   how many of its last columns are coefficients of masks
 * @returns {GraphHead[]}
 */
function readHeads(given, heads, input, { node, rounding, masks }) {
  const decoded = likeOthers(given, heads, input);
  const columns = decoded.dims[2];
  let row = 0;
  const rows = heads.map(({ logits }) => {
    const first = row;
    row += boxesOf(logits, columns);
    return first;
  });
  const exact = heads.map(({ tensor, logits }, i) => ({
    tensor,
    ...readHead(decoded, logits, rows[i]),
  }));
  const tolerance = TOLERANCES[rounding];
  const read = tolerance.anchors ? unrounded(exact, heads, input, rounding) : exact;
  for (const [i, { stride }] of read.entries()) {
    const { logits } = heads[i];
    const [, , height, width] = logits.dims;
    if (height * stride !== input.height || width * stride !== input.width) {
      unsupported(
        `${describe(node)} places boxes ${stride} pixels apart on ${width}×${height} cells, ` +
          `which doesn't fill the ${input.width}×${input.height} input; this is not YOLOv5's decoding.`,
      );
    }
    for (const anchor of read[i].anchors) requireAnchor(anchor, describe(node));
    const wrong = firstDifference(decoded, logits, rows[i], { ...read[i], masks }, tolerance);
    if (wrong) unsupported(`${describe(node)} doesn't decode boxes as YOLOv5 does: ${wrong}.`);
  }
  return read;
}

/**
 * Heads whose numbers were rounded: their strides by their cells; their anchors YOLOv5's own, or else, of bytes, whole
 * pixels.
 * @param {GraphHead[]} heads
 * @param {Head[]} probes
 * @param {{height: number}} input
 * @param {Rounding} rounding
 */
function unrounded(heads, probes, { height }, rounding) {
  const usual = USUAL_ANCHORS[heads.length]?.map(pairsOf);
  const { pixels, share } = TOLERANCES[rounding].anchors ?? { pixels: 0, share: 0 };
  const near = (/** @type {number} */ a, /** @type {number} */ b) =>
    Math.abs(a - b) <= pixels + share * b;
  const nearest = rounding === 'byte' ? Math.round : (/** @type {number} */ side) => side;
  const isUsual = heads.every(({ anchors }, i) =>
    anchors.every(([w, h], k) => near(w, usual?.[i]?.[k]?.[0] ?? NaN) && near(h, usual[i][k][1])),
  );
  /** @type {(pair: [number, number]) => [number, number]} */
  const likely = ([w, h]) => [nearest(w), nearest(h)];
  return heads.map(({ tensor, anchors }, i) => ({
    tensor,
    stride: height / probes[i].logits.dims[2],
    anchors: isUsual ? usual[i] : anchors.map(likely),
  }));
}

/** @param {Head[]} heads @param {number} columns numbers of a box */
function rowsOf(heads, columns) {
  return heads.reduce((sum, { logits }) => sum + boxesOf(logits, columns), 0);
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
 * @param {{stride: number, anchors: [number, number][], masks: number}} head
 * @param {{pixels: number, share: number}} tolerance
 * @returns {string | null} what differs
 */
function firstDifference(decoded, logits, row, { stride, anchors, masks }, tolerance) {
  const columns = decoded.dims[2];
  const [, , height, width] = logits.dims;
  const cells = height * width;
  let at = row * columns;
  for (const [index, anchor] of anchors.entries()) {
    for (let cell = 0; cell < cells; cell++) {
      for (let k = 0; k < columns; k++, at++) {
        const logit = logits.data[(index * columns + k) * cells + cell];
        const s = 1 / (1 + Math.exp(-logit));
        let due = k < columns - masks ? s : logit;
        if (k < 2)
          due = (2 * s - 0.5 + (k === 0 ? cell % width : Math.floor(cell / width))) * stride;
        else if (k < 4) due = (2 * s) ** 2 * anchor[k - 2];
        const allowed = Math.max(
          k < 4 ? tolerance.pixels : 0,
          tolerance.share * Math.max(1, Math.abs(due)),
        );
        if (Math.abs(decoded.data[at] - due) <= allowed) continue;
        return `number ${k} of box ${Math.floor(at / columns)} is ${decoded.data[at]}, not ${due}`;
      }
    }
  }
  return null;
}
