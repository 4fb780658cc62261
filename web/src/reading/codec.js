// Decoders in WebAssembly under Node: made when a picture of their kind is met, and anew when they have failed or hold
// much memory, which WebAssembly never gives back.

import { readFile } from 'node:fs/promises';
import { WispError } from '../error.js';

/**
 * @typedef {{data: Uint8Array | Uint8ClampedArray, width: number, height: number}} Stored RGBA as a file has it,
 *   neither turned nor laid on a background
 *
 * @typedef {(bytes: Uint8Array, maxPixels: number, place: (stored: Stored) => void) => Promise<void>} Decode
 *   what `place` gets is valid until it returns
 */

/** Bytes that a decoder may hold after a file that failed, or after one that needed far less. */
const MOST_KEPT = 32 << 20;

/** A decoder's own words about a file, if it has any. */
export class DamagedError extends Error {}

/** @template {{memory: () => WebAssembly.Memory}} Decoder */
export class Renewed {
  #make;
  /** @type {Decoder | undefined} */
  #made;

  /** @param {() => Promise<Decoder>} make */
  constructor(make) {
    this.#make = make;
  }

  /** @param {(decoder: Decoder) => number} use gives the bytes of the pixels; what it throws is
   *   an error of ours, or it has crashed */
  async use(use) {
    const decoder = this.#made ?? (await this.#make());
    this.#made = undefined;
    let length = 0;
    try {
      length = use(decoder);
      this.#made = decoder;
    } catch (thrown) {
      if (thrown instanceof WispError || thrown instanceof DamagedError) this.#made = decoder;
      throw thrown;
    } finally {
      const held = decoder.memory().buffer.byteLength;
      if (held > Math.max(MOST_KEPT, 4 * length)) this.#made = undefined;
    }
  }
}

/** @param {URL} file @returns {Promise<WebAssembly.Module>} */
export async function compileFile(file) {
  return WebAssembly.compile(new Uint8Array(await readFile(file)));
}

/**
 * A decoder of jSquash's, without the wrapper that would keep one instance for ever.
 * @param {string} name of its files: package and path without the ending
 * @param {unknown[]} [more] arguments behind the bytes
 * @returns {Decode}
 */
export function jsquash(name, more = []) {
  /** @type {Promise<[factory: Function, compiled: WebAssembly.Module]> | undefined} */
  let loading;
  const load = () =>
    Promise.all([
      import(`${name}.js`).then((glue) => glue.default),
      compileFile(new URL(import.meta.resolve(`${name}.wasm`))),
    ]);
  const decoder = new Renewed(async () => {
    loading ??= load();
    const [factory, compiled] = await loading;
    /** @type {WebAssembly.Memory | undefined} */
    let memory;
    const instantiateWasm = (/** @type {any} */ imports, /** @type {Function} */ done) => {
      const instance = new WebAssembly.Instance(compiled, imports);
      memory = Object.values(instance.exports).find((one) => one instanceof WebAssembly.Memory);
      done(instance);
      return instance.exports;
    };
    const { decode } = await factory({ noInitialRun: true, instantiateWasm });
    return { decode, memory: () => /** @type {WebAssembly.Memory} */ (memory) };
  });
  return (bytes, _, place) =>
    decoder.use(({ decode }) => {
      const stored = decode(bytes, ...more);
      if (!stored) throw new DamagedError();
      place(stored);
      return stored.data.length;
    });
}
