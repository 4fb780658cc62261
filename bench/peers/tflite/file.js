// Float graph → a .tflite file for LiteRT.js: weights in 16-bit reals, or everything in 8-bit integers.

import { quantiseWeights, scales } from '../peer-scales.js';
import { decodeScale } from './decoding.js';
import { byte, int, TfliteWriter } from './writer.js';

/**
 * @typedef {import('../../../web/src/graph/float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('../../../web/src/graph/float-graph.js').GraphNode} GraphNode
 * @typedef {import('../../../web/src/graph/float-graph.js').Conv} Conv
 * @typedef {import('../peer-scales.js').Scale} Scale
 * @typedef {{tensor: number, height: number, width: number, channels: number, scale: Scale}} Feature
 */

const [SAME, VALID] = [byte(0), byte(1)];
/** Integers are signed here; everywhere else in the bench they are not. */
const SIGN = 128;

/**
 * @param {FloatGraph} graph
 * @param {import('./writer.js').FlatBuffers} flatbuffers Google's library
 * @param {{quantised?: boolean}} [options]
 * @returns {Uint8Array}
 */
export function writeTflite(graph, flatbuffers, { quantised = false } = {}) {
  const trunk = new Trunk(new TfliteWriter(flatbuffers), graph.input, quantised);
  if (graph.heads.some(({ kind }) => kind === 'yolov8')) refuse('heads without anchors');
  if (graph.heads.some(({ kind }) => kind === 'prototypes')) refuse('masks');
  for (const node of graph.nodes) trunk.add(node);
  const parts = graph.heads.map((head) => {
    const { tensor, ...size } = trunk.sigmoid(trunk.feature(head.tensor));
    return decodeScale(
      trunk.writer,
      tensor,
      { ...head, ...size, classes: graph.classes.length },
      quantised,
    );
  });
  return trunk.finish(parts, 5 + graph.classes.length);
}

/** @param {string} what the network has @returns {never} */
function refuse(what) {
  throw new Error(`The bench writes no .tflite file of a network with ${what}; give its own file.`);
}

/** The network up to its heads; height × width × channels, as LiteRT wants it. */
class Trunk {
  writer;
  #isInt8;
  /** @type {Map<number, Feature>} */
  #features = new Map();
  #input;

  /**
   * @param {TfliteWriter} writer
   * @param {{height: number, width: number}} input
   * @param {boolean} isInt8
   */
  constructor(writer, { height, width }, isInt8) {
    this.writer = writer;
    this.#isInt8 = isInt8;
    const picture = this.#new({ height, width, channels: 3 }, scales.picture);
    this.#features.set(0, picture);
    this.#input = isInt8 ? this.#unsigned(picture) : picture.tensor;
  }

  /** What the picture is made of: LiteRT.js takes no signed bytes. @param {Feature} picture @returns {number} */
  #unsigned({ tensor, height, width, channels }) {
    const { scale, zero } = scales.picture;
    const quantisation = { scales: [scale], zeros: [zero] };
    const bytes = this.writer.tensor('uint8', [1, height, width, channels], quantisation);
    this.writer.operator('quantise', [bytes], tensor, { isInt8: true });
    return bytes;
  }

  /** @param {{height: number, width: number, channels: number}} size @param {Scale} scale @returns {Feature} */
  #new({ height, width, channels }, scale) {
    const shape = [1, height, width, channels];
    const zeros = [scale.zero - SIGN];
    const tensor = this.#isInt8
      ? this.writer.tensor('int8', shape, { scales: [scale.scale], zeros })
      : this.writer.tensor('float', shape);
    return { tensor, height, width, channels, scale };
  }

  /** @param {number} id @returns {Feature} */
  feature(id) {
    const found = this.#features.get(id);
    if (!found) throw new Error(`Tensor ${id} is read before it is written.`);
    return found;
  }

  /**
   * @param {import('./writer.js').Operator} name
   * @param {number[]} inputs
   * @param {Feature} output
   * @param {import('./writer.js').Table} [options]
   */
  #operator(name, inputs, output, options) {
    this.writer.operator(name, inputs, output.tensor, { isInt8: this.#isInt8, options });
    return output;
  }

  /** @param {Feature} input */
  sigmoid(input) {
    return this.#operator('sigmoid', [input.tensor], this.#new(input, scales.shares));
  }

  /** @param {GraphNode} node */
  add(node) {
    const inputs = node.inputs.map((id) => this.feature(id));
    this.#features.set(node.output, this.#write(node, inputs));
  }

  /** @param {GraphNode} node @param {Feature[]} inputs @returns {Feature} */
  #write(node, inputs) {
    const [input] = inputs;
    const tensors = inputs.map(({ tensor }) => tensor);
    switch (node.op) {
      case 'conv':
        return this.#conv(node, input);
      case 'silu': {
        const both = [input.tensor, this.sigmoid(input).tensor];
        return this.#operator('multiply', both, this.#new(input, scales.features));
      }
      case 'add':
        return this.#operator('add', tensors, this.#new(input, input.scale));
      case 'concat': {
        const channels = inputs.reduce((sum, part) => sum + part.channels, 0);
        const output = this.#new({ ...input, channels }, input.scale);
        return this.#operator('concat', tensors, output, [int(3)]);
      }
      case 'maxpool':
        return this.#operator('maxpool', tensors, this.#new(input, input.scale), poolOf(node));
      case 'upsample': {
        if (node.inputs.length > 1) return refuse('transposed convolutions');
        const [height, width] = [input.height * node.factor[0], input.width * node.factor[1]];
        const output = this.#new({ ...input, height, width }, input.scale);
        return this.#operator(
          'enlarge',
          [input.tensor, this.writer.integers(height, width)],
          output,
        );
      }
    }
    return refuse(node.op);
  }

  /** Strides that begin outside the picture need it padded first. @param {Conv} conv @param {Feature} input */
  #conv(conv, input) {
    const { kernel, stride, pad, channels, groups } = conv;
    if (groups > 1) refuse('depthwise convolutions');
    const isSame = stride[0] === 1 && pad.every((size) => size === kernel[0] >> 1);
    const padded = isSame ? input : this.#padded(input, pad);
    const [height, width] = [padded.height, padded.width].map((size, axis) =>
      isSame ? size : Math.floor((size - kernel[axis]) / stride[axis]) + 1,
    );
    const output = this.#new({ height, width, channels: channels[1] }, scales.sums);
    const [y, x] = stride.map(int);
    const inputs = [padded.tensor, ...this.#weights(conv, input.scale.scale)];
    return this.#operator('conv', inputs, output, [isSame ? SAME : VALID, x, y]);
  }

  /** @param {Feature} input @param {number[]} pad top, left, bottom, right */
  #padded(input, [top, left, bottom, right]) {
    const height = input.height + top + bottom;
    const width = input.width + left + right;
    const sizes = Int32Array.of(0, 0, top, bottom, left, right, 0, 0);
    const table = this.writer.constant('int', [4, 2], sizes);
    const output = this.#new({ ...input, height, width }, input.scale);
    return this.#operator('pad', [input.tensor, table], output);
  }

  /** @param {Conv} conv @param {number} inputScale @returns {number[]} tensors of weights and bias */
  #weights(conv, inputScale) {
    const [inputs, outputs] = conv.channels;
    const shape = [outputs, ...conv.kernel, inputs];
    const bias = conv.bias ?? new Float32Array(outputs);
    if (!this.#isInt8) {
      return [this.#half(shape, channelsLast(conv, conv.weight)), this.#half([outputs], bias)];
    }
    const { steps, integers, units, sums } = quantiseWeights({ ...conv, bias }, inputScale);
    const zeros = new Array(outputs).fill(0);
    return [
      this.writer.constant('int8', shape, channelsLast(conv, integers), { scales: steps, zeros }),
      this.writer.constant('int', [outputs], sums, { scales: units, zeros }),
    ];
  }

  /**
   * A constant in 16 bits; LiteRT is slow where a bias is not one too.
   * @param {number[]} shape @param {Float32Array} reals
   */
  #half(shape, reals) {
    const halves = this.writer.constant('half', shape, halvesOf(reals));
    const whole = this.writer.tensor('float', shape);
    return this.writer.operator('dequantise', [halves], whole, { isInt8: false });
  }

  /** All scales one below the other. @param {{tensor: number, rows: number}[]} parts @param {number} columns */
  finish(parts, columns) {
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    const output = this.writer.tensor('float', [1, rows, columns]);
    const inputs = parts.map(({ tensor }) => tensor);
    this.writer.operator('concat', inputs, output, { isInt8: false, options: [int(1)] });
    return this.writer.finish(this.#input, output);
  }
}

/** @param {{kernel: [number, number], stride: [number, number]}} window @returns {import('./writer.js').Table} */
function poolOf({ kernel, stride }) {
  const sizes = [stride[1], stride[0], kernel[1], kernel[0]];
  return [SAME, ...sizes.map(int)];
}

/**
 * [out][in][height][width] → [out][height][width][in].
 * @template {Float32Array | Int8Array} T
 * @param {Conv} conv
 * @param {T} from
 * @returns {T}
 */
function channelsLast({ channels: [inputs, outputs], kernel }, from) {
  const taps = kernel[0] * kernel[1];
  const to = /** @type {T} */ (from.slice());
  for (let o = 0; o < outputs; o++) {
    for (let c = 0; c < inputs; c++) {
      for (let tap = 0; tap < taps; tap++) {
        to[(o * taps + tap) * inputs + c] = from[(o * inputs + c) * taps + tap];
      }
    }
  }
  return to;
}

/** IEEE 754 binary16, cut off, small numbers to zero. @param {Float32Array} reals @returns {Uint16Array} */
export function halvesOf(reals) {
  const words = new Uint32Array(Float32Array.from(reals).buffer);
  return Uint16Array.from(words, (word) => {
    const exponent = ((word >> 23) & 255) - 112;
    if (exponent <= 0) return 0;
    return ((word >> 16) & 0x8000) | (Math.min(exponent, 30) << 10) | ((word >> 13) & 0x3ff);
  });
}
