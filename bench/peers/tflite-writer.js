// Operators, tensors and constants → the bytes of a .tflite file.

import { FlatBuffer } from './flat-buffer.js';

/**
 * @typedef {import('./flat-buffer.js').Table} Table
 * @typedef {{scales: ArrayLike<number>, zeros: ArrayLike<number>, axis?: number}} Quantisation
 * @typedef {keyof typeof TYPES} TensorType
 * @typedef {keyof typeof OPERATORS} Operator
 */

/** The schema's numbers. */
const TYPES = { float: 0, half: 1, int: 2, uint8: 3, int8: 9 };
/** Code, version of the operator for real and for 8-bit numbers, type of its options. */
const OPERATORS = {
  add: { code: 0, versions: [1, 2], options: 11 },
  concat: { code: 2, versions: [1, 2], options: 10 },
  conv: { code: 3, versions: [1, 3], options: 1 },
  dequantise: { code: 6, versions: [3, 2], options: 0 },
  sigmoid: { code: 14, versions: [1, 2], options: 0 },
  maxpool: { code: 17, versions: [1, 2], options: 5 },
  multiply: { code: 18, versions: [1, 2], options: 21 },
  reshape: { code: 22, versions: [1, 1], options: 0 },
  pad: { code: 34, versions: [1, 2], options: 22 },
  slice: { code: 65, versions: [1, 2], options: 0 },
  quantise: { code: 114, versions: [1, 2], options: 0 },
  enlarge: { code: 97, versions: [1, 3], options: 74 },
};
const SCHEMA_VERSION = 3;

/** @param {number} value @returns {import('./flat-buffer.js').Scalar} */
const int = (value) => ({ of: 'int', value });
/** @param {number} value @returns {import('./flat-buffer.js').Scalar} */
const uint = (value) => ({ of: 'uint', value });
/** @param {number} value @returns {import('./flat-buffer.js').Scalar} */
export const byte = (value) => ({ of: 'byte', value });
/** @param {ArrayLike<number>} value @returns {import('./flat-buffer.js').List} */
const ints = (value) => ({ of: 'ints', value });
/** @param {string} value @returns {import('./flat-buffer.js').List} */
const text = (value) => ({ of: 'text', value });
/** @param {Table[]} value @returns {import('./flat-buffer.js').Tables} */
const tables = (value) => ({ of: 'tables', value });

export class TfliteWriter {
  /** @type {Table[]} */
  #buffers = [[]]; // the first is the empty one
  /** @type {Table[]} */
  #tensors = [];
  /** @type {Table[]} */
  #operators = [];
  /** @type {Map<string, {index: number, table: Table}>} */
  #codes = new Map();

  /**
   * @param {TensorType} type
   * @param {number[]} shape
   * @param {Quantisation | null} [quantisation]
   * @param {Uint8Array | null} [bytes] of a constant
   * @returns {number}
   */
  tensor(type, shape, quantisation = null, bytes = null) {
    const index = this.#tensors.length;
    const buffer = bytes ? this.#buffers.push([{ of: 'bytes', value: bytes, align: 16 }]) - 1 : 0;
    const scale = quantisation && quantised(quantisation);
    this.#tensors.push([ints(shape), byte(TYPES[type]), uint(buffer), text(`t${index}`), scale]);
    return index;
  }

  /**
   * @param {TensorType} type
   * @param {number[]} shape
   * @param {ArrayBufferView} values
   * @param {Quantisation | null} [quantisation]
   */
  constant(type, shape, { buffer, byteOffset, byteLength }, quantisation = null) {
    return this.tensor(type, shape, quantisation, new Uint8Array(buffer, byteOffset, byteLength));
  }

  /** @param {number[]} values */
  integers(...values) {
    return this.constant('int', [values.length], Int32Array.from(values));
  }

  /**
   * @param {Operator} name
   * @param {number[]} inputs
   * @param {number} output
   * @param {{isInt8: boolean, options?: Table}} how
   * @returns {number} the output
   */
  operator(name, inputs, output, { isInt8, options = [] }) {
    const kind = OPERATORS[name];
    const code = this.#code(name, kind.versions[Number(isInt8)]);
    const fields = [uint(code), ints(inputs), ints([output])];
    const shown =
      kind.options > 0
        ? [byte(kind.options), /** @type {any} */ ({ of: 'table', value: options })]
        : [];
    this.#operators.push([...fields, ...shown]);
    return output;
  }

  /** @param {Operator} name @param {number} version */
  #code(name, version) {
    const key = `${name} ${version}`;
    const known = this.#codes.get(key);
    if (known) return known.index;
    const { code } = OPERATORS[name];
    const index = this.#codes.size;
    this.#codes.set(key, { index, table: [byte(code), null, int(version), int(code)] });
    return index;
  }

  /** @param {number} input @param {number} output @returns {Uint8Array} */
  finish(input, output) {
    const graph = [
      tables(this.#tensors),
      ints([input]),
      ints([output]),
      tables(this.#operators),
      text('network'),
    ];
    const codes = [...this.#codes.values()].map(({ table }) => table);
    const parts = [tables(codes), tables([graph]), text('wisp bench'), tables(this.#buffers)];
    return FlatBuffer.write([uint(SCHEMA_VERSION), ...parts], 'TFL3');
  }
}

/** @param {Quantisation} quantisation @returns {import('./flat-buffer.js').Nested} */
function quantised({ scales, zeros, axis = 0 }) {
  /** @type {Table} */
  const value = [
    ...[null, null], // least and most
    { of: 'floats', value: scales },
    { of: 'longs', value: zeros },
    ...[null, null], // details
    int(axis),
  ];
  return { of: 'table', value };
}
