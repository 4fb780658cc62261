// A YOLOv5 of a few channels as a .tflite file, by Google's library: one convolution a scale, decoded as TensorFlow's
// exports do, in shares of the picture.

import { zipSync } from 'fflate';
import * as flatbuffers from 'flatbuffers';
import { halvesOf } from '../../bench/peers/tflite/file.js';
import { byte, int, TfliteWriter } from '../../bench/peers/tflite/writer.js';
import { RandomNumbers } from '../../web/src/graph/random-numbers.js';
import { ANCHORS } from './tiny-yolo.js';

const CLASSES = 2;
const COLUMNS = 5 + CLASSES;
const [SAME, VALID] = [byte(0), byte(1)];
const REAL = { isInt8: false };

/**
 * @param {object} [options]
 * @param {boolean} [options.byAnchor] all cells of an anchor in a row, as v6.0 has them; else all anchors of a cell
 * @param {string} [options.named] the metadata's file and text, in a zip archive behind
 * @param {string} [options.text]
 * @param {boolean} [options.wrong] its boxes twice as far apart as YOLOv5's
 * @param {boolean} [options.half] all numbers in 16 bits
 * @param {number} [options.size] of the input
 */
export function tinyTflite({
  byAnchor = false,
  named = '',
  text = '',
  wrong = false,
  half = false,
  size = 64,
} = {}) {
  const writer = new TfliteWriter(flatbuffers);
  const numbers = new RandomNumbers(3);
  const reals = (/** @type {number[]} */ shape, /** @type {number[]} */ values) => {
    const floats = Float32Array.from(values);
    if (!half) return writer.constant('float', shape, floats);
    const halves = writer.constant('half', shape, halvesOf(floats));
    return writer.operator('dequantise', [halves], writer.tensor('float', shape), REAL);
  };
  const picture = writer.tensor('float', [1, size, size, 3]);
  const rows = [8, 16, 32].map((stride, scale) => {
    const side = size / stride;
    const weights = reals(
      [3 * COLUMNS, 1, 1, 3],
      Array.from({ length: 9 * COLUMNS }, () => numbers.normal()),
    );
    const bias = reals(
      [3 * COLUMNS],
      Array.from({ length: 3 * COLUMNS }, () => numbers.normal()),
    );
    const logits = writer.tensor('float', [1, side, side, 3 * COLUMNS]);
    const window = { ...REAL, options: [scale === 0 ? SAME : VALID, int(stride), int(stride)] };
    writer.operator('conv', [picture, weights, bias], logits, window);
    return decoded(writer, reals, logits, {
      stride,
      size,
      anchors: ANCHORS[scale].flat(),
      byAnchor,
      wrong,
    });
  });
  const boxes = (size / 8) ** 2 * 3 * (1 + 1 / 4 + 1 / 16);
  const output = writer.tensor('float', [1, boxes, COLUMNS]);
  writer.operator('concat', rows, output, { ...REAL, options: [int(1)] });
  const file = writer.finish(picture, output);
  return named ? withMetadata(file, named, text) : file;
}

/**
 * @param {TfliteWriter} writer
 * @param {(shape: number[], values: number[]) => number} reals
 * @param {number} logits
 * @param {{stride: number, size: number, anchors: number[], byAnchor: boolean, wrong: boolean}} how
 */
function decoded(writer, reals, logits, { stride, size, anchors, byAnchor, wrong }) {
  const side = size / stride;
  const cells = side ** 2;
  const shape = byAnchor ? [1, 3, cells] : [1, cells, 3];
  const tensor = (/** @type {number} */ columns) => writer.tensor('float', [...shape, columns]);
  const by = (
    /** @type {import('../../bench/peers/tflite/writer.js').Operator} */ op,
    /** @type {number[]} */ ...inputs
  ) => writer.operator(op, inputs, tensor(2), REAL);
  const list = [logits, writer.integers(1, cells, 3, COLUMNS)];
  const split = writer.operator(
    'reshape',
    list,
    writer.tensor('float', [1, cells, 3, COLUMNS]),
    REAL,
  );
  const turned = byAnchor
    ? writer.operator('transpose', [split, writer.integers(0, 2, 1, 3)], tensor(COLUMNS), REAL)
    : split;
  const part = (/** @type {number} */ from, /** @type {number} */ count) => {
    const window = [writer.integers(0, 0, 0, from), writer.integers(-1, -1, -1, count)];
    const cut = writer.operator('slice', [turned, ...window], tensor(count), REAL);
    return writer.operator('sigmoid', [cut], tensor(count), REAL);
  };
  const grid = Array.from({ length: cells }, (_, cell) => [
    (cell % side) - 0.5,
    Math.floor(cell / side) - 0.5,
  ]).flat();
  const places = reals(byAnchor ? [1, 1, cells, 2] : [1, cells, 1, 2], grid);
  const centre = by(
    'multiply',
    by('add', by('multiply', part(0, 2), reals([], [2])), places),
    reals([], [wrong ? 2 * stride : stride]),
  );
  const sizes = reals(
    byAnchor ? [1, 3, 1, 2] : [1, 1, 3, 2],
    anchors.map((pixels) => 4 * pixels),
  );
  const sigmoids = part(2, 2);
  const extent = by('multiply', by('multiply', sigmoids, sigmoids), sizes);
  const share = reals([1, 2], [1 / size, 1 / size]);
  const parts = [
    by('multiply', centre, share),
    by('multiply', extent, share),
    part(4, 1 + CLASSES),
  ];
  const joined = writer.operator('concat', parts, tensor(COLUMNS), { ...REAL, options: [int(-1)] });
  const flat = writer.tensor('float', [1, 3 * cells, COLUMNS]);
  return writer.operator('reshape', [joined, writer.integers(1, 3 * cells, COLUMNS)], flat, REAL);
}

/**
 * With a zip archive of one file behind, whose places count from the beginning of all.
 * @param {Uint8Array} file
 * @param {string} name
 * @param {string} text
 */
function withMetadata(file, name, text) {
  const zip = zipSync({ [name]: new TextEncoder().encode(text) }, { level: 0 });
  const view = new DataView(zip.buffer);
  const END = { at: zip.length - 22, directory: 16 };
  const directory = view.getUint32(END.at + END.directory, true);
  view.setUint32(END.at + END.directory, file.length + directory, true);
  view.setUint32(directory + 42, file.length, true); // where its only file is
  return new Uint8Array([...file, ...zip]);
}
