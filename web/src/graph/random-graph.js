// The float graph of a YOLOv5 (v6) with random weights: it costs what a trained one costs and finds nothing.

import { WispError } from '../error.js';
import { FloatGraphBuilder } from './float-graph.js';
import { RandomNumbers } from './random-numbers.js';

/** Depth and width of each member of the family, as multiples of yolov5l's. @type {Record<string, [number, number]>} */
const SCALES = {
  yolov5n: [0.33, 0.25],
  yolov5s: [0.33, 0.5],
  yolov5m: [0.67, 0.75],
  yolov5l: [1, 1],
  yolov5x: [1.33, 1.25],
};
export const randomNames = Object.keys(SCALES);

const CLASSES = 80;
/** @type {[number, number][][]} YOLOv5's own for COCO, by stride: [width, height] in pixels of the input */
const ANCHORS = [
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
const STRIDES = [8, 16, 32];
const LARGEST_STRIDE = 32;

/** Keeps the spread of SiLU's inputs from layer to layer. */
const SILU_GAIN = 1.68;
/** Of what a bottleneck adds to its input, so that chains of them do not grow. */
const RESIDUAL_GAIN = 0.4;
/** Between the output channels of a layer: deviation of the logarithm of their weights' spread. */
const CHANNEL_SPREAD = 0.25;
const BIAS_SPREAD = 0.1;
/** Of the logits. Whatever the best class of a box is, it is almost certain, so that objectness decides. */
const OBJECTNESS_MEAN = -6;
const CLASS_MEAN = 3;

/**
 * @param {string} name yolov5n, yolov5s, yolov5m, yolov5l or yolov5x
 * @param {{size?: number | {width: number, height: number}, seed?: number}} [options]
 * @returns {import('./float-graph.js').FloatGraph}
 */
export function randomGraph(name, { size = 640, seed = 1 } = {}) {
  const scale = Object.hasOwn(SCALES, name) ? SCALES[name] : undefined;
  if (!scale) {
    const sentence = `There is no random network "${name}"; there is ${randomNames.join(', ')}.`;
    throw new WispError('WISP_ERR_ARGUMENT', sentence);
  }
  const drawing = new Drawing(scale, new RandomNumbers(seed));
  const scales = drawing.trunk();
  const heads = scales.map((feature, i) => ({
    tensor: drawing.head(`model.24.m.${i}`, feature, ANCHORS[i].length),
    stride: STRIDES[i],
    anchors: ANCHORS[i],
  }));
  return {
    input: inputSize(size),
    nodes: drawing.graph.nodesFor(heads.map(({ tensor }) => tensor)),
    heads,
    classes: Array.from({ length: CLASSES }, (_, i) => `class${i}`),
    source: { format: `random weights in the shape of ${name}, seed ${seed}`, producer: 'wisp' },
  };
}

/** @param {number | {width: number, height: number}} size */
function inputSize(size) {
  const { width, height } = typeof size === 'number' ? { width: size, height: size } : size;
  const fits = [width, height].every((side) => side > 0 && side % LARGEST_STRIDE === 0);
  if (fits) return { height, width };
  const sentence = `The sides of the input are multiples of ${LARGEST_STRIDE}, not ${width} × ${height}.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}

/** @typedef {{tensor: number, channels: number}} Feature */

/** Draws the modules of a YOLOv5 under the names that they have there. */
class Drawing {
  graph = new FloatGraphBuilder();
  #depth;
  #width;
  #numbers;

  /** @param {[number, number]} scale @param {RandomNumbers} numbers */
  constructor([depth, width], numbers) {
    this.#depth = depth;
    this.#width = width;
    this.#numbers = numbers;
  }

  /** Backbone and neck. @returns {Feature[]} what the heads read, finest first */
  trunk() {
    const stem = this.#conv('model.0', { tensor: 0, channels: 3 }, this.#wide(64), 6, 2);
    const p2 = this.#down(1, stem, 128, 3);
    const p3 = this.#down(3, p2, 256, 6);
    const p4 = this.#down(5, p3, 512, 9);
    const p5 = this.#pyramid('model.9', this.#down(7, p4, 1024, 3));
    const top = this.#conv('model.10', p5, this.#wide(512), 1);
    const middle = this.#meet(13, this.#enlarge('model.11', top), p4, 512);
    const low = this.#conv('model.14', middle, this.#wide(256), 1);
    const fine = this.#meet(17, this.#enlarge('model.15', low), p3, 256);
    const mid = this.#meet(20, this.#conv('model.18', fine, this.#wide(256), 3, 2), low, 512);
    const coarse = this.#meet(23, this.#conv('model.21', mid, this.#wide(512), 3, 2), top, 1024);
    return [fine, mid, coarse];
  }

  /** @param {string} name @param {Feature} input @param {number} anchors */
  head(name, input, anchors) {
    const fields = 5 + CLASSES; // x y width height objectness classes
    const conv = this.#draw([input.channels, anchors * fields], 1, 1, 1);
    for (let output = 0; output < anchors * fields; output++) {
      const field = output % fields;
      if (field < 4) continue;
      conv.bias[output] += field === 4 ? OBJECTNESS_MEAN : CLASS_MEAN;
    }
    return this.graph.add(name, [input.tensor], conv);
  }

  /** Channels of the family's l, at this width: a multiple of 8. @param {number} channels */
  #wide(channels) {
    return Math.ceil((channels * this.#width) / 8) * 8;
  }

  /**
   * A stride and a C3 behind it.
   * @param {number} index of the module
   * @param {Feature} input
   * @param {number} channels
   * @param {number} count
   */
  #down(index, input, channels, count) {
    const smaller = this.#conv(`model.${index}`, input, this.#wide(channels), 3, 2);
    return this.#c3(`model.${index + 1}`, smaller, this.#wide(channels), count, true);
  }

  /**
   * A concat and a C3 behind it.
   * @param {number} index of the C3
   * @param {Feature} one
   * @param {Feature} other
   * @param {number} channels
   */
  #meet(index, one, other, channels) {
    const both = this.#concat(`model.${index - 1}`, [one, other]);
    return this.#c3(`model.${index}`, both, this.#wide(channels), 3, false);
  }

  /**
   * @param {string} name
   * @param {Feature} input
   * @param {number} outputs
   * @param {number} count of bottlenecks at the depth of l
   * @param {boolean} residual
   */
  #c3(name, input, outputs, count, residual) {
    const hidden = outputs / 2;
    let chain = this.#conv(`${name}.cv1`, input, hidden, 1);
    for (let i = 0; i < Math.max(1, Math.round(count * this.#depth)); i++) {
      chain = this.#bottleneck(`${name}.m.${i}`, chain, residual);
    }
    const side = this.#conv(`${name}.cv2`, input, hidden, 1);
    return this.#conv(`${name}.cv3`, this.#concat(name, [chain, side]), outputs, 1);
  }

  /** @param {string} name @param {Feature} input @param {boolean} residual */
  #bottleneck(name, input, residual) {
    const { channels } = input;
    const narrow = this.#conv(`${name}.cv1`, input, channels, 1);
    const gain = residual ? RESIDUAL_GAIN : 1;
    const wide = this.#conv(`${name}.cv2`, narrow, channels, 3, 1, gain);
    if (!residual) return wide;
    return { tensor: this.graph.add(name, [input.tensor, wide.tensor], { op: 'add' }), channels };
  }

  /** SPPF: three max-pools in a row, all side by side. @param {string} name @param {Feature} input */
  #pyramid(name, input) {
    const half = this.#conv(`${name}.cv1`, input, input.channels / 2, 1);
    const levels = [half];
    for (let i = 0; i < 3; i++) {
      const { tensor, channels } = levels[i];
      const pooled = this.graph.add(`${name}.m`, [tensor], {
        op: 'maxpool',
        kernel: [5, 5],
        stride: [1, 1],
        pad: [2, 2, 2, 2],
      });
      levels.push({ tensor: pooled, channels });
    }
    return this.#conv(`${name}.cv2`, this.#concat(name, levels), input.channels, 1);
  }

  /** @param {string} name @param {Feature} input @returns {Feature} */
  #enlarge(name, { tensor, channels }) {
    return { tensor: this.graph.add(name, [tensor], { op: 'upsample', factor: [2, 2] }), channels };
  }

  /** @param {string} name @param {Feature[]} parts @returns {Feature} */
  #concat(name, parts) {
    const inputs = parts.map(({ tensor }) => tensor);
    const channels = parts.reduce((sum, part) => sum + part.channels, 0);
    return { tensor: this.graph.add(name, inputs, { op: 'concat' }), channels };
  }

  /**
   * A convolution and its SiLU.
   * @param {string} name
   * @param {Feature} input
   * @param {number} outputs
   * @param {number} kernel
   * @param {number} [stride]
   * @param {number} [gain]
   * @returns {Feature}
   */
  #conv(name, input, outputs, kernel, stride = 1, gain = 1) {
    const conv = this.#draw([input.channels, outputs], kernel, stride, SILU_GAIN * gain);
    const sums = this.graph.add(name, [input.tensor], conv);
    return { tensor: this.graph.add(`${name}.act`, [sums], { op: 'silu' }), channels: outputs };
  }

  /**
   * @param {[number, number]} channels in, out
   * @param {number} side of the kernel
   * @param {number} step
   * @param {number} gain
   * @returns {import('./float-graph.js').Conv & {bias: Float32Array}}
   */
  #draw(channels, side, step, gain) {
    const [inputs, outputs] = channels;
    const taps = inputs * side * side;
    const weight = new Float32Array(outputs * taps);
    for (let output = 0; output < outputs; output++) {
      const scale = Math.exp(CHANNEL_SPREAD * this.#numbers.normal());
      const spread = (gain * scale) / Math.sqrt(taps);
      const filter = weight.subarray(output * taps, (output + 1) * taps);
      filter.forEach((_, i) => {
        filter[i] = spread * this.#numbers.normal();
      });
      level(filter);
    }
    const bias = Float32Array.from({ length: outputs }, () => BIAS_SPREAD * this.#numbers.normal());
    const edge = side === 6 ? 2 : side >> 1; // the stem's kernel is even
    /** @type {[number, number]} */
    const kernel = [side, side];
    /** @type {[number, number, number, number]} */
    const pad = [edge, edge, edge, edge];
    return { op: 'conv', weight, bias, channels, kernel, stride: [step, step], pad, groups: 1 };
  }
}

/** Without its mean, differences in the picture decide, not its brightness. @param {Float32Array} filter */
function level(filter) {
  const mean = filter.reduce((sum, value) => sum + value, 0) / filter.length;
  filter.forEach((value, i) => {
    filter[i] = value - mean;
  });
}
