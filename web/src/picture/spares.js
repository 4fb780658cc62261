// Memory that came from the worker, for the raw pictures to come.

import { bringsLanding } from './picture.js';

/**
 * @typedef {import('./picture.js').Raw} Raw
 */

/**
 * Buffers, since fresh ones cost more than the copy into them, and where memory is shared the landing, the room of one
 * picture in the engine's own. Only who has the landing writes there; it goes back with a picture, in it or not.
 */
export class Spares {
  /** @type {ArrayBuffer[]} */
  #buffers = [];
  /** @type {Uint8Array<SharedArrayBuffer> | undefined} */
  #landing;
  #hasLanding = false;

  /**
   * @param {ArrayBuffer[]} buffers in place of those before
   * @param {Uint8Array<SharedArrayBuffer> | undefined} landing
   */
  keep(buffers, landing) {
    this.#buffers = buffers;
    if (!landing) return;
    this.#landing = landing;
    this.#hasLanding = true;
  }

  /** These won't go to the worker. @param {import('./picture.js').Unnamed[]} pictures */
  takeBack(pictures) {
    this.#hasLanding ||= pictures.some(bringsLanding);
  }

  /** @param {Raw} raw @returns {import('./picture.js').Unnamed} a copy */
  pack({ data, width, height }) {
    const returnsLanding = this.#hasLanding;
    this.#hasLanding = false;
    if (returnsLanding && this.#landing && this.#landing.length >= data.length) {
      this.#landing.set(data);
      return { kind: 'landed', width, height };
    }
    return { kind: 'raw', data: this.#copy(data), width, height, returnsLanding };
  }

  /** @param {Uint8Array | Uint8ClampedArray} data @returns {Uint8Array<ArrayBuffer>} */
  #copy(data) {
    const at = this.#buffers.findIndex((buffer) => buffer.byteLength === data.length);
    if (at < 0) return new Uint8Array(data);
    const bytes = new Uint8Array(this.#buffers.splice(at, 1)[0]);
    bytes.set(data);
    return bytes;
  }
}
