// dist/pictures.wasm, which decodes JPEG, PNG, GIF, BMP and PNM files under Node.

import { WispError } from '../error.js';
import { compileFile, DamagedError, Renewed } from './codec.js';
import { brokenOff } from './header.js';
import { requireSize } from './read.js';

/** @typedef {import('./codec.js').Stored} Stored */

const FILE = new URL('../../../dist/pictures.wasm', import.meta.url);

/** pixels_status of wasm/pixels.h. */
const STATUS = ['ok', 'unknown', 'too large', 'memory', 'damaged', 'lacking'];

/** @type {Promise<WebAssembly.Module> | undefined} */
let compiled;

const decoder = new Renewed(async () => {
  const imports = { env: { emscripten_notify_memory_growth() {} } };
  compiled ??= compileFile(FILE);
  const { exports } = await WebAssembly.instantiate(await compiled, imports);
  /** @type {Function} */ (exports._initialize)();
  return new Door(exports);
});

/** @type {import('./codec.js').Decode} */
export function decodePicture(bytes, maxPixels, place) {
  return decoder.use((door) => door.decode(bytes, maxPixels, place));
}

/** wasm/pictures.c */
class Door {
  /** @type {any} */
  #exports;

  /** @param {WebAssembly.Exports} exports */
  constructor(exports) {
    this.#exports = exports;
  }

  memory() {
    return this.#exports.memory;
  }

  /** @param {Uint8Array} file @param {number} maxPixels @param {(stored: Stored) => void} place */
  decode(file, maxPixels, place) {
    const { pictures_room: room, pictures_decode: decode, ...about } = this.#exports;
    try {
      const at = room(file.length);
      if (at) this.#bytes(at, file.length).set(file);
      const status = STATUS[at ? decode(file.length, maxPixels) : 3];
      const [width, height] = [about.pictures_width(), about.pictures_height()];
      if (status === 'too large') requireSize(width, height, maxPixels);
      if (status !== 'ok') throw this.#refusal(status);
      const data = this.#bytes(about.pictures_rgba(), width * height * 4);
      place({ data, width, height });
      return data.length;
    } finally {
      about.pictures_release();
    }
  }

  /** @param {number} at @param {number} length */
  #bytes(at, length) {
    return new Uint8Array(this.memory().buffer, at, length);
  }

  /** @param {string} status */
  #refusal(status) {
    if (status === 'memory')
      return new WispError('WISP_ERR_MEMORY', 'There is no memory to decode it.');
    if (status === 'lacking') return brokenOff(this.#exports.pictures_lacking());
    return new DamagedError(this.#words(this.#exports.pictures_why()));
  }

  /** @param {number} at of UTF-8 that ends in 0, or 0 */
  #words(at) {
    const bytes = this.#bytes(0, this.memory().buffer.byteLength);
    return at ? new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at))) : '';
  }
}
