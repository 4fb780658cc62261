// Backbone and neck of YOLOv5-Lite's e, s, c and g, with random weights: ShuffleNet, PP-LCNet, RepVGG.

import { RESIDUAL_GAIN } from './random-layers.js';

/**
 * @typedef {import('./random-layers.js').RandomLayers} RandomLayers
 * @typedef {import('./random-layers.js').Feature} Feature
 * @typedef {(layers: RandomLayers) => Feature[]} Trunk what the heads read, finest first
 */

/** @type {Feature} */
const PICTURE = { tensor: 0, channels: 3 };
/** Of what follows a squeeze, whose factors are about a half. */
const SQUEEZED_GAIN = 2;

/** @param {number} first @param {number} count */
const consecutive = (first, count) => Array.from({ length: count }, (_, i) => first + i);

/**
 * A depthwise convolution and one of 1×1, ReLU behind both.
 * @param {RandomLayers} layers
 * @param {string} name
 * @param {Feature} input
 * @param {number} outputs
 * @param {{stride?: number, gain?: number}} [how]
 */
function separable(layers, name, input, outputs, { stride = 1, gain = 1 } = {}) {
  const by = layers.depthwise(`${name}.conv1`, input, { side: 3, stride, curve: 'relu' });
  return layers.conv(`${name}.conv2`, by, outputs, { curve: 'relu', gain });
}

/** @param {RandomLayers} layers @param {string} name @param {Feature} input @param {number} stride */
function shuffleBranch(layers, name, input, stride, outputs = input.channels) {
  const narrow = layers.conv(`${name}.0`, input, outputs, { curve: 'relu' });
  const by = layers.depthwise(`${name}.3`, narrow, { side: 3, stride, curve: null });
  return layers.conv(`${name}.5`, by, outputs, { curve: 'relu' });
}

/**
 * A unit of ShuffleNet v2: two branches, or one beside what it reads, whose channels then take turns.
 * @param {RandomLayers} layers
 * @param {string} name
 * @param {Feature} input
 * @param {number} outputs
 * @param {number} stride
 */
function shuffle(layers, name, input, outputs, stride) {
  const half = outputs / 2;
  /** @type {Feature[]} */
  const branches = [];
  if (stride > 1) {
    const by = layers.depthwise(`${name}.branch1.0`, input, { side: 3, stride, curve: null });
    branches.push(layers.conv(`${name}.branch1.2`, by, half, { curve: 'relu' }));
    branches.push(shuffleBranch(layers, `${name}.branch2`, input, stride, half));
  } else {
    const [first, rest] = [0, half].map((at) => layers.select(name, input, consecutive(at, half)));
    branches.push(first, shuffleBranch(layers, `${name}.branch2`, rest, stride));
  }
  const turns = consecutive(0, outputs).map((i) => (i % 2) * half + (i >> 1));
  return layers.select(name, layers.concat(name, branches), turns);
}

/** @param {RandomLayers} layers @param {number} last units of the last stage */
function shuffleNet(layers, last) {
  const stem = layers.conv('model.0', PICTURE, 32, { side: 3, stride: 2, curve: 'relu' });
  let x = layers.pool('model.0.maxpool', stem, 3, 2);
  const stages = [
    { width: 120, count: 3 },
    { width: 232, count: 7 },
    { width: 464, count: last },
  ];
  return stages.map(({ width, count }, stage) => {
    x = shuffle(layers, `model.${2 * stage + 1}`, x, width, 2);
    for (let i = 0; i < count; i++) x = shuffle(layers, `model.${2 * stage + 2}.${i}`, x, width, 1);
    return x;
  });
}

/** @type {Trunk} */
export function liteE(layers) {
  const [p3, p4, p5] = shuffleNet(layers, 1);
  const width = 96;
  const top = layers.conv('model.7', p5, width);
  const both = layers.concat('model.9', [layers.enlarge('model.8', top), p4]);
  const low = layers.conv('model.11', separable(layers, 'model.10', both, width), width);
  const fine = separable(
    layers,
    'model.14',
    layers.concat('model.13', [layers.enlarge('model.12', low), p3]),
    width,
  );
  const how = { stride: 2, gain: RESIDUAL_GAIN };
  const down = (/** @type {number} */ index, /** @type {Feature} */ x, /** @type {Feature} */ y) =>
    layers.sum(`model.${index + 1}`, y, separable(layers, `model.${index}`, x, width, how));
  const mid = separable(layers, 'model.17', down(15, fine, low), width);
  return [fine, mid, separable(layers, 'model.20', down(18, mid, top), width)];
}

/**
 * A neck of C3s, up and down again.
 * @param {RandomLayers} layers
 * @param {Feature[]} stages of the backbone
 * @param {object} how
 * @param {number} how.index of its first module
 * @param {number[]} how.widths of the two convolutions upwards, then of the C3s, finest first
 * @param {number} [how.count] of bottlenecks
 * @param {(name: string, x: Feature) => Feature} how.down halves the size
 */
function neck(layers, [p3, p4, p5], { index, widths, count = 1, down }) {
  const name = (/** @type {number} */ k) => `model.${index + k}`;
  const join = (
    /** @type {number} */ k,
    /** @type {Feature[]} */ parts,
    /** @type {number} */ width,
  ) => layers.c3(name(k), layers.concat(name(k - 1), parts), width, { count });
  const top = layers.conv(name(0), p5, widths[0]);
  const middle = join(3, [layers.enlarge(name(1), top), p4], widths[0]);
  const low = layers.conv(name(4), middle, widths[1]);
  const fine = join(7, [layers.enlarge(name(5), low), p3], widths[2]);
  const mid = join(10, [down(name(8), fine), low], widths[3]);
  return [fine, mid, join(13, [down(name(11), mid), top], widths[4])];
}

/** @param {RandomLayers} layers @returns {(name: string, x: Feature) => Feature} of 3×3, as many channels */
const strided = (layers) => (name, x) => layers.conv(name, x, x.channels, { side: 3, stride: 2 });

/** @type {Trunk} */
export function liteS(layers) {
  const widths = [128, 64, 64, 128, 256];
  return neck(layers, shuffleNet(layers, 3), { index: 7, widths, down: strided(layers) });
}

/** PP-LCNet's blocks: output channels, stride, side of the kernel, squeeze-and-excitation. */
const LC_BLOCKS = /** @type {const} */ ([
  [64, 2, 3, false],
  [64, 1, 3, false],
  [128, 2, 3, false],
  ...Array(3).fill([128, 1, 3, false]),
  [256, 2, 3, false],
  ...Array(5).fill([256, 1, 5, false]),
  [512, 2, 5, true],
  ...Array(3).fill([512, 1, 5, true]),
]);

/**
 * @param {RandomLayers} layers
 * @param {string} name
 * @param {Feature} input
 * @param {readonly [number, number, number, boolean]} block
 */
function lcBlock(layers, name, input, [outputs, stride, side, squeezes]) {
  const curve = 'hardswish';
  const by = layers.depthwise(`${name}.dw_conv`, input, { side, stride, curve });
  const x = squeezes ? squeeze(layers, `${name}.se`, by) : by;
  return layers.conv(`${name}.pw_conv`, x, outputs, { curve, gain: squeezes ? SQUEEZED_GAIN : 1 });
}

/** @param {RandomLayers} layers @param {string} name @param {Feature} input @returns {Feature} */
function squeeze(layers, name, { tensor, channels }) {
  const mean = { tensor: layers.graph.add(name, [tensor], { op: 'average' }), channels };
  const few = layers.conv(`${name}.conv1`, mean, channels / 4, { curve: 'relu' });
  const share = layers.conv(`${name}.conv2`, few, channels, { curve: 'hardsigmoid' });
  return { tensor: layers.graph.add(name, [tensor, share.tensor], { op: 'scale' }), channels };
}

/** @type {Trunk} */
export function liteC(layers) {
  const stem = { side: 3, stride: 2, curve: /** @type {const} */ ('hardswish') };
  const features = [layers.conv('model.0', PICTURE, 32, stem)];
  for (const [i, block] of LC_BLOCKS.entries())
    features.push(lcBlock(layers, `model.${i + 1}`, features[i], block));
  const last = features[LC_BLOCKS.length];
  const dense = layers.conv('model.17', last, last.channels, { curve: 'hardswish' });
  return neck(layers, [features[6], features[12], dense], {
    index: 18,
    widths: [256, 128, 128, 256, 512],
    down: (name, x) => lcBlock(layers, name, x, [x.channels, 2, 5, true]),
  });
}

/** @type {Trunk} */
export function liteG(layers) {
  const pixels = layers.focus('model.0');
  const down = (
    /** @type {number} */ index,
    /** @type {Feature} */ x,
    /** @type {number} */ width,
  ) => layers.conv(`model.${index}`, x, width, { side: 3, stride: 2 });
  const c3 = (/** @type {number} */ index, /** @type {Feature} */ x, count = 1, residual = true) =>
    layers.c3(`model.${index}`, x, x.channels, { count, residual });
  const p2 = c3(2, down(1, layers.conv('model.0.conv', pixels, 32, { side: 3 }), 64));
  const p3 = c3(4, down(3, p2, 128), 3);
  const p4 = c3(6, down(5, p3, 256), 3);
  const half = layers.conv('model.8.cv1', down(7, p4, 512), 256);
  const pools = [5, 9, 13].map((side) => layers.pool(`model.8.m.${side}`, half, side));
  const both = layers.concat('model.8', [half, ...pools]);
  const p5 = c3(9, layers.conv('model.8.cv2', both, 512), 1, false);
  const widths = [128, 128, 128, 128, 128];
  return neck(layers, [p3, p4, p5], { index: 10, widths, count: 3, down: strided(layers) });
}
