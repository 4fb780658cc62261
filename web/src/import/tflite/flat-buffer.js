// Reads tables of a flat buffer, each place checked: https://flatbuffers.dev/internals.
//
// What a table points at may be pointed at by others, so that a small file could tell a long story. All that is read is
// counted, and may not be more than such a file holds.

import { malformed } from '../../graph/graph-error.js';

/** How often the same byte may be read: constants that are alike are stored once. */
const READS_A_BYTE = 4;

/** Bytes that a table's directory has before its fields. */
const DIRECTORY_HEAD = 4;

class Pages {
  #left;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#left = READS_A_BYTE * bytes.length;
  }

  /** That these bytes are there, and may be read. @param {number} at @param {number} count */
  need(at, count) {
    this.#left -= count;
    if (at < 0 || at + count > this.bytes.length)
      malformed(
        `The TFLite file is damaged or ends early: ${count} bytes are due at ${at}, it has ${this.bytes.length}.`,
      );
    if (this.#left < 0) malformed('The TFLite file repeats itself more than a network does.');
    return at;
  }

  /** @param {number} at */
  u32 = (at) => this.view.getUint32(this.need(at, 4), true);
  /** @param {number} at */
  i32 = (at) => this.view.getInt32(this.need(at, 4), true);
  /** @param {number} at */
  u16 = (at) => this.view.getUint16(this.need(at, 2), true);
}

export class FlatTable {
  #pages;
  #at;
  #directory;

  /** @param {Pages} pages @param {number} at */
  constructor(pages, at) {
    this.#pages = pages;
    this.#at = at;
    this.#directory = at - pages.i32(at);
  }

  /** The first table of a file. @param {Uint8Array} file */
  static first({ buffer, byteOffset, length }) {
    const pages = new Pages(new Uint8Array(buffer, byteOffset, length)); // a Node Buffer's slice() would not copy
    return new FlatTable(pages, pages.u32(0));
  }

  /** Where a field is; null: it has its default. @param {number} field by its place in the schema */
  #place(field) {
    const slot = DIRECTORY_HEAD + 2 * field;
    if (slot + 2 > this.#pages.u16(this.#directory)) return null;
    const offset = this.#pages.u16(this.#directory + slot);
    return offset === 0 ? null : this.#at + offset;
  }

  /** @param {number} field of 8 bits */
  byte(field) {
    const at = this.#place(field);
    return at === null ? 0 : this.#pages.view.getInt8(this.#pages.need(at, 1));
  }

  /** @param {number} field of 32 bits @param {number} [otherwise] */
  int(field, otherwise = 0) {
    const at = this.#place(field);
    return at === null ? otherwise : this.#pages.i32(at);
  }

  /** @param {number} field @param {number} otherwise */
  float(field, otherwise) {
    const at = this.#place(field);
    return at === null ? otherwise : this.#pages.view.getFloat32(this.#pages.need(at, 4), true);
  }

  /** What a field points at. @param {number} field */
  #target(field) {
    const at = this.#place(field);
    return at === null ? null : at + this.#pages.u32(at);
  }

  /** @param {number} field @returns {FlatTable | null} */
  table(field) {
    const at = this.#target(field);
    return at === null ? null : new FlatTable(this.#pages, at);
  }

  /** A vector's bytes. @param {number} field @param {number} size of each element @returns {Uint8Array | null} */
  vector(field, size) {
    const at = this.#target(field);
    if (at === null) return null;
    const length = this.#pages.u32(at) * size;
    this.#pages.need(at + 4, length);
    return this.#pages.bytes.subarray(at + 4, at + 4 + length);
  }

  /** @param {number} field */
  ints(field) {
    const bytes = this.vector(field, 4);
    return bytes ? Array.from(new Int32Array(aligned(bytes))) : [];
  }

  /** @param {number} field */
  floats(field) {
    return new Float32Array(aligned(this.vector(field, 4) ?? new Uint8Array()));
  }

  /** Of 64 bits each. @param {number} field */
  longs(field) {
    const bytes = this.vector(field, 8) ?? new Uint8Array();
    return Array.from(new BigInt64Array(aligned(bytes)), Number);
  }

  /** @param {number} field */
  text(field) {
    return new TextDecoder().decode(this.vector(field, 1) ?? new Uint8Array());
  }

  /** @param {number} field @returns {FlatTable[]} */
  tables(field) {
    const at = this.#target(field);
    if (at === null) return [];
    const count = this.#pages.u32(at);
    this.#pages.need(at + 4, 4 * count);
    return Array.from({ length: count }, (_, i) => {
      const slot = at + 4 + 4 * i;
      return new FlatTable(this.#pages, slot + this.#pages.u32(slot));
    });
  }
}

/** A copy of bytes that begins where typed arrays may. @param {Uint8Array} bytes */
const aligned = (bytes) => /** @type {ArrayBuffer} */ (bytes.slice().buffer);
