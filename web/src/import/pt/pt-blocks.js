// The one table of modules that wisp knows in a checkpoint: layers of torch.nn, blocks of YOLOv5 and of YOLOv5-Lite.

import { joined, LAYERS, normalization, only, sum } from './pt-layers.js';

/**
 * @typedef {import('./pt-module.js').PtModule} PtModule
 * @typedef {import('./pt-network.js').Feature} Feature
 * @typedef {import('./pt-network.js').PtNetwork} PtNetwork
 * @typedef {import('./pt-network.js').Translate} Translate
 */

/**
 * Parts one after the other.
 * @param {...string} names those with a question mark may be missing, as batch norms are that were folded
 * @returns {Translate}
 */
function chain(...names) {
  return (network, module, inputs) =>
    names.reduce(
      (x, name) => {
        const part = name.endsWith('?') ? module.maybe(name.slice(0, -1)) : module.part(name);
        return part ? network.run(part, x) : x;
      },
      only(module, inputs),
    );
}

/** Bottleneck, CrossConv: two convolutions, in most cases added to what they read. @type {Translate} */
function bottleneck(network, module, inputs) {
  const x = only(module, inputs);
  const y = chain('cv1', 'cv2')(network, module, [x]);
  return module.setting('add') ? sum(network, module, [x, y]) : y;
}

/** The halves of what cv1 gives. @param {PtNetwork} network @param {PtModule} module @param {Feature[]} inputs */
function halvesOf(network, module, inputs) {
  const both = network.run(module.part('cv1'), only(module, inputs));
  const half = both.channels / 2;
  if (!Number.isInteger(half)) module.refuse('halves an odd number of channels');
  return [0, half].map((first) => {
    const channels = consecutive(first, half);
    return network.add(module.path, [both], { op: 'select', channels }, { channels: half });
  });
}

/** YOLOv8 P6's: two halves, one of them through bottlenecks. @type {Translate} */
function c2(network, module, inputs) {
  const [deep, flat] = halvesOf(network, module, inputs);
  const both = [network.run(module.part('m'), deep), flat];
  return network.run(module.part('cv2'), joined(network, module, both));
}

/** YOLOv8's: two halves, one of them on and on through bottlenecks; all side by side. @type {Translate} */
function c2f(network, module, inputs) {
  const all = halvesOf(network, module, inputs);
  for (const part of module.part('m').parts()) all.push(network.run(part, all[all.length - 1]));
  return network.run(module.part('cv2'), joined(network, module, all));
}

/** Two branches side by side, and a convolution of both. @type {Translate} */
function c3(network, module, inputs) {
  if (module.maybe('cv4')) return csp(network, module, inputs); // CrossConvs before v4.0
  const x = only(module, inputs);
  const deep = chain('cv1', 'm')(network, module, [x]);
  const flat = network.run(module.part('cv2'), x);
  return network.run(module.part('cv3'), joined(network, module, [deep, flat]));
}

/** As C3, but the branches' last convolutions share a batch norm and an activation. @type {Translate} */
function csp(network, module, inputs) {
  const x = only(module, inputs);
  const deep = chain('cv1', 'm', 'cv3')(network, module, [x]);
  const flat = network.run(module.part('cv2'), x);
  const norm = module.part('bn');
  const { scale, bias } = normalization(network, norm, deep.channels + flat.channels);
  const act = module.part('act');
  const halves = [deep, flat].map((half, i) => {
    const [first, end] = i === 0 ? [0, half.channels] : [deep.channels, scale.length];
    const part = { scale: scale.subarray(first, end), bias: bias.subarray(first, end) };
    return network.run(act, network.add(norm.path, [half], { op: 'affine', ...part }));
  });
  return network.run(module.part('cv4'), joined(network, module, halves));
}

/** Max-pools of several sizes side by side. @type {Translate} */
function spp(network, module, inputs) {
  const x = network.run(module.part('cv1'), only(module, inputs));
  const pools = module.part('m').parts();
  const all = [x, ...pools.map((pool) => network.run(pool, x))];
  return network.run(module.part('cv2'), joined(network, module, all));
}

/** Pools one behind the other, which are worth pools of several sizes. */
const POOLS = 3;

/** @type {Translate} */
function sppf(network, module, inputs) {
  if (module.number('n', POOLS) !== POOLS || module.setting('add'))
    module.refuse('has not three pools, or adds its input');
  const all = [network.run(module.part('cv1'), only(module, inputs))];
  const pool = module.part('m');
  for (let i = 0; i < POOLS; i++) all.push(network.run(pool, all[i]));
  return network.run(module.part('cv2'), joined(network, module, all));
}

/** Pixels of each 2×2 block side by side, as before v6.0. @type {Translate} */
function focus(network, module, inputs) {
  const x = only(module, inputs);
  if (x.id !== 0) module.refuse('does not read the picture');
  const size = { channels: 12, height: x.height / 2, width: x.width / 2 };
  return network.run(module.part('conv'), network.add(module.path, [x], { op: 'focus' }, size));
}

/** Half of the channels by a convolution, the other half by a cheap one of those. @type {Translate} */
function ghostConv(network, module, inputs) {
  const x = network.run(module.part('cv1'), only(module, inputs));
  return joined(network, module, [x, network.run(module.part('cv2'), x)]);
}

/** @type {Translate} */
function ghostBottleneck(network, module, inputs) {
  const branches = ['conv', 'shortcut'].map((name) => chain(name)(network, module, inputs));
  return sum(network, module, branches);
}

/** @type {Translate} */
function concat(network, module, inputs) {
  if (module.number('d', 1) !== 1) module.refuse('joins along another axis than channels');
  return joined(network, module, inputs);
}

/** @param {number} first @param {number} count */
const consecutive = (first, count) => Array.from({ length: count }, (_, i) => first + i);

/** YOLOv5-Lite's unit: two branches, or one beside what it reads, whose channels then take turns. @type {Translate} */
function shuffleBlock(network, module, inputs) {
  const x = only(module, inputs);
  const take = (/** @type {number[]} */ channels) =>
    network.add(module.path, [x], { op: 'select', channels }, { channels: channels.length });
  const strided = module.number('stride', 0) !== 1;
  const half = Math.ceil(x.channels / 2);
  const first = strided ? network.run(module.part('branch1'), x) : take(consecutive(0, half));
  const rest = strided ? x : take(consecutive(half, x.channels - half));
  const both = joined(network, module, [first, network.run(module.part('branch2'), rest)]);
  const each = both.channels / 2;
  const channels = consecutive(0, both.channels).map((i) => (i % 2) * each + Math.floor(i / 2));
  if (!Number.isInteger(each)) module.refuse('shuffles an odd number of channels');
  return network.add(module.path, [both], { op: 'select', channels });
}

/** A depthwise convolution and one of 1×1, ReLU behind both. @type {Translate} */
function depthwiseBlock(network, module, inputs) {
  return [1, 2].reduce(
    (x, i) => {
      const y = chain(`conv${i}`, `bn${i}?`)(network, module, [x]);
      return network.add(module.path, [y], { op: 'relu' });
    },
    only(module, inputs),
  );
}

/** @type {Translate} */
function add(network, module, inputs) {
  if (inputs.length !== 2 || module.number('a', 1) !== 1) module.refuse('weighs what it adds');
  return sum(network, module, inputs);
}

/** Squeeze-and-excitation; what ends it was first a hard sigmoid, later SiLU. @type {Translate} */
function squeeze(network, module, inputs) {
  const x = only(module, inputs);
  const gate = module.maybe('hardsigmoid') ? 'hardsigmoid' : 'SiLU';
  const by = chain('avg_pool', 'conv1', 'relu', 'conv2', gate)(network, module, [x]);
  if (by.channels !== x.channels) module.refuse('yields another number of channels');
  return network.add(module.path, [x, by], { op: 'scale' });
}

/** @type {Map<string, Translate>} */
export const BLOCKS = new Map(
  Object.entries({
    ...LAYERS,
    // YOLOv5
    Bottleneck: bottleneck,
    BottleneckCSP: csp,
    C2: c2, // YOLOv8
    C2f: c2f,
    C3: c3,
    C3Ghost: c3,
    C3SPP: c3,
    C3x: c3,
    Concat: concat,
    Conv: chain('conv', 'bn?', 'act'),
    CrossConv: bottleneck,
    DWConv: chain('conv', 'bn?', 'act'),
    Focus: focus,
    GhostBottleneck: ghostBottleneck,
    GhostConv: ghostConv,
    Proto: chain('cv1', 'upsample', 'cv2', 'cv3'),
    SPP: spp,
    SPPF: sppf,
    // YOLOv5-Lite
    ADD: add,
    CBH: chain('conv', 'bn?', 'hardswish'),
    DWConvblock: depthwiseBlock,
    Dense: chain('dense_conv', 'hardswish', 'dropout'),
    ES_SEModule: squeeze,
    LC_Block: chain('dw_conv', 'se?', 'pw_conv'),
    LC_SEModule: squeeze,
    Shuffle_Block: shuffleBlock,
    conv_bn_relu_maxpool: chain('conv', 'maxpool'),
    stem: chain('conv'),
  }),
);
