// Writes checkpoints for tests as torch.save does: a zip archive, or the files of before PyTorch 1.6.

import { zipSync } from 'fflate';
import { toHalf } from './onnx-builder.js';
import { Call, Name, Persistent, pickle, Thing, Tuple } from './pickle-writer.js';

/** What numbers look like in a file. @type {Record<string, (values: number[]) => ArrayBufferView>} */
const TYPES = {
  FloatStorage: (values) => Float32Array.from(values),
  HalfStorage: (values) => Uint16Array.from(values, toHalf),
  BFloat16Storage: (values) =>
    new Uint16Array(Float32Array.from(values).buffer).filter((_, i) => i % 2 === 1),
  DoubleStorage: (values) => Float64Array.from(values),
  LongStorage: (values) => BigInt64Array.from(values, BigInt),
};

/**
 * @typedef {{values: number[], size?: number[], type?: string, stride?: number[], offset?: number}} Numbers
 * @typedef {{parts?: Record<string, any>, parameters?: Record<string, Numbers | null>,
 *   buffers?: Record<string, Numbers>, settings?: Record<string, any>}} Contents
 * @typedef {{protocol?: number, legacy?: boolean, folder?: string, level?: 0 | 9,
 *   more?: Record<string, Uint8Array>}} SaveOptions
 */

export class CheckpointWriter {
  /** @type {Map<string, {type: string, values: number[]}>} */
  storages = new Map();

  /** @param {string} [type] of the weights */
  constructor(type = 'HalfStorage') {
    this.type = type;
  }

  /** @param {Numbers} numbers */
  tensor({ values, size = [values.length], type = this.type, stride, offset = 0 }) {
    const key = String(this.storages.size);
    this.storages.set(key, { type, values });
    const storage = new Persistent('storage', name('torch', type), key, 'cpu', values.length);
    const strides =
      stride ?? size.map((_, axis) => size.slice(axis + 1).reduce((a, b) => a * b, 1));
    const hooks = new Call(name('collections', 'OrderedDict'), []);
    return new Call(name('torch._utils', '_rebuild_tensor_v2'), [
      storage,
      offset,
      new Tuple(...size),
      new Tuple(...strides),
      false,
      hooks,
    ]);
  }

  /** @param {Numbers} numbers */
  parameter(numbers) {
    const hooks = new Call(name('collections', 'OrderedDict'), []);
    const make = name('torch._utils', '_rebuild_parameter');
    return new Call(make, [this.tensor(numbers), true, hooks]);
  }

  /** @param {string} type e.g. models.common.Conv @param {Contents} contents */
  module(type, { parts = {}, parameters = {}, buffers = {}, settings = {} }) {
    const at = type.lastIndexOf('.');
    const tensors = (
      /** @type {Record<string, any>} */ all,
      /** @type {(one: any) => any} */ make,
    ) => new Map(Object.entries(all).map(([key, one]) => [key, one && make(one)]));
    return new Thing(name(type.slice(0, at), type.slice(at + 1)), {
      training: false,
      _parameters: tensors(parameters, (one) => this.parameter(one)),
      _buffers: tensors(buffers, (one) => this.tensor(one)),
      _backward_hooks: new Call(name('collections', 'OrderedDict'), []),
      _modules: new Map(Object.entries(parts)),
      ...settings,
    });
  }

  /**
   * @param {any} value what is saved
   * @param {SaveOptions} [options]
   * @returns {Uint8Array}
   */
  save(value, { protocol = 2, legacy = false, folder = 'best', level = 0, more = {} } = {}) {
    const files = [...this.storages].map(
      ([key, { type, values }]) => /** @type {const} */ ([key, bytesOf(TYPES[type](values))]),
    );
    if (legacy) return this.#legacy(value, protocol, files);
    const data = files.map(([key, file]) => [`${folder}/data/${key}`, file]);
    const version = new TextEncoder().encode('3\n');
    return zipSync(
      {
        [`${folder}/data.pkl`]: pickle(value, protocol),
        ...Object.fromEntries(data),
        [`${folder}/version`]: version,
        ...more,
      },
      { level },
    );
  }

  /** @param {any} value @param {number} protocol @param {(readonly [string, Uint8Array])[]} files */
  #legacy(value, protocol, files) {
    const system = {
      protocol_version: 1001,
      little_endian: true,
      type_sizes: { short: 2, int: 4 },
    };
    return Uint8Array.from([
      ...[0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e],
      ...pickle(1001),
      ...pickle(system),
      ...pickle(value, protocol),
      ...pickle(files.map(([key]) => key)),
      ...files.flatMap(([key, file]) => {
        const count = BigInt64Array.of(BigInt(this.storages.get(key)?.values.length ?? 0));
        return [...new Uint8Array(count.buffer), ...file];
      }),
    ]);
  }
}

/** @type {Map<string, Name>} */
const names = new Map();

/** The same object for the same name, which a pickle then writes once. @param {string} module @param {string} of */
function name(module, of) {
  const key = `${module} ${of}`;
  const known = names.get(key) ?? new Name(module, of);
  names.set(key, known);
  return known;
}

/** @param {ArrayBufferView} view */
const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
