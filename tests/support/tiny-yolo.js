// A YOLOv5 of a few channels as an ONNX file, spelled as the exporters of v5.0, v6 and v7 spell theirs.

import { ACTIVATIONS, GATES } from './onnx-activations.js';
import { FLOAT, FLOAT16, INT64, OnnxBuilder } from './onnx-builder.js';
import { paddedPool, transposed } from './onnx-enlarging.js';

/**
 * @typedef {object} Options
 * @property {number} [opset]
 * @property {boolean} [half] fp16 constants
 * @property {boolean} [dynamic] height and width open, shapes and grids computed in the graph
 * @property {boolean} [open] height and width open, though the grids are built in
 * @property {boolean} [focus] the stem of v5.0
 * @property {boolean} [batchNorm] not yet folded into the convolutions
 * @property {keyof typeof ACTIVATIONS} [activation]
 * @property {boolean} [scatter] boxes decoded in place, as before v5.0's `inplace` switch
 * @property {boolean} [raw] not decoded at all
 * @property {'Slice' | 'Split'} [shuffle] a unit of YOLOv5-Lite, its halves cut this way
 * @property {Squeeze} [squeeze] squeeze-and-excitation as YOLOv5-Lite c has it
 * @property {boolean} [transposed] upsampling by a convolution
 * @property {boolean} [padded] zeros and a max-pool behind the coarsest map, as yolov3-tiny has them
 * @property {number} [classes]
 * @property {number} [size]
 * @property {4 | 8 | 16} [finest] stride
 * @property {[number, number][][]} [anchors]
 * @property {string} [names] metadata
 * @property {Rounding} [rounding] of every activated tensor and sum, as trained
 *
 * @typedef {'GlobalAveragePool' | 'ReduceMean' | 'AveragePool'} Mean
 * @typedef {{mean: Mean, gate: keyof typeof GATES}} Squeeze in these spellings
 * @typedef {{scale: number, zeroPoint: number, undo?: number}} Rounding `undo`: the scale of DequantizeLinear
 */

/** @type {Required<Pick<Options, 'anchors'>>['anchors']} */
export const ANCHORS = [
  [
    [10, 13],
    [16, 30],
    [33, 23],
  ],
  [
    [30, 61],
    [62, 45],
    [59, 119],
  ],
  [
    [116, 90],
    [156, 198],
    [373, 326],
  ],
];

const WIDTH = 8;

/**
 * Weights that differ from each other and repeat from run to run.
 * @param {number} count
 * @param {number} seed
 */
function numbers(count, seed) {
  return Array.from(
    { length: count },
    (_, i) => (((i + 1) * 2654435761 + seed * 97) % 2000) / 2000 - 0.5,
  );
}

/** @param {Options} [options] @returns {Uint8Array} */
export function tinyYolo(options = {}) {
  return tinyYoloBuilder(options).finish();
}

/** @param {Options} [options] */
export function tinyYoloBuilder(options = {}) {
  const { opset = 12, half = false, dynamic, open, size = 64, names, raw = false } = options;
  const b = new OnnxBuilder({ opset, type: half ? FLOAT16 : FLOAT });
  b.inputs.push({
    name: 'images',
    type: b.type,
    dims: dynamic || open ? ['batch', 3, 'height', 'width'] : [1, 3, size, size],
  });
  if (names) b.metadata.names = names;
  const features = trunk(b, options);
  const channels = 3 * (5 + (options.classes ?? 2));
  const logits = features.map((x) => conv(b, x, WIDTH, channels, 1, 1));
  if (raw) {
    b.outputs = logits;
    return b;
  }
  const boxes = logits.map((x, scale) => decode(b, x, scale, options));
  b.outputs = [b.node('Concat', boxes, { axis: 1 })];
  return b;
}

/** The convolution that sees the picture, by the finest stride: its kernel and stride. */
const STEMS = { 4: [3, 1], 8: [6, 2], 16: [6, 4] };

/** The maps at three strides. @param {OnnxBuilder} b @param {Options} options */
function trunk(b, options) {
  const { finest = 8 } = options;
  const x2 = options.focus
    ? block(b, focus(b), 12, WIDTH, 3, 1, options)
    : block(b, 'images', 3, WIDTH, STEMS[finest][0], STEMS[finest][1], options);
  const x4 = block(b, x2, WIDTH, WIDTH, 3, 2, options);
  const plain = block(b, x4, WIDTH, WIDTH, 3, 2, options);
  const shuffled = options.shuffle ? liteUnit(b, plain, options) : plain;
  const x8 = options.squeeze ? squeezed(b, shuffled, options.squeeze, options) : shuffled;
  const x16 = bottleneck(b, block(b, x8, WIDTH, WIDTH, 3, 2, options), options);
  const top = pyramid(b, block(b, x16, WIDTH, WIDTH, 3, 2, options), options);
  const x32 = options.padded ? paddedPool(b, top) : top;
  const large = options.transposed ? transposed(b, x32, WIDTH) : upsample(b, x32, options);
  const up = b.node('Concat', [large, x16], { axis: 1 });
  return [x8, block(b, up, 2 * WIDTH, WIDTH, 1, 1, options), x32];
}

/** @param {OnnxBuilder} b @param {string} x @param {Options} options */
function bottleneck(b, x, options) {
  const y = block(b, x, WIDTH, WIDTH, 3, 1, { ...options, rounding: undefined });
  return rounded(b, b.node('Add', [x, y]), options);
}

/** @param {OnnxBuilder} b @param {string} x @param {Options} options */
function rounded(b, x, { rounding }) {
  if (!rounding) return x;
  const { scale, zeroPoint, undo = scale } = rounding;
  const zero = b.byte(zeroPoint);
  const bytes = b.node('QuantizeLinear', [x, b.reals([scale], []), zero]);
  return b.node('DequantizeLinear', [bytes, b.reals([undo], []), zero]);
}

/**
 * One half passes, the other goes through a depthwise convolution; their channels take turns.
 * @param {OnnxBuilder} b
 * @param {string} x
 * @param {Options} options
 */
function liteUnit(b, x, options) {
  const half = WIDTH / 2;
  const side = (options.size ?? 64) / 8;
  const [first, second] = halves(b, x, half, options);
  const point = (/** @type {string} */ y) => block(b, y, half, half, 1, 1, options);
  const branch = point(conv(b, point(second), half, half, 3, 1, { groups: half }));
  const joined = b.node('Concat', [first, branch], { axis: 1 });
  const split = b.node('Reshape', [joined, b.integers([1, 2, half, side, side])]);
  const turned = b.node('Transpose', [split], { perm: [0, 2, 1, 3, 4] });
  return b.node('Reshape', [turned, b.integers([1, -1, side, side])]);
}

/** @param {OnnxBuilder} b @param {string} x @param {Squeeze} squeeze @param {Options} options */
function squeezed(b, x, { mean, gate }, { size = 64, opset = 12 }) {
  const side = size / 8;
  /** @type {Record<string, () => string>} */
  const means = {
    GlobalAveragePool: () => b.node(mean, [x]),
    AveragePool: () => b.node(mean, [x], { kernel_shape: [side, side], strides: [side, side] }),
    ReduceMean: () =>
      opset < 18
        ? b.node(mean, [x], { axes: [2, 3], keepdims: 1 })
        : b.node(mean, [x, b.integers([-1, -2])], { keepdims: 1 }),
  };
  const narrow = b.node('Relu', [conv(b, means[mean](), WIDTH, WIDTH / 4, 1, 1)]);
  const by = GATES[gate](b, conv(b, narrow, WIDTH / 4, WIDTH, 1, 1));
  return b.node('Mul', gate === 'silu' ? [by, x] : [x, by]);
}

/** @param {OnnxBuilder} b @param {string} x @param {number} half @param {Options} options */
function halves(b, x, half, { shuffle, opset = 12 }) {
  if (shuffle === 'Split') {
    const sizes = [half, half];
    const name =
      opset < 13
        ? b.node('Split', [x], { axis: 1, split: sizes }, 2)
        : b.node('Split', [x, b.integers(sizes)], { axis: 1 }, 2);
    return [name, `${name}_1`];
  }
  const cut = (/** @type {number[]} */ ...numbers) =>
    b.node('Slice', [x, ...numbers.map((one) => b.integers([one]))]);
  return [cut(0, half, 1), cut(half, 2 * half, 1)];
}

/** SPP. @param {OnnxBuilder} b @param {string} x @param {Options} options */
function pyramid(b, x, options) {
  const pools = [3, 5].map((kernel) => {
    const pads = new Array(4).fill((kernel - 1) / 2);
    return b.node('MaxPool', [x], {
      kernel_shape: [kernel, kernel],
      pads,
      strides: [1, 1],
      ceil_mode: 0,
    });
  });
  return block(b, b.node('Concat', [x, ...pools], { axis: 1 }), 3 * WIDTH, WIDTH, 1, 1, options);
}

/** @param {OnnxBuilder} b */
function focus(b) {
  const last = 2 ** 62;
  const every = (
    /** @type {string} */ x,
    /** @type {number} */ axis,
    /** @type {number} */ start,
  ) =>
    b.node('Slice', [
      x,
      b.integers([start]),
      b.integers([last]),
      b.integers([axis]),
      b.integers([2]),
    ]);
  const parts = [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ].map(([y, x]) => every(every('images', 2, y), 3, x));
  return b.node('Concat', parts, { axis: 1 });
}

/**
 * @param {OnnxBuilder} b
 * @param {string} x
 * @param {number} cin
 * @param {number} cout
 * @param {number} kernel
 * @param {number} stride
 * @param {{bias?: boolean, groups?: number}} [options]
 */
export function conv(b, x, cin, cout, kernel, stride, { bias = true, groups = 1 } = {}) {
  const seed = b.nodes.length;
  const each = cin / groups;
  const shape = [cout, each, kernel, kernel];
  const weight = b.reals(numbers(cout * each * kernel * kernel, seed), shape);
  const inputs = bias ? [x, weight, b.reals(numbers(cout, seed + 1))] : [x, weight];
  const pads = new Array(4).fill(Math.floor((kernel - 1) / 2));
  return b.node('Conv', inputs, {
    dilations: [1, 1],
    group: groups,
    kernel_shape: [kernel, kernel],
    pads,
    strides: [stride, stride],
  });
}

/**
 * Convolution, perhaps batch norm, activation.
 * @param {OnnxBuilder} b
 * @param {string} x
 * @param {number} cin
 * @param {number} cout
 * @param {number} kernel
 * @param {number} stride
 * @param {Options} options
 */
function block(b, x, cin, cout, kernel, stride, options) {
  const { batchNorm = false, activation = 'silu' } = options;
  let y = conv(b, x, cin, cout, kernel, stride, { bias: !batchNorm });
  if (batchNorm) {
    const seed = b.nodes.length;
    const [gamma, beta, mean] = [1, 2, 3].map((i) => b.reals(numbers(cout, seed + i)));
    const variance = b.reals(numbers(cout, seed + 4).map((v) => v + 1));
    y = b.node('BatchNormalization', [y, gamma, beta, mean, variance], { epsilon: 0.001 });
  }
  return rounded(b, ACTIVATIONS[activation](b, y), options);
}

/** @param {OnnxBuilder} b @param {string} x @param {Options} options */
function upsample(b, x, { opset = 12, dynamic = false }) {
  const roi = opset < 13 ? b.reals([]) : '';
  const asymmetric = {
    mode: 'nearest',
    nearest_mode: 'floor',
    coordinate_transformation_mode: 'asymmetric',
  };
  const scales = () =>
    b.node('Constant', [], { value: { dims: [4], type: FLOAT, values: [1, 1, 2, 2] } });
  if (!dynamic) return b.node('Resize', [x, roi, scales()], asymmetric);
  const size = [2, 3].map((axis) => {
    const side = b.node('Gather', [b.node('Shape', [x]), b.integers([axis], [])], { axis: 0 });
    const twice = b.node('Mul', [b.node('Cast', [side], { to: FLOAT }), floatConstant(b, 2)]);
    return unsqueeze(b, b.node('Cast', [b.node('Floor', [twice])], { to: INT64 }), opset);
  });
  const head = b.node('Slice', [
    b.node('Shape', [x]),
    b.integers([0]),
    b.integers([2]),
    b.integers([0]),
  ]);
  const sizes = b.node('Concat', [head, ...size], { axis: 0 });
  return b.node('Resize', [x, roi, opset < 13 ? b.reals([]) : '', sizes], asymmetric);
}

/** A constant that is float32 whatever the model is. @param {OnnxBuilder} b @param {number} value */
function floatConstant(b, value) {
  return b.node('Constant', [], { value: { dims: [], type: FLOAT, values: [value] } });
}

/** @param {OnnxBuilder} b @param {string} x @param {number} opset @param {number} [axis] */
function unsqueeze(b, x, opset, axis = 0) {
  if (opset < 13) return b.node('Unsqueeze', [x], { axes: [axis] });
  return b.node('Unsqueeze', [x, b.integers([axis])]);
}

/**
 * The cells of a scale: baked in, or computed from the shape of the map.
 * @param {OnnxBuilder} b
 * @param {string} x
 * @param {number} scale
 * @param {Options} options
 */
function cellsOf(b, x, scale, { dynamic = false, size = 64, opset = 12, finest = 8 }) {
  const side = size / (finest << scale);
  if (!dynamic) return { ny: b.integers([side]), nx: b.integers([side]), grid: bakedGrid(b, side) };
  const [ny, nx] = [2, 3].map((axis) =>
    unsqueeze(
      b,
      b.node('Gather', [b.node('Shape', [x]), b.integers([axis], [])], { axis: 0 }),
      opset,
    ),
  );
  const shape = b.node('Concat', [b.integers([1, 3]), ny, nx, b.integers([1])], { axis: 0 });
  const [ys, xs] = [ny, nx].map((n, i) => {
    const scalar =
      opset < 13 ? b.node('Squeeze', [n], { axes: [0] }) : b.node('Squeeze', [n, b.integers([0])]);
    const line = b.node('Range', [b.integers([0], []), scalar, b.integers([1], [])]);
    const view = b.node('Reshape', [
      line,
      b.integers(i === 0 ? [1, 1, -1, 1, 1] : [1, 1, 1, -1, 1]),
    ]);
    return b.node('Expand', [b.node('Cast', [view], { to: b.type }), shape]);
  });
  const grid = b.node('Sub', [b.node('Concat', [xs, ys], { axis: 4 }), b.reals([0.5], [])]);
  return { ny, nx, grid };
}

/** @param {OnnxBuilder} b @param {number} side */
function bakedGrid(b, side) {
  const grid = [];
  for (let anchor = 0; anchor < 3; anchor++) {
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) grid.push(x - 0.5, y - 0.5);
  }
  return b.reals(grid, [1, 3, side, side, 2]);
}

/**
 * @param {OnnxBuilder} b
 * @param {string} logits
 * @param {number} scale
 * @param {Options} options
 */
function decode(b, logits, scale, options) {
  const { classes = 2, anchors = ANCHORS, opset = 12, scatter = false, finest = 8 } = options;
  const columns = 5 + classes;
  const { ny, nx, grid } = cellsOf(b, logits, scale, options);
  const shape = b.node('Concat', [b.integers([1, 3, columns]), ny, nx], { axis: 0 });
  const split = b.node('Reshape', [logits, shape]);
  const y = b.node('Sigmoid', [b.node('Transpose', [split], { perm: [0, 1, 3, 4, 2] })]);
  const anchor = b.reals(anchors[scale].flat(), [1, 3, 1, 1, 2]);
  const stride = b.reals([finest << scale], []);
  const place = (/** @type {string} */ xy) =>
    b.node('Mul', [b.node('Add', [b.node('Mul', [xy, b.reals([2], [])]), grid]), stride]);
  const measure = (/** @type {string} */ wh) =>
    b.node('Mul', [
      b.node('Pow', [b.node('Mul', [wh, b.reals([2], [])]), b.reals([2], [])]),
      anchor,
    ]);
  const flat = (/** @type {string} */ x) => b.node('Reshape', [x, b.integers([1, -1, columns])]);
  if (scatter) return flat(inPlace(b, y, place, measure, (options.size ?? 64) / (finest << scale)));
  const sizes = [2, 2, columns - 4];
  /** @type {Record<string, number | number[]>} */
  const parts = opset < 13 ? { axis: 4, split: sizes } : { axis: 4 };
  const xy = b.node('Split', opset < 13 ? [y] : [y, b.integers(sizes)], parts, 3);
  return flat(b.node('Concat', [place(xy), measure(`${xy}_1`), `${xy}_2`], { axis: 4 }));
}

/**
 * y[..., 0:2] = place(…); y[..., 2:4] = measure(…)
 * @param {OnnxBuilder} b
 * @param {string} y
 * @param {(x: string) => string} place
 * @param {(x: string) => string} measure
 * @param {number} side of the map
 */
function inPlace(b, y, place, measure, side) {
  const cut = (/** @type {number} */ from) =>
    b.node('Slice', [y, b.integers([from]), b.integers([from + 2]), b.integers([4])]);
  const indices = (/** @type {number} */ from) => {
    const list = [];
    for (let i = 0; i < 3 * side * side * 2; i++) {
      const cell = i >> 1;
      const [anchor, row] = [Math.floor(cell / (side * side)), Math.floor(cell / side) % side];
      list.push(0, anchor, row, cell % side, from + (i & 1));
    }
    return b.integers(list, [1, 3, side, side, 2, 5]);
  };
  const placed = b.node('ScatterND', [y, indices(0), place(cut(0))]);
  return b.node('ScatterND', [placed, indices(2), measure(cut(2))]);
}
