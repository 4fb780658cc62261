// Layers of torch.nn → convolutions, affine nodes, activations, pools: each has one node in the float graph.

import { addTransposed, enlargesWhole, zeroPadding } from '../../graph/enlarging.js';
import { ACTIVATION_NAMES, ACTIVATIONS } from '../../graph/float-graph.js';
import { malformed } from '../../graph/graph-error.js';
import { wordsFor } from './pickled.js';

/**
 * @typedef {import('./pt-module.js').PtModule} PtModule
 * @typedef {import('./pt-network.js').Feature} Feature
 * @typedef {import('./pt-network.js').PtNetwork} PtNetwork
 * @typedef {import('./pt-network.js').Translate} Translate
 * @typedef {import('../../graph/float-graph.js').Operation} Operation
 * @typedef {import('../../graph/float-graph.js').Pad} Pad
 */

/** The only feature map that a module reads. @param {PtModule} module @param {Feature[]} inputs */
export function only(module, inputs) {
  return inputs.length === 1 ? inputs[0] : module.refuse(`reads ${inputs.length} feature maps`);
}

/**
 * Stride and padding of a window, and the size it leads to.
 * @param {PtModule} module
 * @param {Feature} x
 * @param {[number, number]} kernel
 * @param {number} stride where the module has none
 */
function window(module, x, kernel, stride) {
  const steps = module.setting('stride') === null ? kernel : module.pair('stride', stride);
  if (module.pair('dilation', 1).some((d) => d !== 1)) module.refuse('is dilated');
  if (module.setting('ceil_mode')) module.refuse('rounds its size up (ceil_mode)');
  if (module.setting('padding') === 'same') module.refuse('is padded to "same"');
  const padding = module.setting('padding') === 'valid' ? [0, 0] : module.pair('padding', 0);
  const fits = [...steps, ...padding].every((n) => Number.isInteger(n) && n >= 0);
  if (!fits || steps.includes(0)) module.refuse(`has stride ${steps} and padding ${padding}`);
  const [height, width] = [x.height, x.width].map(
    (size, axis) => Math.floor((size + 2 * padding[axis] - kernel[axis]) / steps[axis]) + 1,
  );
  /** @type {Pad} */
  const pad = [padding[0], padding[1], padding[0], padding[1]];
  return { stride: steps, pad, height, width };
}

/** @type {Translate} */
function conv2d(network, module, inputs) {
  const x = only(module, inputs);
  const size = module.tensor('weight')?.size ?? [];
  if (size.length !== 4) return module.refuse(`has weights of ${size.length} axes`);
  const [out, depth, kh, kw] = size;
  const groups = module.number('groups', 1);
  if (depth * groups !== x.channels || out % groups !== 0)
    malformed(
      `"${module.path}" has weights ${size.join('×')} in ${groups} groups for ${x.channels} channels.`,
    );
  const mode = module.setting('padding_mode') ?? 'zeros';
  if (mode !== 'zeros') module.refuse('pads with something other than zeros');
  const { stride, pad, height, width } = window(module, x, [kh, kw], 1);
  const weight = network.floats(module, 'weight', out * depth * kh * kw);
  const bias = module.tensor('bias') && network.floats(module, 'bias', out);
  /** @type {Operation} */
  const conv = {
    op: 'conv',
    weight,
    bias,
    channels: [x.channels, out],
    kernel: [kh, kw],
    stride,
    pad,
    groups,
  };
  return network.add(module.path, [x], conv, { channels: out, height, width });
}

/** @type {Translate} */
function batchNorm(network, module, inputs) {
  const x = only(module, inputs);
  const { scale, bias } = normalization(network, module, x.channels);
  return network.add(module.path, [x], { op: 'affine', scale, bias });
}

/** What PyTorch gives a batch norm unless told otherwise. */
const EPSILON = 1e-5;

/**
 * A batch norm as it is after training: x · scale + bias.
 * @param {PtNetwork} network
 * @param {PtModule} module
 * @param {number} channels
 */
export function normalization(network, module, channels) {
  module.tensor('num_batches_tracked');
  const mean = network.floats(module, 'running_mean', channels);
  const variance = network.floats(module, 'running_var', channels);
  const epsilon = module.number('eps', EPSILON);
  const gamma = module.tensor('weight') && network.floats(module, 'weight', channels);
  const beta = module.tensor('bias') && network.floats(module, 'bias', channels);
  const scale = variance.map((v, c) => (gamma ? gamma[c] : 1) / Math.sqrt(v + epsilon));
  const bias = mean.map((m, c) => (beta ? beta[c] : 0) - m * scale[c]);
  if (!scale.every(Number.isFinite))
    malformed(`"${module.path}" has a variance that isn't positive.`);
  return { scale, bias };
}

/** @type {Translate} */
function maxPool(network, module, inputs) {
  const x = only(module, inputs);
  const kernel = module.pair('kernel_size', 0);
  const { stride, pad, height, width } = window(module, x, kernel, kernel[0]);
  return network.add(module.path, [x], { op: 'maxpool', kernel, stride, pad }, { height, width });
}

/** @type {Translate} */
function averagePool(network, module, inputs) {
  if (module.pair('output_size', 1).some((side) => side !== 1))
    module.refuse('averages to more than one pixel');
  return network.add(
    module.path,
    [only(module, inputs)],
    { op: 'average' },
    { height: 1, width: 1 },
  );
}

/** What models/FORMAT.md allows. */
const LARGEST_FACTOR = 8;

/** @type {Translate} */
function upsample(network, module, inputs) {
  const x = only(module, inputs);
  const mode = module.setting('mode') ?? 'nearest';
  if (mode !== 'nearest') module.refuse(`interpolates (${wordsFor(mode)})`);
  const factor = module.pair('scale_factor', 0);
  if (!factor.every((f) => Number.isInteger(f) && f >= 1 && f <= LARGEST_FACTOR))
    module.refuse(`resizes by ${factor.join('×')}`);
  const [fy, fx] = factor;
  return network.add(
    module.path,
    [x],
    { op: 'upsample', factor },
    { height: x.height * fy, width: x.width * fx },
  );
}

/** Of [left, right, top, bottom], or of all sides alike. @type {Translate} */
function zeroPad(network, module, inputs) {
  const x = only(module, inputs);
  const given = module.setting('padding');
  const [left, right, top, bottom] = Array.isArray(given) ? given : new Array(4).fill(given);
  const pad = /** @type {Pad} */ ([top, left, bottom, right]);
  if (!pad.every((n) => Number.isInteger(n) && n >= 0 && n <= MOST_PADDING))
    return module.refuse(`pads by ${pad.join(', ')}`);
  const size = { height: x.height + top + bottom, width: x.width + left + right };
  return network.add(module.path, [x], zeroPadding(x.channels, pad), size);
}

/** A side: with that of the other, less than the largest kernel of models/FORMAT.md. */
const MOST_PADDING = 7;

/** @type {Translate} */
function transposed(network, module, inputs) {
  const x = only(module, inputs);
  const size = module.tensor('weight')?.size ?? [];
  if (size.length !== 4) return module.refuse(`has weights of ${size.length} axes`);
  const [from, each, ...sides] = size;
  const groups = module.number('groups', 1);
  if (from !== x.channels || from % groups !== 0)
    malformed(`"${module.path}" has weights ${size.join('×')} for ${x.channels} channels.`);
  const kernel = /** @type {[number, number]} */ (sides);
  const [stride, pad, more, dilation] = [
    ...[module.pair('stride', 1), module.pair('padding', 0)],
    ...[module.pair('output_padding', 0), module.pair('dilation', 1)],
  ];
  const fits = stride.every((s) => Number.isInteger(s) && s >= 1 && s <= LARGEST_FACTOR);
  if (!fits || dilation.some((d) => d !== 1) || !enlargesWhole({ kernel, stride, pad, more }))
    return module.refuse(
      `has stride ${stride}, padding ${pad} and ${more}: it doesn't enlarge by a whole factor`,
    );
  const out = each * groups;
  const weight = network.floats(module, 'weight', from * each * kernel[0] * kernel[1]);
  const bias = module.tensor('bias') && network.floats(module, 'bias', out);
  const id = addTransposed(network.graph, module.path, x.id, {
    ...{ weight, bias, channels: [from, out], kernel, stride, pad, more, groups },
  });
  return { id, channels: out, height: x.height * stride[0], width: x.width * stride[1] };
}

/** @param {(module: PtModule) => Operation} operation @returns {Translate} */
function simple(operation) {
  return (network, module, inputs) =>
    network.add(module.path, [only(module, inputs)], operation(module));
}

/** @type {Translate} */
const pass = (_, module, inputs) => only(module, inputs);

/** Its parts, one after the other. @type {Translate} */
function sequential(network, module, inputs) {
  return module.parts().reduce((x, part) => network.run(part, x), only(module, inputs));
}

/**
 * Feature maps one behind the other.
 * @param {PtNetwork} network
 * @param {PtModule} module
 * @param {Feature[]} inputs
 * @param {string} [name]
 */
export function joined(network, module, inputs, name = module.path) {
  const [{ height, width }] = inputs;
  const other = inputs.find((x) => x.height !== height || x.width !== width);
  if (other)
    module.refuse(`joins feature maps of ${width}×${height} and ${other.width}×${other.height}`);
  const channels = inputs.reduce((sum, x) => sum + x.channels, 0);
  return network.add(name, inputs, { op: 'concat' }, { channels });
}

/**
 * @param {PtNetwork} network
 * @param {PtModule} module
 * @param {Feature[]} inputs two
 */
export function sum(network, module, [x, y]) {
  if (x.channels !== y.channels || x.height !== y.height || x.width !== y.width)
    module.refuse('adds feature maps of different sizes');
  return network.add(module.path, [x, y], { op: 'add' });
}

/** @type {[string, Translate][]} */
const MODULES = ACTIVATION_NAMES.flatMap((op) =>
  ACTIVATIONS[op].torch.map((name) => [name, simple(() => ({ op }))]),
);

/** torch.nn, and YOLOv5's own spellings of its activations. @type {Record<string, Translate>} */
export const LAYERS = {
  ...Object.fromEntries(MODULES),
  AdaptiveAvgPool2d: averagePool,
  BatchNorm2d: batchNorm,
  Conv2d: conv2d,
  ConvTranspose2d: transposed,
  DWConvTranspose2d: transposed,
  Dropout: pass,
  Identity: pass,
  LeakyReLU: simple((module) => ({ op: 'leaky', slope: module.number('negative_slope', 0.01) })),
  MaxPool2d: maxPool,
  Sequential: sequential,
  Upsample: upsample,
  ZeroPad2d: zeroPad,
};
