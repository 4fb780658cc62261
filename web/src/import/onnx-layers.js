// ONNX layers that look at pixels → convolutions, max-pools, upsampling, Focus and concatenation.

import { malformed } from '../graph/graph-error.js';
import { consecutive, select } from './onnx-channels.js';
import {
  constantOnly,
  describe,
  feature,
  isFeature,
  pair,
  refuse,
  weights,
} from './onnx-feature.js';
import { checkedAxis, list, number } from './onnx-node.js';
import { sliceRange } from './onnx-tensor.js';

/**
 * @typedef {import('./onnx-feature.js').Feature} Feature
 * @typedef {import('./onnx-feature.js').Translate} Translate
 * @typedef {import('./onnx-feature.js').Pixels} Pixels
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 * @typedef {import('./onnx-proto.js').Tensor} Tensor
 */

/**
 * Padding, and the size it leads to.
 * @param {OnnxNode} node
 * @param {number[]} dims
 * @param {[number, number]} kernel
 */
function window(node, dims, kernel) {
  const stride = pair(node, 'strides', [1, 1]);
  if (pair(node, 'dilations', [1, 1]).some((d) => d !== 1)) refuse(node, 'is dilated');
  if (number(node, 'ceil_mode', 0) !== 0) refuse(node, 'rounds its size up (ceil_mode)');
  const auto = node.attributes.get('auto_pad') ?? 'NOTSET';
  const pads = list(node, [], 0, 'pads') ?? [0, 0, 0, 0];
  if (pads.length !== 4) refuse(node, `has padding ${pads.join()}`);
  for (const axis of [0, 1]) {
    if (auto === 'NOTSET' || auto === 'VALID') continue;
    const outputs = Math.ceil(dims[2 + axis] / stride[axis]);
    const all = Math.max(0, (outputs - 1) * stride[axis] + kernel[axis] - dims[2 + axis]);
    pads[axis] = auto === 'SAME_LOWER' ? Math.ceil(all / 2) : Math.floor(all / 2);
    pads[axis + 2] = all - pads[axis];
  }
  const [height, width] = [0, 1].map((axis) => {
    const span = dims[2 + axis] + pads[axis] + pads[axis + 2] - kernel[axis];
    return Math.floor(span / stride[axis]) + 1;
  });
  if (!(height > 0 && width > 0)) malformed(`${describe(node)} leaves no pixel.`);
  /** @type {import('../graph/float-graph.js').Pad} */
  const pad = [pads[0], pads[1], pads[2], pads[3]];
  return { stride, pad, height, width };
}

/** @type {Translate} */
function conv(graph, node, inputs) {
  const x = feature(node, inputs[0]);
  const weight = weights(node, inputs[1], 'weights');
  const bias = inputs[2] ? weights(node, inputs[2], 'bias') : null;
  const shape = /** @type {Tensor} */ (inputs[1]).dims;
  if (shape.length !== 4) refuse(node, `has ${shape.length - 2}-d kernels`);
  const [out, depth, kh, kw] = shape;
  const groups = number(node, 'group', 1);
  if (depth * groups !== x.dims[1] || weight.length === 0 || (bias && bias.length !== out)) {
    malformed(`${describe(node)} has weights ${shape.join('×')} for ${x.dims[1]} channels.`);
  }
  const { stride, pad, height, width } = window(node, x.dims, [kh, kw]);
  const id = graph.add(node.name, [x.id], {
    op: 'conv',
    weight,
    bias,
    channels: [x.dims[1], out],
    kernel: [kh, kw],
    stride,
    pad,
    groups,
  });
  return { id, dims: [x.dims[0], out, height, width] };
}

/** @type {Translate} */
function maxPool(graph, node, inputs) {
  const x = feature(node, inputs[0]);
  const kernel = pair(node, 'kernel_shape', [0, 0]);
  const { stride, pad, height, width } = window(node, x.dims, kernel);
  const id = graph.add(node.name, [x.id], { op: 'maxpool', kernel, stride, pad });
  return { id, dims: [x.dims[0], x.dims[1], height, width] };
}

/**
 * @param {import('../graph/float-graph.js').FloatGraphBuilder} graph
 * @param {OnnxNode} node
 * @param {Feature} x
 * @returns {Feature}
 */
function average(graph, node, x) {
  return {
    id: graph.add(node.name, [x.id], { op: 'average' }),
    dims: [x.dims[0], x.dims[1], 1, 1],
  };
}

/** @type {Translate} */
function globalAveragePool(graph, node, inputs) {
  return average(graph, node, feature(node, inputs[0]));
}

/** An average of other windows than the whole picture is none that wisp has. @type {Translate} */
function averagePool(graph, node, inputs) {
  const x = feature(node, inputs[0]);
  const kernel = pair(node, 'kernel_shape', [0, 0]);
  const { pad } = window(node, x.dims, kernel);
  const isWhole = kernel[0] === x.dims[2] && kernel[1] === x.dims[3] && pad.every((p) => p === 0);
  return isWhole ? average(graph, node, x) : refuse(node, 'averages parts of the picture');
}

/** @type {Translate} */
function reduceMean(graph, node, inputs) {
  const x = feature(node, inputs[0]);
  const axes = (list(node, inputs.map(constantOnly), 1, 'axes') ?? [])
    .map((axis) => checkedAxis(node, axis, 4))
    .sort((a, b) => a - b);
  if (axes.join() !== '2,3' || number(node, 'keepdims', 1) !== 1)
    refuse(node, 'averages other axes than height and width, or drops them');
  return average(graph, node, x);
}

/** What models/FORMAT.md allows. */
const LARGEST_FACTOR = 8;

/** @type {Translate} */
function resize(graph, node, inputs) {
  const x = feature(node, inputs[0]);
  const mode = node.attributes.get('mode') ?? 'nearest';
  if (mode !== 'nearest') refuse(node, `interpolates (${mode})`);
  const factor = factors(node, inputs.map(constantOnly), x.dims);
  const whole = factor.every((f) => Number.isInteger(f) && f >= 1 && f <= LARGEST_FACTOR);
  if (!whole || factor[0] !== 1 || factor[1] !== 1 || !repeatsPixels(node, factor)) {
    refuse(node, `resizes by ${factor.join('×')} (${node.attributes.get('nearest_mode') ?? ''})`);
  }
  const [, , fy, fx] = factor;
  const id = graph.add(node.name, [x.id], { op: 'upsample', factor: [fy, fx] });
  return { id, dims: x.dims.map((size, axis) => size * factor[axis]) };
}

/**
 * How much larger each axis gets. The inputs are (X, scales) up to opset 10, later (X, roi, scales, sizes).
 * @param {OnnxNode} node
 * @param {(Tensor | null)[]} inputs
 * @param {number[]} dims
 */
function factors(node, inputs, dims) {
  const sizes = inputs[3];
  if (sizes && sizes.data.length === 4) return dims.map((size, axis) => sizes.data[axis] / size);
  const scales = list(node, inputs, inputs.length === 2 ? 1 : 2, 'scales');
  if (scales && scales.length === 4) return scales;
  return refuse(node, 'gets its size from the picture');
}

/**
 * Whether output pixel x is input pixel ⌊x / factor⌋, whatever the node calls its rounding.
 * @param {OnnxNode} node
 * @param {number[]} factor
 */
function repeatsPixels(node, factor) {
  if (node.op === 'Upsample') return true;
  const place = node.attributes.get('coordinate_transformation_mode') ?? 'half_pixel';
  const rounding = node.attributes.get('nearest_mode') ?? 'round_prefer_floor';
  const round = ROUNDINGS.get(String(rounding));
  const half = place === 'half_pixel' || place === 'pytorch_half_pixel';
  if (!round || !(half || place === 'asymmetric')) return false;
  return factor.every((f) =>
    Array.from({ length: 4 * f }, (_, x) => x).every((x) => {
      const at = round(half ? (x + 0.5) / f - 0.5 : x / f);
      return Math.min(Math.max(at, 0), 3) === Math.floor(x / f);
    }),
  );
}

const ROUNDINGS = new Map([
  ['floor', Math.floor],
  ['ceil', Math.ceil],
  ['round_prefer_ceil', Math.round],
  ['round_prefer_floor', (/** @type {number} */ x) => Math.ceil(x - 0.5)],
]);

/** @type {Translate} */
function slice(graph, node, inputs) {
  const x = inputs[0];
  const constants = inputs.map(constantOnly);
  const starts = list(node, constants, 1, 'starts') ?? [];
  const ends = list(node, constants, 2, 'ends') ?? [];
  const axes = list(node, constants, 3, 'axes') ?? starts.map((_, index) => index);
  const steps = list(node, constants, 4, 'steps') ?? starts.map(() => 1);
  if (!x || !isFeature(x)) return malformed(`${describe(node)} lacks a feature map.`);
  const before = x.form?.kind === 'pixels' ? x.form : null;
  /** @type {Pixels} */
  const form = before
    ? { ...before, start: [...before.start], step: [...before.step] }
    : { kind: 'pixels', of: feature(node, x).id, start: [0, 0], step: [1, 1] };
  const dims = [...x.dims];
  const [axis] = axes;
  if (axes.length === 1 && (axis === 1 || axis === -3)) {
    const cut = sliceRange(dims[1], starts[0], ends[0], steps[0]);
    const channels = consecutive(0, cut.count).map((i) => cut.start + i * steps[0]);
    return select(graph, node, { ...x, id: feature(node, x).id }, channels);
  }
  axes.forEach((raw, index) => {
    const axis = checkedAxis(node, raw, 4);
    const cut = sliceRange(dims[axis], starts[index], ends[index], steps[index]);
    const whole = cut.start === 0 && cut.count === dims[axis];
    if (axis < 2 && !whole) refuse(node, 'takes some of the channels');
    dims[axis] = cut.count;
    if (axis < 2) return;
    form.start[axis - 2] += cut.start * form.step[axis - 2];
    form.step[axis - 2] *= steps[index];
  });
  return { id: -1, dims, form };
}

/** What models/FORMAT.md allows. */
const MOST_CHANNELS = 16384;

/** The (y, x) of the pixels that YOLOv5 v5.0's Focus puts side by side. */
const FOCUS = '0,0 1,0 0,1 1,1';

/** @type {Translate} */
function concat(graph, node, inputs) {
  const parts = inputs.map((value) => {
    if (value && isFeature(value)) return value;
    return refuse(node, 'joins feature maps with a constant');
  });
  if (![1, -3].includes(number(node, 'axis', 1)))
    refuse(node, 'joins along another axis than channels');
  const { dims } = parts[0];
  if (parts.some((part) => part.dims.with(1, 0).join() !== dims.with(1, 0).join())) {
    refuse(node, 'joins feature maps of different sizes');
  }
  const joined = dims.with(
    1,
    parts.reduce((sum, part) => sum + part.dims[1], 0),
  );
  if (joined[1] > MOST_CHANNELS) refuse(node, `joins ${joined[1]} channels`);
  if (parts[0].form?.kind === 'pixels') {
    const pixels = parts.map(({ form }) => (form?.kind === 'pixels' ? form : null));
    const starts = pixels.map((form) => form?.start.join()).join(' ');
    const halves = pixels.every((form) => form?.step.join() === '2,2' && form.of === 0);
    if (starts !== FOCUS || !halves) refuse(node, 'joins pixels in another way than Focus');
    return { id: graph.add(node.name, [0], { op: 'focus' }), dims: joined };
  }
  const ids = parts.map((part) => feature(node, part).id);
  return { id: graph.add(node.name, ids, { op: 'concat' }), dims: joined };
}

/** @type {Record<string, Translate>} */
export const LAYERS = {
  AveragePool: averagePool,
  Concat: concat,
  Conv: conv,
  GlobalAveragePool: globalAveragePool,
  MaxPool: maxPool,
  ReduceMean: reduceMean,
  Resize: resize,
  Slice: slice,
  Upsample: resize,
};
