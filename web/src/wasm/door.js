// A running instance seen through its memory: statuses as errors, traps as crashes. What both engines have in common.

import { saying, WispError } from '../error.js';
import { readRecords, readText } from './record.js';

export class Door {
  #module;
  #prefix;
  #crashed;
  /** @type {Map<string, import('./record.js').Record> | undefined} */
  #records;

  /**
   * @param {any} module an instance's exports
   * @param {'runtime' | 'press'} prefix of their names
   * @param {[crash: string, advice: string]} crashed sentences without their stop
   */
  constructor(module, prefix, crashed) {
    this.#module = module;
    this.#prefix = prefix;
    this.#crashed = crashed;
  }

  /** @returns {WebAssembly.Memory} */
  get memory() {
    return this.#module.wasmMemory;
  }

  /** An address, or nothing where there is no such function. @param {string} name without the prefix */
  #ask(name) {
    return this.#module[`_${this.#prefix}_${name}`]?.();
  }

  /** How a struct is laid out. @param {string} name @returns {import('./record.js').Record} */
  record(name) {
    const at = this.#records ? 0 : this.#ask('records');
    if (at) this.#records = readRecords(this.memory, this.text(at));
    const record = this.#records?.get(name);
    if (record) return record;
    const sentence = `The ${this.#prefix} tells nothing of "${name}": its files are of another version.`;
    throw new WispError('WISP_ERR_ENGINE', sentence);
  }

  /** @param {number} at @param {number} length */
  bytes(at, length) {
    return new Uint8Array(this.memory.buffer, at, length);
  }

  /** Room for RGBA bytes. @param {number} at @param {number} width @param {number} height */
  pixels(at, width, height) {
    return new Uint8ClampedArray(this.memory.buffer, at, width * height * 4);
  }

  /** @param {number} at @param {number} length */
  numbers(at, length) {
    return new Float64Array(this.memory.buffer, at, length);
  }

  /** @param {number} at of UTF-8 that ends in 0 @returns {string} */
  text(at) {
    return readText(this.memory.buffer, at);
  }

  /** @param {number} status a negative wisp_status, or what else a call gives @returns {number} that */
  require(status) {
    if (status >= 0) return status;
    throw new WispError(this.text(this.#ask('error_name')), this.text(this.#ask('error_message')));
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
