// Tables of values → the bytes of a FlatBuffer; each table is written before what it refers to.

/**
 * @typedef {{of: 'byte' | 'int' | 'uint' | 'float', value: number}} Scalar
 * @typedef {{of: 'bytes' | 'text' | 'longs' | 'ints' | 'floats', value: ArrayLike<number> | string,
 *   align?: number}} List
 * @typedef {{of: 'tables', value: Table[]}} Tables
 * @typedef {{of: 'table', value: Table}} Nested
 * @typedef {(Scalar | List | Tables | Nested | null)[]} Table its fields by their place; null: the default
 */

const ITEM_BYTES = { bytes: 1, text: 1, ints: 4, floats: 4, longs: 8 };
const FIELD_BYTES = 4; // of a number, an offset, and also of a byte with its padding

export class FlatBuffer {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;
  /** Places that wait for the offset of what is written later. @type {{at: number, field: List | Tables | Nested}[]} */
  #waiting = [];

  /** @param {Table} root @param {string} identifier four letters @returns {Uint8Array} */
  static write(root, identifier) {
    const buffer = new FlatBuffer();
    const start = buffer.#reserve(8, 4);
    buffer.#bytes.set(new TextEncoder().encode(identifier), start + 4);
    buffer.#refer(start, buffer.#table(root));
    for (let next = buffer.#waiting.shift(); next; next = buffer.#waiting.shift()) {
      buffer.#refer(next.at, buffer.#child(next.field));
    }
    return buffer.#bytes.slice(0, buffer.#end);
  }

  /** @param {number} at @param {number} target */
  #refer(at, target) {
    this.#view.setUint32(at, target - at, true);
  }

  /** @param {number} size @param {number} align @param {number} [before] bytes that stand before what is aligned */
  #reserve(size, align, before = 0) {
    const at = Math.ceil((this.#end + before) / align) * align - before;
    this.#end = at + size;
    if (this.#end > this.#bytes.length) {
      const grown = new Uint8Array(this.#end * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  /** @param {Table} fields @returns {number} where it is */
  #table(fields) {
    const layout = this.#reserve(4 + 2 * fields.length, 4);
    const present = fields.filter((field) => field !== null).length;
    const table = this.#reserve(4 + FIELD_BYTES * present, 4);
    this.#view.setUint16(layout, 4 + 2 * fields.length, true);
    this.#view.setUint16(layout + 2, 4 + FIELD_BYTES * present, true);
    this.#view.setInt32(table, table - layout, true);
    let at = table + 4;
    for (const [i, field] of fields.entries()) {
      if (field === null) continue;
      this.#view.setUint16(layout + 4 + 2 * i, at - table, true);
      this.#field(at, field);
      at += FIELD_BYTES;
    }
    return table;
  }

  /** @param {number} at @param {Scalar | List | Tables | Nested} field */
  #field(at, field) {
    if (field.of === 'byte') this.#view.setUint8(at, field.value);
    else if (field.of === 'int') this.#view.setInt32(at, field.value, true);
    else if (field.of === 'uint') this.#view.setUint32(at, field.value, true);
    else if (field.of === 'float') this.#view.setFloat32(at, field.value, true);
    else this.#waiting.push({ at, field: /** @type {List | Tables | Nested} */ (field) });
  }

  /** @param {List | Tables | Nested} field @returns {number} where it is */
  #child(field) {
    if (field.of === 'table') return this.#table(field.value);
    if (field.of !== 'tables') return this.#list(field);
    const at = this.#reserve(4 + 4 * field.value.length, 4);
    this.#view.setUint32(at, field.value.length, true);
    for (const [i, value] of field.value.entries()) {
      this.#waiting.push({ at: at + 4 + 4 * i, field: { of: 'table', value } });
    }
    return at;
  }

  /** @param {List} list */
  #list({ of, value, align = ITEM_BYTES[of] }) {
    const items = typeof value === 'string' ? new TextEncoder().encode(value) : value;
    const zero = of === 'text' ? 1 : 0; // texts end in one
    const size = 4 + ITEM_BYTES[of] * items.length + zero;
    const at = this.#reserve(size, Math.max(align, 4), 4);
    this.#view.setUint32(at, items.length, true);
    const start = at + 4;
    if (of === 'bytes' || of === 'text') this.#bytes.set(items, start);
    else if (of === 'ints') new Int32Array(this.#bytes.buffer, start, items.length).set(items);
    else if (of === 'floats') new Float32Array(this.#bytes.buffer, start, items.length).set(items);
    else new BigInt64Array(this.#bytes.buffer, start, items.length).set(Array.from(items, BigInt));
    return at;
  }
}
