// Operators, tensors and constants → the bytes of a .tflite file, by Google's library for FlatBuffers.

/**
 * @typedef {typeof import('flatbuffers')} FlatBuffers
 * @typedef {import('flatbuffers').Builder} Builder
 * @typedef {number} Offset of a table or vector that is written, as the builder counts
 * @typedef {(builder: Builder, place: number) => void} Field its place in the schema's table
 * @typedef {(Field | null)[]} Table its fields by their place; null: the default
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
  transpose: { code: 39, versions: [1, 2], options: 0 },
  slice: { code: 65, versions: [1, 2], options: 0 },
  quantise: { code: 114, versions: [1, 2], options: 0 },
  enlarge: { code: 97, versions: [1, 3], options: 74 },
};
const SCHEMA_VERSION = 3;
/** LiteRT reads constants where they lie. */
const CONSTANT_ALIGNMENT = 16;

/** @param {number} value @returns {Field} */
export const byte = (value) => (builder, place) => builder.addFieldInt8(place, value, 0);
/** @param {number} value @returns {Field} */
export const int = (value) => (builder, place) => builder.addFieldInt32(place, value, 0);
/** @param {Offset} value @returns {Field} */
const at = (value) => (builder, place) => builder.addFieldOffset(place, value, 0);

export class TfliteWriter {
  #builder;
  /** @type {Offset[]} */
  #buffers = [];
  /** @type {Offset[]} */
  #tensors = [];
  /** @type {Offset[]} */
  #operators = [];
  /** @type {Map<string, {index: number, table: Offset}>} */
  #codes = new Map();

  /** @param {FlatBuffers} flatbuffers */
  constructor({ Builder }) {
    this.#builder = new Builder(1 << 20);
    this.#buffers.push(this.#table([])); // the first is the empty one
  }

  /**
   * @param {TensorType} type
   * @param {number[]} shape
   * @param {Quantisation | null} [quantisation]
   * @param {Uint8Array | null} [bytes] of a constant
   * @returns {number}
   */
  tensor(type, shape, quantisation = null, bytes = null) {
    const index = this.#tensors.length;
    const buffer = bytes ? this.#buffers.push(this.#table([at(this.#bytes(bytes))])) - 1 : 0;
    const name = at(this.#builder.createString(`t${index}`));
    const scale = quantisation && at(this.#quantised(quantisation));
    const fields = [at(this.#ints(shape)), byte(TYPES[type]), int(buffer), name, scale];
    return this.#tensors.push(this.#table(fields)) - 1;
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
    const fields = [int(code), at(this.#ints(inputs)), at(this.#ints([output]))];
    if (kind.options > 0) fields.push(byte(kind.options), at(this.#table(options)));
    this.#operators.push(this.#table(fields));
    return output;
  }

  /** @param {Operator} name @param {number} version */
  #code(name, version) {
    const key = `${name} ${version}`;
    const known = this.#codes.get(key);
    if (known) return known.index;
    const { code } = OPERATORS[name];
    const index = this.#codes.size;
    const table = this.#table([byte(code), null, int(version), int(code)]);
    this.#codes.set(key, { index, table });
    return index;
  }

  /** @param {number} input @param {number} output @returns {Uint8Array} */
  finish(input, output) {
    const builder = this.#builder;
    const codes = [...this.#codes.values()].map(({ table }) => table);
    const graph = this.#table([
      at(this.#offsets(this.#tensors)),
      at(this.#ints([input])),
      at(this.#ints([output])),
      at(this.#offsets(this.#operators)),
      at(builder.createString('network')),
    ]);
    const model = this.#table([
      int(SCHEMA_VERSION),
      at(this.#offsets(codes)),
      at(this.#offsets([graph])),
      at(builder.createString('wisp bench')),
      at(this.#offsets(this.#buffers)),
    ]);
    builder.finish(model, 'TFL3');
    return builder.asUint8Array();
  }

  /** @param {Quantisation} quantisation */
  #quantised({ scales, zeros, axis = 0 }) {
    const builder = this.#builder;
    const scale = at(this.#vector(scales, 4, (value) => builder.addFloat32(value)));
    const zero = at(this.#vector(zeros, 8, (value) => builder.addInt64(BigInt(value))));
    return this.#table([null, null, scale, zero, null, null, int(axis)]);
  }

  /** @param {Table} fields whose own tables and vectors are written @returns {Offset} */
  #table(fields) {
    this.#builder.startObject(fields.length);
    for (const [place, field] of fields.entries()) field?.(this.#builder, place);
    return this.#builder.endObject();
  }

  /**
   * @param {ArrayLike<number>} values
   * @param {number} size of each, in bytes
   * @param {(value: number) => void} add
   * @returns {Offset}
   */
  #vector(values, size, add) {
    this.#builder.startVector(size, values.length, size);
    for (let i = values.length - 1; i >= 0; i--) add(values[i]);
    return this.#builder.endVector();
  }

  /** @param {number[]} values */
  #ints(values) {
    return this.#vector(values, 4, (value) => this.#builder.addInt32(value));
  }

  /** @param {Offset[]} offsets */
  #offsets(offsets) {
    return this.#vector(offsets, 4, (offset) => this.#builder.addOffset(offset));
  }

  /** @param {Uint8Array} bytes @returns {Offset} */
  #bytes(bytes) {
    this.#builder.prep(CONSTANT_ALIGNMENT, bytes.length);
    return this.#builder.createByteVector(bytes);
  }
}
