// Data for tests that need no download: a small random YOLOv5-like .wisp file (models/FORMAT.md) and pictures.

import { crc32, deflateSync } from 'node:zlib';
import { Coder, rounded } from './coder.js';

/**
 * @typedef {{data: Uint8Array, width: number, height: number}} Picture RGBA
 *
 * @typedef {object} ModelOptions
 * @property {number} [seed]
 * @property {number} [height] of the input, a multiple of 32
 * @property {number} [width]
 * @property {1 | 2} [block] side of the pixel blocks of the input
 * @property {string[]} [classes]
 * @property {number} [density] share of weight blocks that are present, 0 … 1; 1 writes no masks
 * @property {number} [widen] factor of all channel counts
 * @property {object} [provenance]
 *
 * @typedef {object} Tensor
 * @property {number} channels
 * @property {number} zeroPoint
 * @property {number} scale
 *
 * @typedef {object} Layer
 * @property {number} operation
 * @property {number} activation
 * @property {number} flags
 * @property {number[]} inputs
 * @property {number} output
 * @property {number} [residual]
 * @property {number} kernel
 * @property {number} stride
 * @property {number} pad
 * @property {number} slope
 * @property {import('./coder.js').Parts} [parts] of its payload
 */

const CONV = 1;
const MAXPOOL = 2;
const UPSAMPLE = 3;
const [NONE, RELU, LEAKY, SILU, HARDSWISH] = [0, 1, 2, 3, 4];
const RESIDUAL = 1;
const MASKED = 2;
const HEAD_YOLOV5 = 1;

/** Numbers in 0 … 1, the same for the same seed (mulberry32). @param {number} seed */
export function makeRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Little-endian bytes that grow. */
class Writer {
  /** @type {number[]} */
  bytes = [];

  /** @param {...number} values */
  u8(...values) {
    this.bytes.push(...values.map((value) => value & 255));
    return this;
  }

  /** @param {...number} values */
  u16(...values) {
    for (const value of values) this.u8(value, value >> 8);
    return this;
  }

  /** @param {...number} values */
  u32(...values) {
    for (const value of values) this.u8(value, value >> 8, value >> 16, value >>> 24);
    return this;
  }

  /** @param {...number} values */
  f32(...values) {
    for (const value of values) this.u8(...new Uint8Array(Float32Array.of(value).buffer));
    return this;
  }

  /** @param {string} value @param {(length: number) => void} length */
  text(value, length) {
    const bytes = new TextEncoder().encode(value);
    length(bytes.length);
    return this.u8(...bytes);
  }
}

/** A network while it is drawn up: tensors and layers in execution order. */
class Draft {
  /** @type {Tensor[]} */
  tensors = [];
  /** @type {Layer[]} */
  layers = [];
  /** @type {{tensor: number, stride: number, anchors: number[]}[]} */
  heads = [];

  /** @param {() => number} random @param {number} density */
  constructor(random, density) {
    this.random = random;
    this.density = density;
  }

  /** @param {number} channels @param {number} scale @param {number} zeroPoint */
  tensor(channels, scale, zeroPoint) {
    this.tensors.push({ channels, scale, zeroPoint });
    return this.tensors.length - 1;
  }

  /**
   * @param {number[]} inputs
   * @param {number} channels
   * @param {{kernel?: number, stride?: number, activation?: number, residual?: number}} [options]
   */
  conv(inputs, channels, { kernel = 1, stride = 1, activation = SILU, residual } = {}) {
    const output = this.tensor(channels, 8 / 255, activation === RELU ? 0 : 24);
    const parts = this.parts(inputs, channels, kernel, 1, () => this.random() - 0.5);
    this.#add(CONV, inputs, output, { kernel, stride, activation, residual, parts });
    return output;
  }

  /** @param {number} input @param {number} kernel */
  maxpool(input, kernel) {
    const { channels, scale, zeroPoint } = this.tensors[input];
    const output = this.tensor(channels, scale, zeroPoint);
    this.#add(MAXPOOL, [input], output, { kernel });
    return output;
  }

  /** @param {number} input @param {number} stride */
  upsample(input, stride) {
    const { channels, scale, zeroPoint } = this.tensors[input];
    const output = this.tensor(channels, scale, zeroPoint);
    this.#add(UPSAMPLE, [input], output, { stride });
    return output;
  }

  /** @param {number} input @param {number} stride @param {number[]} anchors @param {number} classes */
  head(input, stride, anchors, classes) {
    const fields = 5 + classes;
    const tensor = this.tensor((anchors.length / 2) * fields, 1, 0);
    const bias = (/** @type {number} */ channel) => (channel % fields === 4 ? -1.5 : 0);
    const parts = this.parts([input], this.tensors[tensor].channels, 1, 2, bias);
    this.#add(CONV, [input], tensor, { activation: NONE, parts });
    this.heads.push({ tensor, stride, anchors });
  }

  /**
   * @param {number} operation
   * @param {number[]} inputs
   * @param {number} output
   * @param {Partial<Layer>} fields
   */
  #add(operation, inputs, output, { kernel = 1, stride = 1, activation = NONE, residual, parts }) {
    const masked = operation === CONV && this.density < 1 ? MASKED : 0;
    const flags = masked | (residual === undefined ? 0 : RESIDUAL);
    const pad = operation === UPSAMPLE ? 0 : kernel >> 1;
    const slope = activation === LEAKY ? 0.1 : 0;
    this.layers.push({
      operation,
      activation,
      flags,
      inputs,
      output,
      residual,
      kernel,
      stride,
      pad,
      slope,
      parts,
    });
  }

  /**
   * Random weights; sums come out with a deviation of about `gain`.
   * @param {number[]} inputs
   * @param {number} channels
   * @param {number} kernel
   * @param {number} gain
   * @param {(channel: number) => number} bias
   */
  parts(inputs, channels, kernel, gain, bias) {
    const lanes = inputs.flatMap((input) => lanesOf(this.tensors[input].channels));
    const blocks = channels * kernel * kernel * lanes.length;
    const present = Array.from({ length: blocks }, () => this.random() < this.density);
    const terms = kernel * kernel * lanes.reduce((sum, n) => sum + n, 0) * this.density;
    const level = inputs[0] === 0 ? 140 : 24; // of q - zero point, root mean square
    const unit = gain / (37 * Math.sqrt(terms) * level);
    const each = (/** @type {(channel: number) => number} */ make) =>
      Array.from({ length: channels }, (_, channel) => make(channel));
    const scale = each(() => rounded(unit * (0.8 + 0.4 * this.random()), 16));
    const biases = each((channel) => rounded(bias(channel), 13));
    const weights = new Int8Array(blocks * 4);
    for (let block = 0; block < blocks; block++) {
      if (!present[block]) continue;
      for (let lane = 0; lane < lanes[block % lanes.length]; lane++)
        weights[block * 4 + lane] = Math.floor(this.random() * 128) - 64;
    }
    return { channels, kernel, lanes, masked: this.density < 1, scale, bias: biases, weights };
  }
}

/** Channels in each plane of four. @param {number} channels */
function lanesOf(channels) {
  return Array.from({ length: Math.ceil(channels / 4) }, (_, i) => Math.min(4, channels - i * 4));
}

/**
 * Every operation and activation, a residual, two concats, three scales.
 * @param {Draft} net
 * @param {number} block
 * @param {number} widen
 * @param {number} classes
 */
function draw(net, block, widen, classes) {
  const n = (/** @type {number} */ channels) => Math.round(channels * widen);
  const input = net.tensor(3 * block * block, 1 / 255, 0);
  const stem = net.conv([input], n(8), { kernel: 3, stride: 3 - block });
  const p2 = net.conv([stem], n(16), { kernel: 3, stride: 2 });
  const squeezed = net.conv([p2], n(7), { activation: LEAKY });
  const p2b = net.conv([squeezed], n(16), { kernel: 3, activation: RELU, residual: p2 });
  const p3 = net.conv([p2b], n(24), { kernel: 3, stride: 2, activation: HARDSWISH });
  const p4 = net.conv([p3], n(32), { kernel: 3, stride: 2 });
  const pooled = net.maxpool(p4, 5);
  const p4b = net.conv([p4, pooled], n(30));
  const p5 = net.conv([net.conv([p4b], n(40), { kernel: 3, stride: 2 })], n(32));
  const up = net.conv([net.upsample(p5, 2), p4b], n(24), { kernel: 3 });
  net.head(p3, 8, [10, 13, 16, 30, 33, 23], classes);
  net.head(up, 16, [30, 61, 62, 45, 59, 119], classes);
  net.head(p5, 32, [116, 90, 156, 198, 373, 326], classes);
}

/**
 * @param {ModelOptions} [options]
 * @returns {Uint8Array<ArrayBuffer>} a .wisp file
 */
export function makeModel({
  seed = 1,
  height = 64,
  width = 64,
  block = 2,
  classes = ['cat', 'dog'],
  density = 0.5,
  widen = 1,
  provenance = { source: 'random' },
} = {}) {
  const net = new Draft(makeRandom(seed), density);
  draw(net, block, widen, classes.length);
  const coder = new Coder();
  const coded = net.layers.map(({ parts }) => (parts ? coder.payload(parts) : new Uint8Array()));
  const header = writeHeader(net, coded, { height, width, block, classes, provenance });
  const payloads = coded.flatMap((payload) => [...payload]);
  const preamble = new Writer()
    .u8(...new TextEncoder().encode('WISP'))
    .u32(2, header.length, crc32(Uint8Array.from(header)));
  preamble.u32(24 + header.length + payloads.length);
  preamble.u32(crc32(Uint8Array.from(preamble.bytes)));
  return Uint8Array.from([...preamble.bytes, ...header, ...payloads]);
}

/**
 * @param {Draft} net
 * @param {Uint8Array[]} coded payloads
 * @param {Required<Pick<ModelOptions, 'height' | 'width' | 'block' | 'classes' | 'provenance'>>} options
 */
function writeHeader(net, coded, { height, width, block, classes, provenance }) {
  const writer = new Writer().u16(height, width, 32).u8(block, 0);
  writer.u16(net.tensors.length, net.layers.length, net.heads.length, classes.length);
  for (const { channels, zeroPoint, scale } of net.tensors)
    writer.u16(channels).u8(zeroPoint, 0).f32(scale);
  net.layers.forEach((layer, i) => {
    writeLayer(writer, layer, coded[i]);
  });
  for (const { tensor, stride, anchors } of net.heads) {
    writer
      .u16(tensor, stride)
      .u8(HEAD_YOLOV5, anchors.length / 2)
      .u16(0)
      .f32(...anchors);
  }
  for (const name of classes) writer.text(name, (length) => writer.u16(length));
  writer.text(JSON.stringify(provenance), (length) => writer.u32(length));
  return writer.bytes;
}

/** @param {import('./coder.js').Parts} parts */
function countPresent({ masked, weights }) {
  const blocks = Array.from({ length: weights.length / 4 }, (_, i) =>
    weights.slice(4 * i, 4 * i + 4),
  );
  return masked ? blocks.filter((block) => block.some(Boolean)).length : blocks.length;
}

/** @param {Writer} writer @param {Layer} layer @param {Uint8Array} payload */
function writeLayer(writer, layer, payload) {
  const { kernel, stride, pad, inputs, parts } = layer;
  writer.u8(
    layer.operation,
    layer.activation,
    layer.flags,
    inputs.length,
    kernel,
    kernel,
    stride,
    stride,
  );
  writer
    .u8(pad, pad, pad, pad)
    .f32(layer.slope)
    .u16(layer.output, ...inputs);
  if (layer.residual !== undefined) writer.u16(layer.residual);
  writer.u32(payload.length, payload.length > 0 ? crc32(payload) : 0);
  writer.u32(parts ? countPresent(parts) : 0);
}

/**
 * A copy of the model with a changed header and checksums that are right again.
 * @param {Uint8Array} model
 * @param {(header: Uint8Array) => void} change
 */
export function withHeader(model, change) {
  const copy = new Uint8Array(model);
  const view = new DataView(copy.buffer);
  const header = copy.subarray(24, 24 + view.getUint32(8, true));
  change(header);
  view.setUint32(12, crc32(header), true);
  view.setUint32(20, crc32(copy.subarray(0, 20)), true);
  return copy;
}

/**
 * Coloured rectangles over a gradient with some noise.
 * @param {{seed?: number, width?: number, height?: number}} [options]
 * @returns {Picture}
 */
export function makePicture({ seed = 1, width = 96, height = 72 } = {}) {
  const random = makeRandom(seed);
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const noise = random() * 32;
      data.set(
        [(x / width) * 200 + noise, (y / height) * 200 + noise, 90 + noise, 255],
        (y * width + x) * 4,
      );
    }
  }
  for (let i = 0; i < 6; i++) drawRectangle({ data, width, height }, random);
  return { data, width, height };
}

/** @param {Picture} picture @param {() => number} random */
function drawRectangle({ data, width, height }, random) {
  const [left, top] = [Math.floor(random() * width * 0.8), Math.floor(random() * height * 0.8)];
  const [right, bottom] = [
    left + width * (0.1 + 0.3 * random()),
    top + height * (0.1 + 0.3 * random()),
  ];
  const colour = [random() * 255, random() * 255, random() * 255];
  for (let y = top; y < Math.min(bottom, height); y++) {
    for (let x = left; x < Math.min(right, width); x++) data.set(colour, (y * width + x) * 4);
  }
}

/** @param {Picture} picture @returns {Uint8Array<ArrayBuffer>} a PNG file */
export function encodePng({ data, width, height }) {
  const rows = new Uint8Array(height * (width * 4 + 1)); // each row begins with filter 0
  for (let y = 0; y < height; y++) {
    rows.set(data.subarray(y * width * 4, (y + 1) * width * 4), y * (width * 4 + 1) + 1);
  }
  const size = new DataView(new ArrayBuffer(8));
  size.setUint32(0, width);
  size.setUint32(4, height);
  const head = [...new Uint8Array(size.buffer), 8, 6, 0, 0, 0]; // 8 bits, RGBA
  const chunks = [
    pngChunk('IHDR', head),
    pngChunk('IDAT', [...deflateSync(rows)]),
    pngChunk('IEND', []),
  ];
  return Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, ...chunks.flat()]);
}

/** @param {string} type @param {number[]} body */
function pngChunk(type, body) {
  const typed = [...new TextEncoder().encode(type), ...body];
  const frame = new DataView(new ArrayBuffer(8));
  frame.setUint32(0, body.length);
  frame.setUint32(4, crc32(Uint8Array.from(typed)));
  const [length, crc] = [new Uint8Array(frame.buffer, 0, 4), new Uint8Array(frame.buffer, 4, 4)];
  return [...length, ...typed, ...crc];
}
