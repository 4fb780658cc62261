// A running instance seen through its memory: statuses as errors, traps as crashes. What both engines have in common.

import { saying, WispError } from '../error.js';

export class Door {
  #memory;
  #error;
  #crashed;

  /**
   * @param {WebAssembly.Memory} memory
   * @param {{name: () => number, message: () => number}} error addresses of what the last failed call says
   * @param {[crash: string, advice: string]} crashed sentences without their stop
   */
  constructor(memory, error, crashed) {
    this.#memory = memory;
    this.#error = error;
    this.#crashed = crashed;
  }

  get memory() {
    return this.#memory;
  }

  /** @param {number} at @param {number} length */
  bytes(at, length) {
    return new Uint8Array(this.#memory.buffer, at, length);
  }

  /** Room for RGBA bytes. @param {number} at @param {number} width @param {number} height */
  pixels(at, width, height) {
    return new Uint8ClampedArray(this.#memory.buffer, at, width * height * 4);
  }

  /** @param {number} at @param {number} length */
  numbers(at, length) {
    return new Float64Array(this.#memory.buffer, at, length);
  }

  /** @param {number} at of UTF-8 that ends in 0 @returns {string} */
  text(at) {
    const bytes = new Uint8Array(this.#memory.buffer);
    return new TextDecoder().decode(bytes.slice(at, bytes.indexOf(0, at))); // a copy: it may be shared memory
  }

  /** @param {number} status a negative wisp_status, or what else a call gives @returns {number} that */
  require(status) {
    if (status >= 0) return status;
    throw new WispError(this.text(this.#error.name()), this.text(this.#error.message()));
  }

  /**
   * @template T
   * @param {() => T} call
   * @returns {T}
   */
  guard(call) {
    try {
      return call();
    } catch (thrown) {
      if (!isTrap(thrown)) throw thrown;
      const why = thrown === UNWIND ? 'one of its threads died' : saying(thrown);
      const [crash, advice] = this.#crashed;
      throw new WispError('WISP_ERR_CRASH', `${crash}: ${why}. ${advice}.`, { cause: thrown });
    }
  }
}

const UNWIND = 'unwind'; // as Emscripten says it where another thread died

/** @param {unknown} thrown */
function isTrap(thrown) {
  const ownDies = thrown instanceof WebAssembly.RuntimeError || thrown instanceof RangeError;
  return ownDies || thrown === UNWIND;
}
