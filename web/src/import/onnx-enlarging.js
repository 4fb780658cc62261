// ONNX nodes that make feature maps larger by weights or by zeros → convolutions: ConvTranspose, Pad, DepthToSpace.

import { addTransposed, enlargesWhole, zeroPadding } from '../graph/enlarging.js';
import { malformed } from '../graph/graph-error.js';
import { constantOnly, describe, feature, pair, refuse, weights } from './onnx-feature.js';
import { checkedAxis, list, number } from './onnx-node.js';

/**
 * @typedef {import('./onnx-feature.js').Translate} Translate
 * @typedef {import('./onnx-proto.js').Tensor} Tensor
 * @typedef {[number, number]} Pair
 */

/** What models/FORMAT.md allows. */
const LARGEST_FACTOR = 8;

/** @type {Translate} */
function convTranspose(graph, node, inputs) {
  const x = feature(node, inputs[0]);
  const weight = weights(node, inputs[1], 'weights');
  const bias = inputs[2] ? weights(node, inputs[2], 'bias') : null;
  const { dims } = /** @type {Tensor} */ (inputs[1]);
  if (dims.length !== 4) refuse(node, `has ${dims.length - 2}-d kernels`);
  const [from, each, ...sides] = dims;
  const groups = number(node, 'group', 1);
  const out = each * groups;
  if (from !== x.dims[1] || from % groups !== 0 || (bias && bias.length !== out))
    malformed(`${describe(node)} has weights ${dims.join('×')} for ${x.dims[1]} channels.`);
  const kernel = /** @type {Pair} */ (sides);
  const stride = pair(node, 'strides', [1, 1]);
  const [top, left, bottom, right] = list(node, [], 0, 'pads') ?? [0, 0, 0, 0];
  const [down, across] = pair(node, 'output_padding', [0, 0]);
  const pad = /** @type {Pair} */ ([top, left]);
  const more = /** @type {Pair} */ ([down + top - bottom, across + left - right]);
  const isPlain = (node.attributes.get('auto_pad') ?? 'NOTSET') === 'NOTSET';
  const isDilated = pair(node, 'dilations', [1, 1]).some((d) => d !== 1);
  const fits = isPlain && !isDilated && !node.attributes.has('output_shape');
  const isSmall = stride.every((s) => s <= LARGEST_FACTOR);
  if (!fits || !isSmall || !enlargesWhole({ kernel, stride, pad, more }))
    refuse(node, "doesn't enlarge by a whole factor");
  const how = { weight, bias, kernel, stride, pad, more, groups };
  const id = addTransposed(graph, node.name, x.id, { ...how, channels: [from, out] });
  return { id, dims: [x.dims[0], out, x.dims[2] * stride[0], x.dims[3] * stride[1]] };
}

/** A side: with that of the other, less than the largest kernel of models/FORMAT.md. */
const MOST_PADDING = 7;

/** @type {Translate} */
function pad(graph, node, inputs) {
  const x = feature(node, inputs[0]);
  const constants = inputs.map(constantOnly);
  const mode = node.attributes.get('mode') ?? 'constant';
  const value = list(node, constants, 2, 'value')?.[0] ?? number(node, 'value', 0);
  const given = list(node, constants, 1, 'pads');
  if (mode !== 'constant' || value !== 0 || !given)
    return refuse(node, 'pads with something but zeros');
  const axes = list(node, constants, 3, 'axes') ?? [0, 1, 2, 3];
  const sides = /** @type {Pair[]} */ ([0, 0, 0, 0].map(() => [0, 0]));
  axes.forEach((axis, i) => {
    sides[checkedAxis(node, axis, 4)] = [given[i], given[i + axes.length]];
  });
  const [batch, channels, [top, bottom], [left, right]] = sides;
  const fits = [top, left, bottom, right].every((side) => side >= 0 && side <= MOST_PADDING);
  if ([...batch, ...channels].some((side) => side !== 0) || !fits)
    refuse(node, `pads by ${given.join(', ')}`);
  if (top + left + bottom + right === 0) return x;
  const conv = zeroPadding(x.dims[1], [top, left, bottom, right]);
  const size = [x.dims[2] + top + bottom, x.dims[3] + left + right];
  return { id: graph.add(node.name, [x.id], conv), dims: [x.dims[0], x.dims[1], ...size] };
}

/** As wisp writes a transposed convolution: convolutions side by side, whose pixels take turns. @type {Translate} */
function depthToSpace(graph, node, inputs) {
  const x = feature(node, inputs[0]);
  const size = number(node, 'blocksize', 0);
  const count = size * size;
  const joined = graph.node(x.id);
  const parts = joined?.op === 'concat' ? joined.inputs.map((id) => graph.node(id)) : [];
  const channels = x.dims[1] / count;
  const fits = parts.every((part) => part?.op === 'conv' && part.channels[1] === channels);
  const order = node.attributes.get('mode') ?? 'DCR';
  if (!fits || !joined || parts.length !== count || order !== 'DCR')
    return refuse(node, 'deals out channels that are not those of convolutions side by side');
  const id = graph.add(node.name, joined.inputs, { op: 'upsample', factor: [size, size] });
  return { id, dims: [x.dims[0], channels, x.dims[2] * size, x.dims[3] * size] };
}

/** @type {Record<string, Translate>} */
export const ENLARGING = { ConvTranspose: convTranspose, DepthToSpace: depthToSpace, Pad: pad };
