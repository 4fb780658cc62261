// The tables of a TFLite file as plain objects; knows the schema's fields, not their meaning. Their places stand in
// TensorFlow's lite/schema/schema.fbs.

import { malformed, unsupported } from '../../graph/graph-error.js';
import { halfsToFloats } from '../halfs.js';
import { FlatTable } from './flat-buffer.js';
import { OPERATORS } from './tflite-operators.js';

/**
 * @typedef {import('../onnx-proto.js').Tensor} Tensor
 * @typedef {object} TfliteTensor
 * @property {string} name
 * @property {number[]} dims
 * @property {number} type
 * @property {Float32Array} scales none of real numbers
 * @property {number[]} zeros zero points, one for each scale
 * @property {number} axis along which they lie
 * @property {Uint8Array | null} bytes of a constant
 * @typedef {{op: string, inputs: number[], outputs: number[], options: FlatTable | null}} TfliteOperator
 *   tensors by number, -1 where one is left out
 * @typedef {object} TfliteFile
 * @property {string} description
 * @property {TfliteTensor[]} tensors
 * @property {TfliteOperator[]} operators in the order in which they run
 * @property {number[]} inputs
 * @property {number[]} outputs
 */

const MODEL = { codes: 1, subgraphs: 2, description: 3, buffers: 4 };
const CODE = { old: 0, custom: 1, builtin: 3 };
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3 };
const TENSOR = { shape: 0, type: 1, buffer: 2, name: 3, quantisation: 4, sparsity: 6 };
const QUANTISATION = { scale: 2, zeroPoint: 3, details: 5, axis: 6 };
const OPERATOR = { code: 0, inputs: 1, outputs: 2, options: 4 };
const BUFFER_DATA = 0;

/** TensorType */
const [FLOAT, HALF, INT32, UINT8, INT64, BOOL, INT16, INT8] = [0, 1, 2, 3, 4, 6, 7, 9];

/** @param {Uint8Array} bytes @returns {TfliteFile} */
export function readTflite(bytes) {
  const model = FlatTable.first(bytes);
  const [graph] = model.tables(MODEL.subgraphs);
  if (!graph) malformed('The TFLite file holds no graph.');
  const buffers = model.tables(MODEL.buffers);
  const codes = model.tables(MODEL.codes).map(nameOf);
  return {
    description: model.text(MODEL.description),
    tensors: graph.tables(SUBGRAPH.tensors).map((tensor) => readTensor(tensor, buffers)),
    operators: graph.tables(SUBGRAPH.operators).map((operator) => ({
      op: codes[operator.int(OPERATOR.code)] ?? malformed('The TFLite file lacks an operator.'),
      inputs: operator.ints(OPERATOR.inputs),
      outputs: operator.ints(OPERATOR.outputs),
      options: operator.table(OPERATOR.options),
    })),
    inputs: graph.ints(SUBGRAPH.inputs),
    outputs: graph.ints(SUBGRAPH.outputs),
  };
}

/** What an operator is called: older files have its code in a byte. @param {FlatTable} code */
function nameOf(code) {
  const number = Math.max(code.byte(CODE.old), code.int(CODE.builtin));
  const name = OPERATORS[number] ?? `operator ${number}`;
  return name === 'CUSTOM' ? code.text(CODE.custom).slice(0, 60) : name;
}

/** @param {FlatTable} table @param {FlatTable[]} buffers @returns {TfliteTensor} */
function readTensor(table, buffers) {
  const name = table.text(TENSOR.name);
  const details = table.table(TENSOR.quantisation);
  if (details?.table(QUANTISATION.details) || table.table(TENSOR.sparsity))
    unsupported(`Tensor "${name}" is packed in a way that wisp does not know.`);
  const bytes = buffers[table.int(TENSOR.buffer)]?.vector(BUFFER_DATA, 1);
  return {
    name,
    dims: table.ints(TENSOR.shape),
    type: table.byte(TENSOR.type),
    scales: details?.floats(QUANTISATION.scale) ?? new Float32Array(),
    zeros: details?.longs(QUANTISATION.zeroPoint) ?? [],
    axis: details?.int(QUANTISATION.axis) ?? 0,
    bytes: bytes && bytes.length > 0 ? bytes : null,
  };
}

/**
 * The numbers of a constant: those that its integers stand for, or integers that stand for themselves.
 * @param {TfliteTensor} tensor
 * @returns {Tensor}
 */
export function numbersOf({ name, dims, type, bytes, scales, zeros, axis }) {
  const numbers = rawNumbers(name, type, (bytes ?? new Uint8Array()).slice());
  const count = dims.reduce((product, size) => product * size, 1);
  if (numbers.length !== count || dims.some((size) => size < 0))
    malformed(`Tensor "${name}" holds ${numbers.length} numbers where ${dims.join('×')} are due.`);
  if (scales.length === 0) return { dims, data: numbers };
  const step = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  if (scales.length > 1 && scales.length !== dims[axis])
    malformed(`Tensor "${name}" has ${scales.length} scales for ${dims[axis]} channels.`);
  const channel = (/** @type {number} */ i) =>
    scales.length === 1 ? 0 : Math.floor(i / step) % scales.length;
  const real = (/** @type {number} */ q, /** @type {number} */ i) =>
    (q - (zeros[channel(i)] ?? 0)) * scales[channel(i)];
  return { dims, data: Float32Array.from(numbers, real) };
}

/** @param {string} name @param {number} type @param {Uint8Array} bytes a copy */
function rawNumbers(name, type, { buffer }) {
  const whole = (/** @type {number} */ size) =>
    buffer.slice(0, buffer.byteLength - (buffer.byteLength % size));
  switch (type) {
    case FLOAT:
      return new Float32Array(whole(4));
    case HALF:
      return halfsToFloats(new Uint16Array(whole(2)));
    case INT32:
      return Float64Array.from(new Int32Array(whole(4)));
    case INT64:
      return Float64Array.from(new BigInt64Array(whole(8)), Number);
    case INT16:
      return Float64Array.from(new Int16Array(whole(2)));
    case INT8:
      return Float64Array.from(new Int8Array(buffer));
    case UINT8:
    case BOOL:
      return Float64Array.from(new Uint8Array(buffer));
    default:
      return unsupported(
        `Tensor "${name}" is of TFLite's data type ${type}, which wisp does not read.`,
      );
  }
}

/** Whether a tensor is a constant of 16 bits. @param {TfliteTensor} tensor */
export const isHalf = ({ type, bytes }) => type === HALF && bytes !== null;

/** Whether a tensor's numbers are integers that stand for real ones. @param {TfliteTensor} tensor */
export const isQuantised = ({ type, scales }) =>
  scales.length > 0 && [UINT8, INT8, INT16, INT32, INT64].includes(type);
