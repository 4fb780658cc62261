// The end of a YOLOv5 export: the logits of each scale → [batch, boxes, 5 + classes] in pixels of the input; where it
// segments, coefficients behind them, and the prototypes of masks.

import { boxHeads } from '../graph/head-forms.js';

/** @typedef {import('./onnx-writer.js').OnnxWriter} OnnxWriter */

/**
 * @param {OnnxWriter} writer
 * @param {import('../graph/float-graph.js').FloatGraph} graph
 * @param {number} batch
 * @param {(tensor: number) => string} nameOf
 */
export function decodeHeads(writer, graph, batch, nameOf) {
  const prototypes = graph.heads.find(({ kind }) => kind === 'prototypes');
  const masks = prototypes?.masks ?? 0;
  const columns = 5 + graph.classes.length + masks;
  const parts = boxHeads(graph.heads).map(({ tensor, stride, anchors }) => {
    const cells = { height: graph.input.height / stride, width: graph.input.width / stride };
    return decodeHead(writer, nameOf(tensor), { batch, columns, masks, stride, anchors, ...cells });
  });
  const name = prototypes ? 'output0' : 'output'; // as export.py calls them
  writer.output(name, [batch, null, columns]);
  writer.node('Concat', parts, { axis: 1 }, [name]);
  if (!prototypes) return;
  writer.output('output1', [batch, masks, null, null]);
  writer.node('Identity', [nameOf(prototypes.tensor)], {}, ['output1']);
}

/**
 * @typedef {object} Head
 * @property {number} batch
 * @property {number} columns 5 + classes + masks
 * @property {number} masks
 * @property {number} stride
 * @property {[number, number][]} anchors
 * @property {number} height in cells
 * @property {number} width
 *
 * @param {OnnxWriter} writer
 * @param {string} logits
 * @param {Head} head
 */
function decodeHead(writer, logits, { batch, columns, masks, stride, anchors, height, width }) {
  const count = anchors.length;
  const split = writer.integers([batch, count, columns, height, width]);
  const apart = writer.node('Reshape', [logits, split]);
  const rows = writer.node('Transpose', [apart], { perm: [0, 1, 3, 4, 2] });
  const fields = writer.node('Sigmoid', [rows]);
  const slice = (/** @type {number} */ from, /** @type {number} */ to, of = fields) =>
    writer.node('Slice', [of, ...[from, to, 4].map((value) => writer.integers([value]))]);
  const doubled = (/** @type {string} */ name) => writer.node('Mul', [name, writer.reals([2], [])]);
  const grid = writer.reals(cellsOf(height, width), [1, 1, height, width, 2]);
  const places = writer.node('Add', [doubled(slice(0, 2)), grid]);
  const centres = writer.node('Mul', [places, writer.reals([stride], [])]);
  const growth = writer.node('Pow', [doubled(slice(2, 4)), writer.reals([2], [])]);
  const sizes = writer.node('Mul', [growth, writer.reals(anchors.flat(), [1, count, 1, 1, 2])]);
  const scores = slice(4, columns - masks);
  const coefficients = masks > 0 ? [slice(columns - masks, columns, rows)] : [];
  const boxes = writer.node('Concat', [centres, sizes, scores, ...coefficients], { axis: 4 });
  return writer.node('Reshape', [boxes, writer.integers([batch, -1, columns])]);
}

/** x − ½ and y − ½ of each cell. @param {number} height @param {number} width */
function cellsOf(height, width) {
  return Array.from({ length: height * width * 2 }, (_, i) => {
    const cell = i >> 1;
    return (i % 2 === 0 ? cell % width : Math.floor(cell / width)) - 0.5;
  });
}
