// Reads the heads of a YOLOv8 or YOLOv5u out of what an ONNX file makes of known logits: onnx-heads.js says how.

import { unsupported } from '../graph/graph-error.js';
import { BINS, joinHead } from '../graph/head-forms.js';
import { sidesInPixels } from './box-units.js';
import { describe } from './onnx-feature.js';

/**
 * @typedef {import('./onnx-proto.js').Tensor} Tensor
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 * @typedef {import('./onnx-heads.js').Head} Head
 * @typedef {import('../graph/float-graph.js').GraphHead} GraphHead
 * @typedef {import('../graph/float-graph.js').FloatGraphBuilder} FloatGraphBuilder
 * @typedef {{boxes: Head, classes: Head}} Scale
 */

/** What zero logits expect a side to be, in cells. */
const MIDDLE = (BINS - 1) / 2;

/** @param {Head} head */
const cellsOf = ({ logits: { dims } }) => dims[2] * dims[3];

/**
 * The scales, in the order of their boxes: each has a head for boxes and one for classes.
 * @param {Tensor} decoded
 * @param {Head[]} heads
 * @returns {Scale[] | null} null if the network isn't of this kind
 */
export function anchorFreeScales(decoded, heads) {
  const [, rows, columns] = decoded.dims;
  /** @type {Map<number, Head[]>} */
  const bySize = new Map();
  for (const head of heads) bySize.set(cellsOf(head), [...(bySize.get(cellsOf(head)) ?? []), head]);
  const scales = [...bySize.values()].map((pair) => {
    const boxes = pair.find(({ logits }) => logits.dims[1] === 4 * BINS);
    const classes = pair.find((head) => head !== boxes && head.logits.dims[1] === rows - 4);
    return pair.length === 2 && boxes && classes ? { boxes, classes } : null;
  });
  const cells = [...bySize.keys()].reduce((sum, count) => sum + count, 0);
  const isKind = decoded.dims.length === 3 && rows > 4 && columns === cells;
  const whole = scales.flatMap((scale) => scale ?? []);
  return isKind && whole.length === scales.length ? whole : null;
}

/**
 * @param {FloatGraphBuilder} graph
 * @param {Tensor} given [1, 4 + classes, boxes]
 * @param {Scale[]} scales
 * @param {{height: number, width: number}} input
 * @param {{node: OnnxNode, share: number}} last the node that wrote `decoded`, for messages; by which share its numbers
 *   may be off
 * @returns {GraphHead[]}
 */
export function readAnchorFree(graph, given, scales, input, { node, share }) {
  const decoded = sidesInPixels(given, input);
  let first = 0;
  return scales.map((scale, i) => {
    const { dims } = scale.boxes.logits;
    const width = decoded.data[2 * decoded.dims[2] + first]; // of its first box
    const stride = Math.round(width / (2 * MIDDLE));
    if (dims[2] * stride !== input.height || dims[3] * stride !== input.width)
      unsupported(
        `${describe(node)} places boxes ${stride} pixels apart on ${dims[3]}×${dims[2]} cells, which doesn't fill ` +
          `the ${input.width}×${input.height} input; this is not YOLOv8's decoding.`,
      );
    const wrong = firstDifference(decoded, scale, first, { stride, share });
    if (wrong) unsupported(`${describe(node)} doesn't decode boxes as YOLOv8 does: ${wrong}.`);
    first += cellsOf(scale.boxes);
    return joinHead(graph, `head.${i}`, scale.boxes.tensor, scale.classes.tensor, stride);
  });
}

/**
 * Compares every box of a scale with YOLOv8's formula.
 * @param {Tensor} decoded
 * @param {Scale} scale
 * @param {number} first box
 * @param {{stride: number, share: number}} due
 * @returns {string | null} what differs
 */
function firstDifference(decoded, { boxes, classes }, first, { stride, share }) {
  const [, rows, columns] = decoded.dims;
  const cells = cellsOf(boxes);
  const width = boxes.logits.dims[3];
  for (let cell = 0; cell < cells; cell++) {
    const [left, top, right, bottom] = [0, 1, 2, 3].map((side) =>
      expected(boxes.logits, side, cell, cells),
    );
    const [x, y] = [(cell % width) + 0.5, Math.floor(cell / width) + 0.5];
    const box = [x + (right - left) / 2, y + (bottom - top) / 2, left + right, top + bottom];
    for (let k = 0; k < rows; k++) {
      const logit = classes.logits.data[(k - 4) * cells + cell];
      const due = k < 4 ? box[k] * stride : 1 / (1 + Math.exp(-logit));
      const found = decoded.data[k * columns + first + cell];
      if (Math.abs(found - due) <= share * Math.max(1, Math.abs(due))) continue;
      return `number ${k} of box ${first + cell} is ${found}, not ${due}`;
    }
  }
  return null;
}

/**
 * @param {Tensor} logits
 * @param {number} side
 * @param {number} cell
 * @param {number} cells
 */
function expected({ data }, side, cell, cells) {
  let [sum, moment] = [0, 0];
  for (let bin = 0; bin < BINS; bin++) {
    const chance = Math.exp(data[(side * BINS + bin) * cells + cell]);
    sum += chance;
    moment += chance * bin;
  }
  return moment / sum;
}
