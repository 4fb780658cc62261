// Reads the bytes of a pickle from front to back, and never past their end.

import { WispError } from '../../error.js';
import { malformed } from '../../graph/graph-error.js';

/** Letters of a module's or a class's name. */
const LONGEST_NAME = 400;

/** Bytes of an integer: Python's own are of any size, those of a checkpoint have 8, its magic number 10. */
const LONGEST_INTEGER = 64;

export class PickleCursor {
  #bytes;
  #view;
  #text = new TextDecoder();

  /** @param {Uint8Array} bytes @param {number} at where to begin */
  constructor(bytes, at) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = at;
  }

  /** Where the next `count` bytes begin; they are then read. @param {number} count */
  #next(count) {
    const { at } = this;
    if (count > this.#bytes.length - at) {
      throw new WispError(
        'WISP_ERR_TRUNCATED',
        `The checkpoint ends early: ${count} bytes are due at byte ${at} of its pickle, which has ` +
          `${this.#bytes.length}; copy or download it again.`,
      );
    }
    this.at += count;
    return at;
  }

  byte() {
    return this.#bytes[this.#next(1)];
  }

  uint16() {
    return this.#view.getUint16(this.#next(2), true);
  }

  int32() {
    return this.#view.getInt32(this.#next(4), true);
  }

  uint32() {
    return this.#view.getUint32(this.#next(4), true);
  }

  uint64() {
    return Number(this.#view.getBigUint64(this.#next(8), true));
  }

  double() {
    return this.#view.getFloat64(this.#next(8), false);
  }

  /** @param {number} count */
  bytes(count) {
    const at = this.#next(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** @param {number} count of bytes */
  text(count) {
    return this.#text.decode(this.bytes(count));
  }

  /** To the end of the line. */
  line() {
    const { at } = this;
    const length = this.#bytes.subarray(at, at + LONGEST_NAME).indexOf(0x0a);
    if (length < 0) malformed(`The name at byte ${at} of the checkpoint's pickle does not end.`);
    const line = this.text(length);
    this.at++;
    return line;
  }

  /** In two's complement, the lowest byte first. @param {number} count of bytes @returns {number | bigint} */
  integer(count) {
    if (count > LONGEST_INTEGER)
      malformed(`The checkpoint's pickle has an integer of ${count} bytes, at byte ${this.at}.`);
    const value = this.bytes(count).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    const signed = BigInt.asIntN(8 * count, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }
}
