// Tensors of a checkpoint → numbers, each storage checked against the bytes that are there.

import { WispError } from '../../error.js';
import { malformed, unsupported } from '../../graph/graph-error.js';
import { bfloatsToFloats, halfsToFloats } from '../halfs.js';
import { strided } from '../onnx-tensor.js';

/**
 * @typedef {import('./pickled.js').Storage} Storage
 * @typedef {import('./pickled.js').Tensor} Tensor
 * @typedef {{bytes: number, read: (whole: ArrayBuffer) => ArrayLike<number>, words: string}} NumberType
 */

/** @type {Record<string, NumberType>} */
const TYPES = {
  FloatStorage: { bytes: 4, read: (whole) => new Float32Array(whole), words: 'float32' },
  HalfStorage: {
    bytes: 2,
    read: (whole) => halfsToFloats(new Uint16Array(whole)),
    words: 'float16',
  },
  BFloat16Storage: {
    bytes: 2,
    read: (whole) => bfloatsToFloats(new Uint16Array(whole)),
    words: 'bfloat16',
  },
  DoubleStorage: { bytes: 8, read: (whole) => new Float64Array(whole), words: 'float64' },
  LongStorage: {
    bytes: 8,
    read: (whole) => Array.from(new BigInt64Array(whole), Number),
    words: 'int64',
  },
  IntStorage: { bytes: 4, read: (whole) => new Int32Array(whole), words: 'int32' },
  ShortStorage: { bytes: 2, read: (whole) => new Int16Array(whole), words: 'int16' },
  CharStorage: { bytes: 1, read: (whole) => new Int8Array(whole), words: 'int8' },
  ByteStorage: { bytes: 1, read: (whole) => new Uint8Array(whole), words: 'uint8' },
  BoolStorage: { bytes: 1, read: (whole) => new Uint8Array(whole), words: 'bool' },
};

/** @param {string} type of a storage @returns {NumberType} */
function typeOf(type) {
  if (Object.hasOwn(TYPES, type)) return TYPES[type];
  return unsupported(
    `The checkpoint has a torch.${type.slice(0, 40)}; wisp reads float32, float16, bfloat16 and integers.`,
  );
}

/** @param {string} type of a storage */
export const bytesPerNumber = (type) => typeOf(type).bytes;

export class Weights {
  #files;
  #left;
  /** @type {Map<Tensor, Float32Array>} */
  #known = new Map();
  /** Numbers that were read, by the types of their storages. @type {Map<string, number>} */
  #counts = new Map();

  /**
   * @param {Map<string, Uint8Array>} files bytes of the storages, by their keys
   * @param {number} most numbers that are read in all: a file has no more than bytes
   */
  constructor(files, most) {
    this.#files = files;
    this.#left = most;
  }

  /** Of most numbers that were read, for people. */
  get type() {
    const [[type]] = [...this.#counts].sort(([, a], [, b]) => b - a);
    return typeOf(type).words;
  }

  /**
   * The tensor's numbers in the order of its axes. The same tensor gives the same array.
   * @param {Tensor} tensor
   * @param {string} name for messages
   * @returns {Float32Array}
   */
  floats(tensor, name) {
    const known = this.#known.get(tensor);
    if (known) return known;
    const { size, stride } = tensor;
    const count = size.reduce((product, length) => product * length, 1);
    const span = count && size.reduce((sum, length, axis) => sum + (length - 1) * stride[axis], 1);
    this.#left -= Math.max(count, span);
    if (!(this.#left >= 0))
      malformed(`"${name}" is ${size.join('×')}, more than the file has bytes for.`);
    const numbers = this.#numbers(tensor, span, name);
    const data = numbers instanceof Float32Array ? numbers : Float32Array.from(numbers);
    const floats = isDense(size, stride) ? data : strided({ dims: [], data }, size, stride).data;
    const bad = floats.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0)
      malformed(
        `"${name}" has ${floats[bad]} as number ${bad}; take an earlier checkpoint of this training.`,
      );
    this.#known.set(tensor, /** @type {Float32Array} */ (floats));
    return /** @type {Float32Array} */ (floats);
  }

  /**
   * What lies in the storage from a tensor's first number on.
   * @param {Tensor} tensor
   * @param {number} span of numbers
   * @param {string} name
   */
  #numbers({ storage, offset }, span, name) {
    const { type, key } = storage;
    const { bytes, read } = typeOf(type);
    this.#counts.set(type, (this.#counts.get(type) ?? 0) + span);
    const file = this.#files.get(key);
    const have = file ? Math.floor(file.length / bytes) : 0;
    if (!file || have < storage.count)
      throw new WispError(
        'WISP_ERR_TRUNCATED',
        `The checkpoint has ${have} of the ${storage.count} numbers of "${name}"; copy or download it again.`,
      );
    if (offset + span > storage.count)
      malformed(
        `"${name}" ends at number ${offset + span} of a storage that has ${storage.count}.`,
      );
    return read(file.slice(offset * bytes, (offset + span) * bytes).buffer);
  }
}

/** Whether one number follows the other. @param {number[]} size @param {number[]} stride */
function isDense(size, stride) {
  let due = 1;
  for (let axis = size.length - 1; axis >= 0; axis--) {
    if (size[axis] !== 1 && stride[axis] !== due) return false;
    due *= size[axis];
  }
  return true;
}
