// Nodes and constants → the bytes of an ONNX file.

import { PbfWriter } from 'pbf';

/** ONNX's numbers for its data types. */
const DATA_TYPES = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7 };
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 };
const IR_VERSION = 8;
const OPSET = 13;

/**
 * @typedef {keyof typeof DATA_TYPES} DataType
 * @typedef {number | string | number[] | {real: number}} Attribute a number alone is whole
 * @typedef {{op: string, inputs: string[], outputs: string[], attributes: Record<string, Attribute>}} Node
 * @typedef {{name: string, type: DataType, dims: number[], bytes: Uint8Array}} Constant
 * @typedef {{name: string, dims: (number | null)[]}} Port
 */

export class OnnxWriter {
  /** @type {Node[]} */
  #nodes = [];
  /** @type {Constant[]} */
  #constants = [];
  /** @type {Port[]} */
  #inputs = [];
  /** @type {Port[]} */
  #outputs = [];
  #count = 0;

  /** @param {string} name @param {number[]} dims */
  input(name, dims) {
    this.#inputs.push({ name, dims });
  }

  /** @param {string} name @param {(number | null)[]} dims null: any */
  output(name, dims) {
    this.#outputs.push({ name, dims });
  }

  /**
   * @param {string} op
   * @param {string[]} inputs '' for one that is left out
   * @param {Record<string, Attribute>} [attributes]
   * @param {string[]} [outputs]
   * @returns {string} the name of the first output
   */
  node(op, inputs, attributes = {}, outputs = [`${op}_${this.#count++}`]) {
    this.#nodes.push({ op, inputs, outputs, attributes });
    return outputs[0];
  }

  /** @param {ArrayLike<number>} values @param {number[]} [dims] */
  reals(values, dims = [values.length]) {
    return this.constant('float', dims, Float32Array.from(values));
  }

  /** @param {number[]} values */
  integers(values) {
    return this.constant('int64', [values.length], BigInt64Array.from(values.map(BigInt)));
  }

  /**
   * @param {DataType} type
   * @param {number[]} dims
   * @param {ArrayBufferView} values little-endian, as all machines are
   */
  constant(type, dims, { buffer, byteOffset, byteLength }) {
    const name = `constant_${this.#count++}`;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    this.#constants.push({ name, type, dims, bytes });
    return name;
  }

  /** @param {Record<string, string>} metadata @returns {Uint8Array} */
  finish(metadata) {
    const pbf = new PbfWriter();
    pbf.writeVarintField(1, IR_VERSION);
    pbf.writeStringField(2, 'wisp');
    pbf.writeMessage(7, (_, out) => this.#writeGraph(out), null);
    pbf.writeMessage(8, (_, out) => out.writeVarintField(2, OPSET), null);
    for (const entry of Object.entries(metadata)) pbf.writeMessage(14, writeEntry, entry);
    return pbf.finish();
  }

  /** @param {PbfWriter} out */
  #writeGraph(out) {
    for (const node of this.#nodes) out.writeMessage(1, writeNode, node);
    out.writeStringField(2, 'network');
    for (const constant of this.#constants) out.writeMessage(5, writeConstant, constant);
    for (const port of this.#inputs) out.writeMessage(11, writePort, port);
    for (const port of this.#outputs) out.writeMessage(12, writePort, port);
  }
}

/** @param {[string, string]} entry @param {PbfWriter} out */
function writeEntry([key, value], out) {
  out.writeStringField(1, key);
  out.writeStringField(2, value);
}

/** @param {Node} node @param {PbfWriter} out */
function writeNode({ op, inputs, outputs, attributes }, out) {
  for (const name of inputs) out.writeStringField(1, name);
  for (const name of outputs) out.writeStringField(2, name);
  out.writeStringField(3, outputs[0]);
  out.writeStringField(4, op);
  for (const entry of Object.entries(attributes)) out.writeMessage(5, writeAttribute, entry);
}

/** @param {[string, Attribute]} entry @param {PbfWriter} out */
function writeAttribute([name, value], out) {
  out.writeStringField(1, name);
  const put = (/** @type {keyof typeof ATTRIBUTE} */ type) =>
    out.writeVarintField(20, ATTRIBUTE[type]);
  if (typeof value === 'number') {
    out.writeVarintField(3, value);
    put('int');
  } else if (typeof value === 'string') {
    out.writeStringField(4, value);
    put('string');
  } else if (Array.isArray(value)) {
    for (const one of value) out.writeVarintField(8, one);
    put('ints');
  } else {
    out.writeFloatField(2, value.real);
    put('float');
  }
}

/** @param {Constant} constant @param {PbfWriter} out */
function writeConstant({ name, type, dims, bytes }, out) {
  for (const size of dims) out.writeVarintField(1, size);
  out.writeVarintField(2, DATA_TYPES[type]);
  out.writeStringField(8, name);
  out.writeBytesField(9, bytes);
}

/** @param {Port} port @param {PbfWriter} out */
function writePort({ name, dims }, out) {
  out.writeStringField(1, name);
  out.writeMessage(2, (_, type) => type.writeMessage(1, writeTensorType, dims), null);
}

/** @param {(number | null)[]} dims @param {PbfWriter} out */
function writeTensorType(dims, out) {
  out.writeVarintField(1, DATA_TYPES.float);
  out.writeMessage(
    2,
    (_, shape) => {
      for (const [i, size] of dims.entries())
        shape.writeMessage(1, writeDimension, size ?? `d${i}`);
    },
    null,
  );
}

/** @param {number | string} size @param {PbfWriter} out */
function writeDimension(size, out) {
  if (typeof size === 'number') out.writeVarintField(1, size);
  else out.writeStringField(2, size);
}
