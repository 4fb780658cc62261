// Writes small ONNX files for tests: nodes, constants, and YOLOv5 networks in the spellings of its exporters.

import { PbfWriter } from 'pbf';

export const FLOAT = 1;
export const UINT8 = 2;
export const INT8 = 3;
export const INT32 = 6;
export const INT64 = 7;
export const FLOAT16 = 10;

/**
 * @typedef {{dims: number[], type: number, values: number[], outside?: Outside}} Constant
 * @typedef {{location: string, offset?: number, length?: number}} Outside the file, where its bytes lie in another
 * @typedef {number | number[] | string | Constant} Attribute
 * @typedef {{op: string, inputs: string[], outputs: string[], attributes: Record<string, Attribute>}} Node
 */

export class OnnxBuilder {
  /** @type {Node[]} */
  nodes = [];
  /** @type {Map<string, Constant>} */
  initializers = new Map();
  /** @type {{name: string, type: number, dims: (number | string)[]}[]} */
  inputs = [];
  /** @type {string[]} */
  outputs = [];
  /** @type {Record<string, string>} */
  metadata = {};
  #count = 0;

  constructor({ opset = 12, type = FLOAT } = {}) {
    this.opset = opset;
    this.type = type;
  }

  /**
   * Appends a node; the name of its first output.
   * @param {string} op
   * @param {string[]} inputs
   * @param {Record<string, Attribute>} [attributes]
   * @param {number} [outputs]
   */
  node(op, inputs, attributes = {}, outputs = 1) {
    const names = Array.from(
      { length: outputs },
      (_, i) => `${op}_${this.#count}${i ? `_${i}` : ''}`,
    );
    this.#count++;
    this.nodes.push({ op, inputs, outputs: names, attributes });
    return names[0];
  }

  /** @param {number[]} values @param {number[]} [dims] */
  reals(values, dims = [values.length]) {
    return this.constant({ dims, type: this.type, values });
  }

  /** @param {number[]} values @param {number[]} [dims] */
  integers(values, dims = [values.length]) {
    return this.constant({ dims, type: INT64, values });
  }

  /** One unsigned byte. @param {number} value */
  byte(value) {
    return this.constant({ dims: [], type: UINT8, values: [value] });
  }

  /** @param {Constant} constant */
  constant(constant) {
    const name = `constant_${this.#count++}`;
    this.initializers.set(name, constant);
    return name;
  }

  /** @returns {Uint8Array} the file */
  finish() {
    const pbf = new PbfWriter();
    pbf.writeVarint((1 << 3) | 0);
    pbf.writeVarint(7); // ir_version
    pbf.writeTag(2, 2);
    pbf.writeString('wisp tests');
    pbf.writeMessage(7, writeGraph, this);
    pbf.writeMessage(8, (_, out) => out.writeVarintField(2, this.opset), null);
    for (const [key, value] of Object.entries(this.metadata)) {
      pbf.writeMessage(14, writeEntry, [key, value]);
    }
    return pbf.finish();
  }
}

/** @param {OnnxBuilder} graph @param {PbfWriter} pbf */
function writeGraph(graph, pbf) {
  for (const node of graph.nodes) pbf.writeMessage(1, writeNode, node);
  pbf.writeStringField(2, 'test');
  for (const [name, tensor] of graph.initializers) {
    pbf.writeMessage(5, writeTensor, { name, ...tensor });
  }
  for (const input of graph.inputs) pbf.writeMessage(11, writeValue, input);
  for (const name of graph.outputs) {
    pbf.writeMessage(12, writeValue, { name, type: graph.type, dims: [] });
  }
}

/** @param {Node} node @param {PbfWriter} pbf */
function writeNode(node, pbf) {
  for (const name of node.inputs) pbf.writeStringField(1, name);
  for (const name of node.outputs) pbf.writeStringField(2, name);
  pbf.writeStringField(3, node.outputs[0]);
  pbf.writeStringField(4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) {
    pbf.writeMessage(5, writeAttribute, { name, value });
  }
}

/** @param {{name: string, value: Attribute}} attribute @param {PbfWriter} pbf */
function writeAttribute({ name, value }, pbf) {
  pbf.writeStringField(1, name);
  if (typeof value === 'string') {
    pbf.writeStringField(4, value);
    pbf.writeVarintField(20, 3);
  } else if (typeof value === 'number' && Number.isInteger(value)) {
    pbf.writeVarintField(3, value);
    pbf.writeVarintField(20, 2);
  } else if (typeof value === 'number') {
    pbf.writeFloatField(2, value);
    pbf.writeVarintField(20, 1);
  } else if (Array.isArray(value)) {
    for (const one of value) pbf.writeVarintField(8, one);
    pbf.writeVarintField(20, 7);
  } else {
    pbf.writeMessage(5, writeTensor, { name: '', ...value });
    pbf.writeVarintField(20, 4);
  }
}

/** @param {{name: string} & Constant} tensor @param {PbfWriter} pbf */
function writeTensor({ name, dims, type, values, outside }, pbf) {
  pbf.writePackedVarint(1, dims);
  pbf.writeVarintField(2, type);
  pbf.writeStringField(8, name);
  if (outside) {
    for (const entry of Object.entries(outside)) pbf.writeMessage(13, writeEntry, entry);
    pbf.writeVarintField(14, 1);
  } else if (type === INT64) {
    pbf.writeBytesField(9, new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  } else if (type === INT32) {
    pbf.writeBytesField(9, new Uint8Array(Int32Array.from(values).buffer));
  } else if (type === UINT8 || type === INT8) {
    pbf.writeBytesField(9, Uint8Array.from(values));
  } else if (type === FLOAT16) {
    pbf.writeBytesField(9, new Uint8Array(Uint16Array.from(values, toHalf).buffer));
  } else {
    pbf.writeBytesField(9, new Uint8Array(Float32Array.from(values).buffer));
  }
}

/** @param {[string, string | number]} entry @param {PbfWriter} pbf */
function writeEntry([key, value], pbf) {
  pbf.writeStringField(1, key);
  pbf.writeStringField(2, String(value));
}

/** @param {{name: string, type: number, dims: (number | string)[]}} value @param {PbfWriter} pbf */
function writeValue({ name, type, dims }, pbf) {
  pbf.writeStringField(1, name);
  pbf.writeMessage(
    2,
    (_, outer) =>
      outer.writeMessage(
        1,
        (__, inner) => {
          inner.writeVarintField(1, type);
          if (dims.length === 0) return;
          inner.writeMessage(2, writeShape, dims);
        },
        null,
      ),
    null,
  );
}

/** @param {(number | string)[]} dims @param {PbfWriter} pbf */
function writeShape(dims, pbf) {
  for (const size of dims) {
    pbf.writeMessage(
      1,
      (_, out) => {
        if (typeof size === 'string') out.writeStringField(2, size);
        else out.writeVarintField(1, size);
      },
      null,
    );
  }
}

/** The nearest half-precision number's bits, for normal numbers and zero. @param {number} value */
export function toHalf(value) {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude < 0x38800000) return sign; // below 2^-14
  return sign | ((magnitude - 0x38000000 + 0x0fff + ((magnitude >> 13) & 1)) >> 13);
}
