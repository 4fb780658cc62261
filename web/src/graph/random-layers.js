// Layers with random weights, of which random networks are drawn: the spread of features stays from layer to layer.

import { FloatGraphBuilder } from './float-graph.js';

/**
 * @typedef {import('./random-numbers.js').RandomNumbers} RandomNumbers
 * @typedef {'silu' | 'relu' | 'hardswish' | 'hardsigmoid'} Curve
 * @typedef {{tensor: number, channels: number}} Feature
 *
 * @typedef {object} Shape of a convolution
 * @property {number} [side] of the kernel; 1
 * @property {number} [stride] 1
 * @property {number} [gain] of its outputs, over what keeps their spread; 1
 * @property {boolean} [depthwise]
 * @property {Curve | null} [curve] behind it; SiLU
 */

/** Keeps the spread of an activation's inputs from layer to layer. */
const GAINS = { silu: 1.68, relu: Math.SQRT2, hardswish: 1.68, hardsigmoid: 1 };
/** Of what is added to another feature, so that chains of them do not grow. */
export const RESIDUAL_GAIN = 0.4;
/** Between the output channels of a layer: deviation of the logarithm of their weights' spread. */
const CHANNEL_SPREAD = 0.25;
const BIAS_SPREAD = 0.1;

export class RandomLayers {
  graph = new FloatGraphBuilder();
  #numbers;

  /** @param {RandomNumbers} numbers */
  constructor(numbers) {
    this.#numbers = numbers;
  }

  /**
   * A convolution and what follows it.
   * @param {string} name
   * @param {Feature} input
   * @param {number} outputs
   * @param {Shape} [shape]
   * @returns {Feature}
   */
  conv(name, input, outputs, { curve = 'silu', gain = 1, ...shape } = {}) {
    const due = (curve ? GAINS[curve] : 1) * gain;
    const conv = this.draw([input.channels, outputs], { ...shape, gain: due });
    const sums = this.graph.add(name, [input.tensor], conv);
    const tensor = curve ? this.graph.add(`${name}.act`, [sums], { op: curve }) : sums;
    return { tensor, channels: outputs };
  }

  /**
   * A convolution by channel.
   * @param {string} name
   * @param {Feature} input
   * @param {Shape} shape
   */
  depthwise(name, input, shape) {
    return this.conv(name, input, input.channels, { ...shape, depthwise: true });
  }

  /**
   * Two convolutions, the second of 3×3.
   * @param {string} name
   * @param {Feature} input
   * @param {{residual: boolean, side?: number}} how side: of the first one's kernel; 1, as in a C3
   */
  bottleneck(name, input, { residual, side = 1 }) {
    const narrow = this.conv(`${name}.cv1`, input, input.channels, { side });
    const gain = residual ? RESIDUAL_GAIN : 1;
    const wide = this.conv(`${name}.cv2`, narrow, input.channels, { side: 3, gain });
    return residual ? this.sum(name, input, wide) : wide;
  }

  /**
   * @param {string} name
   * @param {Feature} input
   * @param {number} outputs
   * @param {{count?: number, residual?: boolean}} [how] count: of bottlenecks
   */
  c3(name, input, outputs, { count = 1, residual = false } = {}) {
    const hidden = outputs / 2;
    let chain = this.conv(`${name}.cv1`, input, hidden);
    for (let i = 0; i < count; i++) chain = this.bottleneck(`${name}.m.${i}`, chain, { residual });
    const side = this.conv(`${name}.cv2`, input, hidden);
    return this.conv(`${name}.cv3`, this.concat(name, [chain, side]), outputs);
  }

  /** @param {string} name @param {Feature} one @param {Feature} other @returns {Feature} */
  sum(name, one, other) {
    const inputs = [one.tensor, other.tensor];
    return { tensor: this.graph.add(name, inputs, { op: 'add' }), channels: one.channels };
  }

  /** @param {string} name @param {Feature} input @param {number} side @param {number} [stride] @returns {Feature} */
  pool(name, { tensor, channels }, side, stride = 1) {
    const edge = side >> 1;
    const pooled = this.graph.add(name, [tensor], {
      op: 'maxpool',
      kernel: [side, side],
      stride: [stride, stride],
      pad: [edge, edge, edge, edge],
    });
    return { tensor: pooled, channels };
  }

  /** The picture's pixels of each 2×2 side by side. @param {string} name @returns {Feature} */
  focus(name) {
    return { tensor: this.graph.add(name, [0], { op: 'focus' }), channels: 12 };
  }

  /** @param {string} name @param {Feature} input @returns {Feature} */
  enlarge(name, { tensor, channels }) {
    return { tensor: this.graph.add(name, [tensor], { op: 'upsample', factor: [2, 2] }), channels };
  }

  /** @param {string} name @param {Feature[]} parts @returns {Feature} */
  concat(name, parts) {
    const inputs = parts.map(({ tensor }) => tensor);
    const channels = parts.reduce((sum, part) => sum + part.channels, 0);
    return { tensor: this.graph.add(name, inputs, { op: 'concat' }), channels };
  }

  /** @param {string} name @param {Feature} input @param {number[]} channels @returns {Feature} */
  select(name, { tensor }, channels) {
    return {
      tensor: this.graph.add(name, [tensor], { op: 'select', channels }),
      channels: channels.length,
    };
  }

  /**
   * @param {[number, number]} channels in, out
   * @param {Shape} shape
   * @returns {import('./float-graph.js').Conv & {bias: Float32Array}}
   */
  draw(channels, { side = 1, stride: step = 1, gain = 1, depthwise = false }) {
    const [inputs, outputs] = channels;
    const taps = (depthwise ? 1 : inputs) * side * side;
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
    const edge = side === 6 ? 2 : side >> 1; // YOLOv5's stem has an even kernel
    /** @type {[number, number]} */
    const kernel = [side, side];
    /** @type {[number, number, number, number]} */
    const pad = [edge, edge, edge, edge];
    const groups = depthwise ? inputs : 1;
    return { op: 'conv', weight, bias, channels, kernel, stride: [step, step], pad, groups };
  }
}

/** Without its mean, differences in the picture decide, not its brightness. @param {Float32Array} filter */
function level(filter) {
  const mean = filter.reduce((sum, value) => sum + value, 0) / filter.length;
  filter.forEach((value, i) => {
    filter[i] = value - mean;
  });
}
