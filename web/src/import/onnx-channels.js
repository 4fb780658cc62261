// ONNX nodes that only move channels → selections: YOLOv5-Lite's channel shuffle, the halves of its units.

import { constantOnly, feature, isFeature, refuse } from './onnx-feature.js';
import { list, number } from './onnx-node.js';

/**
 * @typedef {import('./onnx-feature.js').Feature} Feature
 * @typedef {import('./onnx-feature.js').Translate} Translate
 * @typedef {import('./onnx-feature.js').Value} Value
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 * @typedef {import('../graph/float-graph.js').FloatGraphBuilder} FloatGraphBuilder
 */

/**
 * @param {FloatGraphBuilder} graph
 * @param {OnnxNode} node
 * @param {Feature} x
 * @param {number[]} channels
 * @returns {Feature}
 */
export function select(graph, node, x, channels) {
  const id = graph.add(node.name, [x.id], { op: 'select', channels });
  return { id, dims: x.dims.with(1, channels.length) };
}

/** @param {number} first @param {number} count */
export const consecutive = (first, count) => Array.from({ length: count }, (_, i) => first + i);

/**
 * The size a Reshape asks for, with its 0 and -1 filled in.
 * @param {OnnxNode} node
 * @param {Feature} x
 * @param {Value} shape
 */
function askedSize(node, x, shape) {
  const asked = list(node, [null, constantOnly(shape)], 1, 'shape');
  if (!asked) return refuse(node, 'gets its shape from the picture');
  const dims = asked.map((size, axis) => (size === 0 ? x.dims[axis] : size));
  const count = (/** @type {number[]} */ sizes) => sizes.reduce((all, size) => all * size, 1);
  const open = dims.indexOf(-1);
  return open < 0 ? dims : dims.with(open, count(x.dims) / -count(dims));
}

/**
 * The first and the last part of a channel shuffle: 1×c×h×w to 1×groups×(c / groups)×h×w, and back.
 * @type {Translate}
 */
function reshape(graph, node, inputs) {
  const [x, shape] = inputs;
  if (!x || !isFeature(x)) return refuse(node, 'reshapes a constant by the picture');
  const dims = askedSize(node, x, shape);
  if (dims.join() === x.dims.join()) return x;
  const { form } = x;
  if (form?.kind === 'turned groups') {
    const [batch, each, groups, height, width] = x.dims;
    const due = [batch, each * groups, height, width];
    if (dims.join() !== due.join()) return refuse(node, `reshapes to ${dims.join('×')}`);
    const channels = consecutive(0, each * groups).map(
      (i) => (i % groups) * each + Math.floor(i / groups),
    );
    return select(graph, node, { id: form.of, dims: due }, channels);
  }
  const { id } = feature(node, x);
  const [, groups, each] = dims;
  if (dims.length === 3 && groups === x.dims[1])
    refuse(node, 'lays the pixels of a feature map in a row, as attention does');
  const splits = dims.length === 5 && x.dims.length === 4 && groups * each === x.dims[1];
  const rest = [dims[0], ...dims.slice(3)].join() === [x.dims[0], ...x.dims.slice(2)].join();
  if (!splits || !rest) return refuse(node, `reshapes a feature map to ${dims.join('×')}`);
  return { id: -1, dims, form: { kind: 'groups', of: id, groups } };
}

/** The middle part: the groups' channels take turns. @type {Translate} */
function transpose(_, node, inputs) {
  const [x] = inputs;
  const order = list(node, [], 0, 'perm')?.join();
  if (!x || !isFeature(x) || x.form?.kind !== 'groups' || order !== '0,2,1,3,4') {
    return refuse(node, `swaps the axes of a feature map (${order ?? 'all'})`);
  }
  const [batch, groups, each, height, width] = x.dims;
  return {
    id: -1,
    dims: [batch, each, groups, height, width],
    form: { ...x.form, kind: 'turned groups' },
  };
}

/**
 * Parts along the channels, one an output.
 * @param {FloatGraphBuilder} graph
 * @param {OnnxNode} node
 * @param {Value[]} inputs
 * @returns {Feature[]}
 */
export function split(graph, node, inputs) {
  const x = feature(node, inputs[0]);
  if (![1, -3].includes(number(node, 'axis', 0)))
    refuse(node, 'splits along another axis than channels');
  const count = node.outputs.length;
  const even = Math.ceil(x.dims[1] / count);
  const usual = consecutive(0, count).map((i) => Math.min(even, x.dims[1] - i * even));
  const sizes = list(node, inputs.map(constantOnly), 1, 'split') ?? usual;
  const isWhole = sizes.every((size) => Number.isInteger(size) && size > 0);
  if (!isWhole || sizes.reduce((sum, size) => sum + size, 0) !== x.dims[1])
    refuse(node, `splits ${x.dims[1]} channels into ${sizes.slice(0, 20).join(' and ')}`);
  let first = 0;
  return sizes.map((size) => {
    const part = select(graph, node, x, consecutive(first, size));
    first += size;
    return part;
  });
}

/** @type {Record<string, Translate>} */
export const CHANNELS = { Reshape: reshape, Transpose: transpose };
