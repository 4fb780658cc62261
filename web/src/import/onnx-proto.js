// Reads the protobuf of an ONNX file into plain objects; knows its fields, not their meaning.

import { PbfReader } from 'pbf';
import { WispError } from '../error.js';
import { malformed, unsupported } from '../graph/graph-error.js';
import { halfsToFloats } from './halfs.js';

/**
 * @typedef {{dims: number[], data: Float32Array | Float64Array, parts?: Tensor[]}} Tensor
 *   real numbers are Float32Array, integers and booleans Float64Array; a sequence has `parts`
 * @typedef {number | string | number[] | Tensor} Attribute
 * @typedef {{name: string, op: string, inputs: string[], outputs: string[],
 *   attributes: Map<string, Attribute>}} OnnxNode
 * @typedef {{name: string, type: number, dims: (number | null)[] | null}} OnnxValue null is unknown
 * @typedef {{producer: string, opset: number, metadata: Map<string, string>, nodes: OnnxNode[],
 *   constants: Map<string, Tensor>, inputs: OnnxValue[], outputs: string[],
 *   shapes?: Map<string, OnnxValue['dims']>}} OnnxModel `shapes`: of the outputs, as the file tells them
 */

/** TensorProto.DataType */
const FLOAT = 1;
const INT32 = 6;
const INT64 = 7;
const BOOL = 9;
const FLOAT16 = 10;
const DOUBLE = 11;
const UINT8 = 2;
const INT8 = 3;

const WIRE_BYTES = 2;

/** A reader that knows where tensors outside the file are. */
class OnnxReader extends PbfReader {
  /** @type {Map<string, Uint8Array>} */
  beside = new Map();
  /** Names of these files, where only they are wanted. @type {Set<string> | undefined} */
  names = undefined;

  /** A plain view: a Node Buffer's slice() would not copy. @param {Uint8Array} bytes */
  constructor(bytes) {
    super(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  }
}

/**
 * The files that hold weights of a model, as it names them (external data).
 * @param {Uint8Array} bytes
 * @returns {string[]}
 */
export function filesBeside(bytes) {
  const pbf = new OnnxReader(bytes);
  pbf.names = new Set();
  read(pbf);
  return [...pbf.names];
}

/**
 * @param {Uint8Array} bytes
 * @param {Map<string, Uint8Array>} [beside] the files that `filesBeside` names
 * @returns {OnnxModel}
 */
export function readModel(bytes, beside = new Map()) {
  const pbf = new OnnxReader(bytes);
  pbf.beside = beside;
  return read(pbf);
}

/** @param {OnnxReader} pbf @returns {OnnxModel} */
function read(pbf) {
  const { length } = pbf;
  try {
    const model = pbf.readFields(modelField, emptyModel());
    if (pbf.pos !== length || model.nodes.length === 0) throw new Error('no graph');
    return model;
  } catch (error) {
    if (error instanceof WispError) throw error;
    throw new WispError(
      'WISP_ERR_FORMAT',
      `The ${length} bytes are not an ONNX model, or a damaged one.`,
      { cause: error },
    );
  }
}

/** @returns {OnnxModel} */
function emptyModel() {
  return {
    producer: '',
    opset: 0,
    metadata: new Map(),
    nodes: [],
    constants: new Map(),
    inputs: [],
    outputs: [],
    shapes: new Map(),
  };
}

/**
 * The end of the length-delimited field at the reader; every length in the file is checked here.
 * @param {PbfReader} pbf
 */
function fieldEnd(pbf) {
  const size = pbf.readVarint();
  const end = pbf.pos + size;
  if (end <= pbf.length) return end;
  throw new WispError(
    'WISP_ERR_TRUNCATED',
    `The ONNX file ends early: it has ${pbf.length} bytes, but a field at byte ${pbf.pos} ` +
      `needs ${size}; download it again.`,
  );
}

/**
 * @template T
 * @param {PbfReader} pbf
 * @param {(tag: number, result: T, pbf: PbfReader) => void} readField
 * @param {T} result
 */
function message(pbf, readField, result) {
  const end = fieldEnd(pbf);
  pbf.readFields(readField, result, end);
  if (pbf.pos !== end) malformed(`The ONNX file is damaged before byte ${end}.`);
  return result;
}

/** @param {PbfReader} pbf */
function blob(pbf) {
  const end = fieldEnd(pbf);
  const start = pbf.pos;
  pbf.pos = end;
  return pbf.buf.subarray(start, end);
}

/** @param {PbfReader} pbf */
const text = (pbf) => new TextDecoder().decode(blob(pbf));

/**
 * A repeated number, packed or one by one.
 * @param {PbfReader} pbf
 * @param {number[]} list
 * @param {() => number} read
 */
function numbers(pbf, list, read) {
  if (pbf.type !== WIRE_BYTES) {
    list.push(read.call(pbf));
    return;
  }
  const end = fieldEnd(pbf);
  while (pbf.pos < end) list.push(read.call(pbf));
}

/** @this {PbfReader} */
function signedVarint() {
  return this.readVarint(true);
}

/** @param {number} tag @param {OnnxModel} model @param {PbfReader} pbf */
function modelField(tag, model, pbf) {
  if (tag === 2) model.producer = `${text(pbf)} ${model.producer}`.trim();
  else if (tag === 3) model.producer = `${model.producer} ${text(pbf)}`.trim();
  else if (tag === 7) message(pbf, graphField, model);
  else if (tag === 8) {
    const { domain, version } = message(pbf, opsetField, { domain: '', version: 0 });
    if (domain === '' || domain === 'ai.onnx') model.opset = version;
  } else if (tag === 14) {
    const { key, value } = message(pbf, entryField, { key: '', value: '' });
    model.metadata.set(key, value);
  }
}

/** @param {number} tag @param {{domain: string, version: number}} opset @param {PbfReader} pbf */
function opsetField(tag, opset, pbf) {
  if (tag === 1) opset.domain = text(pbf);
  else if (tag === 2) opset.version = pbf.readVarint();
}

/** @param {number} tag @param {{key: string, value: string}} entry @param {PbfReader} pbf */
function entryField(tag, entry, pbf) {
  if (tag === 1) entry.key = text(pbf);
  else if (tag === 2) entry.value = text(pbf);
}

/** @param {number} tag @param {OnnxModel} model @param {PbfReader} pbf */
function graphField(tag, model, pbf) {
  if (tag === 1) model.nodes.push(readNode(pbf));
  else if (tag === 5) {
    const { name, tensor } = readTensor(pbf);
    model.constants.set(name, tensor);
  } else if (tag === 11) model.inputs.push(readValue(pbf));
  else if (tag === 12) {
    const { name, dims } = readValue(pbf);
    model.outputs.push(name);
    model.shapes?.set(name, dims);
  }
}

/** @param {PbfReader} pbf @returns {OnnxNode} */
function readNode(pbf) {
  /** @type {OnnxNode} */
  const node = { name: '', op: '', inputs: [], outputs: [], attributes: new Map() };
  message(pbf, nodeField, node);
  node.name ||= node.outputs[0] ?? '';
  return node;
}

/** @param {number} tag @param {OnnxNode} node @param {PbfReader} pbf */
function nodeField(tag, node, pbf) {
  if (tag === 1) node.inputs.push(text(pbf));
  else if (tag === 2) node.outputs.push(text(pbf));
  else if (tag === 3) node.name = text(pbf);
  else if (tag === 4) node.op = text(pbf);
  else if (tag === 5) {
    /** @type {{name: string, value: Attribute}} */
    const attribute = { name: '', value: [] };
    message(pbf, attributeField, attribute);
    node.attributes.set(attribute.name, attribute.value);
  }
}

/** @param {number} tag @param {{name: string, value: Attribute}} attribute @param {PbfReader} pbf */
function attributeField(tag, attribute, pbf) {
  if (tag === 1) attribute.name = text(pbf);
  else if (tag === 2) attribute.value = pbf.readFloat();
  else if (tag === 3) attribute.value = pbf.readVarint(true);
  else if (tag === 4) attribute.value = text(pbf);
  else if (tag === 5) attribute.value = readTensor(pbf).tensor;
  else if (tag === 7) numbers(pbf, listOf(attribute), pbf.readFloat);
  else if (tag === 8) numbers(pbf, listOf(attribute), signedVarint);
}

/** @param {{value: Attribute}} attribute */
function listOf(attribute) {
  if (!Array.isArray(attribute.value)) attribute.value = [];
  return attribute.value;
}

/** @param {PbfReader} pbf @returns {OnnxValue} */
function readValue(pbf) {
  /** @type {OnnxValue} */
  const value = { name: '', type: 0, dims: null };
  return message(pbf, valueField, value);
}

/** @param {number} tag @param {OnnxValue} value @param {PbfReader} pbf */
function valueField(tag, value, pbf) {
  if (tag === 1) value.name = text(pbf);
  else if (tag === 2) message(pbf, typeField, value);
}

/** @param {number} tag @param {OnnxValue} value @param {PbfReader} pbf */
function typeField(tag, value, pbf) {
  if (tag === 1) message(pbf, tensorTypeField, value);
}

/** @param {number} tag @param {OnnxValue} value @param {PbfReader} pbf */
function tensorTypeField(tag, value, pbf) {
  if (tag === 1) value.type = pbf.readVarint();
  else if (tag === 2) value.dims = message(pbf, shapeField, []);
}

/** @param {number} tag @param {(number | null)[]} dims @param {PbfReader} pbf */
function shapeField(tag, dims, pbf) {
  if (tag === 1) dims.push(message(pbf, dimField, { size: null }).size);
}

/** @param {number} tag @param {{size: number | null}} dim @param {PbfReader} pbf */
function dimField(tag, dim, pbf) {
  if (tag === 1) dim.size = pbf.readVarint(true);
}

/**
 * @typedef {{name: string, type: number, dims: number[], raw: Uint8Array | null, reals: number[],
 *   integers: number[], isOutside: boolean, outside: Map<string, string>}} TensorFields
 * @param {PbfReader} pbf
 */
function readTensor(pbf) {
  /** @type {TensorFields} */
  const fields = {
    name: '',
    type: 0,
    dims: [],
    raw: null,
    reals: [],
    integers: [],
    isOutside: false,
    outside: new Map(),
  };
  message(pbf, tensorField, fields);
  const { name, dims } = fields;
  const { names, beside } = /** @type {OnnxReader} */ (pbf);
  if (names) {
    if (fields.isOutside) names.add(fields.outside.get('location') ?? '');
    return { name, tensor: { dims, data: new Float32Array() } };
  }
  if (fields.isOutside) fields.raw = outsideBytes(fields, beside);
  const data = tensorData(fields);
  const count = dims.reduce((product, size) => product * size, 1);
  if (data.length !== count || dims.some((size) => size < 0)) {
    malformed(`Tensor "${name}" holds ${data.length} numbers where ${dims.join('×')} are due.`);
  }
  return { name, tensor: { dims, data } };
}

/** @param {number} tag @param {TensorFields} tensor @param {PbfReader} pbf */
function tensorField(tag, tensor, pbf) {
  if (tag === 1) numbers(pbf, tensor.dims, signedVarint);
  else if (tag === 2) tensor.type = pbf.readVarint();
  else if (tag === 4) numbers(pbf, tensor.reals, pbf.readFloat);
  else if (tag === 5 || tag === 7) numbers(pbf, tensor.integers, signedVarint);
  else if (tag === 8) tensor.name = text(pbf);
  else if (tag === 9) tensor.raw = blob(pbf);
  else if (tag === 10) numbers(pbf, tensor.reals, pbf.readDouble);
  else if (tag === 13) {
    const { key, value } = message(pbf, entryField, { key: '', value: '' });
    tensor.outside.set(key, value);
  } else if (tag === 14) tensor.isOutside = pbf.readVarint() === 1;
}

/** @param {TensorFields} tensor @param {Map<string, Uint8Array>} beside */
function outsideBytes({ name, outside }, beside) {
  const file = outside.get('location') ?? '';
  const bytes = beside.get(file);
  if (!bytes) return malformed(`Tensor "${name}" lies in "${file}", which is not there.`);
  const start = Number(outside.get('offset') ?? 0);
  const end = outside.has('length') ? start + Number(outside.get('length')) : bytes.length;
  if (start >= 0 && start <= end && end <= bytes.length)
    return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
  const sentence =
    `Tensor "${name}" lies at bytes ${start} to ${end} of "${file}", which has ${bytes.length}; ` +
    'are the two files of one export?';
  throw new WispError('WISP_ERR_TRUNCATED', sentence);
}

/** @param {TensorFields} tensor @returns {Float32Array | Float64Array} */
function tensorData({ name, type, raw, reals, integers }) {
  switch (type) {
    case FLOAT:
      return raw ? new Float32Array(aligned(raw, 4)) : Float32Array.from(reals);
    case DOUBLE:
      return Float32Array.from(raw ? new Float64Array(aligned(raw, 8)) : reals);
    case FLOAT16:
      return halfsToFloats(raw ? new Uint16Array(aligned(raw, 2)) : Uint16Array.from(integers));
    case INT64:
      return raw
        ? Float64Array.from(new BigInt64Array(aligned(raw, 8)), Number)
        : Float64Array.from(integers);
    case INT32:
      return Float64Array.from(raw ? new Int32Array(aligned(raw, 4)) : integers);
    case INT8:
      return Float64Array.from(raw ? new Int8Array(aligned(raw, 1)) : integers);
    case UINT8:
    case BOOL:
      return Float64Array.from(raw ?? integers);
    default:
      return unsupported(
        `Tensor "${name}" is of ONNX data type ${type}; wisp reads float32, float16 and integers.`,
      );
  }
}

/**
 * A copy of the bytes that begins where typed arrays may, cut to whole elements.
 * @param {Uint8Array} raw
 * @param {number} elementSize
 */
function aligned(raw, elementSize) {
  return raw.slice(0, raw.length - (raw.length % elementSize)).buffer;
}
