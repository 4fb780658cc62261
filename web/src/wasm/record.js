// Structs in a module's memory, filled and read by the names of their fields, which the module tells (wasm/record.h).

import { naming, WispError } from '../error.js';

/**
 * @typedef {object} Kind of field
 * @property {string} type of DataView's
 * @property {string} [is] what a value may be, besides the field's words
 * @property {(value: unknown) => boolean} [fits]
 * @property {(number: any, buffer: ArrayBufferLike) => unknown} [told] what it means
 *
 * @typedef {object} Field
 * @property {string} name
 * @property {boolean} needed whether it has to be given
 * @property {string} kind
 * @property {number} offset
 * @property {number} count of numbers side by side; of a pointer, the offset of how many it points to
 * @property {Map<string, number>} words that may be given, and what they stand for
 *
 * @typedef {(field: Field, value: any) => [address: number, count: number]} Place puts the numbers that a pointer
 *   points to somewhere
 */

/** @param {number} least @param {number} most @returns {(value: unknown) => boolean} */
const whole = (least, most) => (value) =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
const MOST = 2 ** 32 - 1;

/** @type {{[name: string]: Kind}} */
const KINDS = {
  i32: { type: 'Int32', is: 'a whole number', fits: whole(-(2 ** 31), 2 ** 31 - 1) },
  u32: { type: 'Uint32', is: `a whole number from 0 to ${MOST}`, fits: whole(0, MOST) },
  i64: { type: 'BigInt64', told: Number },
  f32: { type: 'Float32', is: 'a number', fits: Number.isFinite },
  f64: { type: 'Float64' },
  flag: {
    type: 'Int32',
    is: 'true or false',
    fits: (value) => typeof value === 'boolean',
    told: Boolean,
  },
  word: { type: 'Int32' },
  address: { type: 'Uint32', is: 'an address', fits: whole(0, MOST) },
  text: { type: 'Uint32', told: (at, buffer) => readText(buffer, at) },
};

/**
 * @param {WebAssembly.Memory} memory
 * @param {string} text of a module's records
 * @returns {Map<string, Record>} by name
 */
export function readRecords(memory, text) {
  const records = text.split('\n\n').map((one) => new Record(memory, one));
  return new Map(records.map((one) => [one.name, one]));
}

export class Record {
  #memory;
  #fields;

  /** @param {WebAssembly.Memory} memory @param {string} text */
  constructor(memory, text) {
    const [head, ...lines] = text.split('\n');
    const [name, size] = head.split(' ');
    this.#memory = memory;
    this.#fields = lines.map(fieldOf);
    this.name = name;
    /** Bytes. */
    this.size = Number(size);
    /** By field, for whoever reads so many that it counts. @type {{[name: string]: number}} */
    this.offsets = Object.fromEntries(this.#fields.map((field) => [field.name, field.offset]));
  }

  /**
   * What is not given stays as it is there.
   * @param {number} at
   * @param {{[name: string]: any}} values
   * @param {Place} [place] of a record with pointers
   */
  fill(at, values, place) {
    for (const [name, value] of Object.entries(values))
      if (value !== undefined && !Object.hasOwn(this.offsets, name)) throw this.#unknown(name);
    for (const field of this.#fields) {
      const value = values[field.name];
      if (value !== undefined) this.#write(at, field, value, place);
      else if (field.needed) throw wrong(`The ${this.name} needs ${field.name}.`);
    }
  }

  /** @param {number} at @returns {any} every field by its name */
  read(at) {
    const view = this.#view(at);
    /** @type {{[name: string]: any}} */
    const values = {};
    for (const { name, kind, offset, words } of this.#fields) {
      const { type, told } = KINDS[kind];
      const number = view[`get${type}`](offset, true);
      values[name] = told ? told(number, view.buffer) : wordOf(words, number);
    }
    return values;
  }

  /** Those that a field takes. @param {string} name */
  words(name) {
    const field = this.#fields.find((one) => one.name === name);
    return [...(field?.words.keys() ?? [])];
  }

  /** @param {number} at @returns {any} a DataView whose methods are named by kinds */
  #view(at) {
    return new DataView(this.#memory.buffer, at, this.size);
  }

  /** @param {string} name */
  #unknown(name) {
    const names = Object.keys(this.offsets).join(', ');
    return wrong(`There is no "${name}" in the ${this.name}; there is ${names}.`);
  }

  /** @param {number} at @param {Field} field @param {any} value @param {Place} [place] */
  #write(at, field, value, place) {
    const { kind, offset, count } = field;
    if (place && kind.endsWith('*')) {
      const [address, length] = place(field, value); // which may replace the memory's buffer
      this.#view(at).setUint32(offset, address, true);
      this.#view(at).setInt32(count, length, true);
      return;
    }
    const view = this.#view(at);
    const set = `set${KINDS[kind].type}`;
    numbersOf(field, value).forEach((number, i) => view[set](offset + 4 * i, number, true));
  }
}

/** @param {string} line @returns {Field} */
function fieldOf(line) {
  const [name, kind, offset, count, ...words] = line.split(' ');
  const pairs = words.map((one) => one.split('='));
  return {
    name: name.replace('!', ''),
    needed: name.endsWith('!'),
    kind,
    offset: Number(offset),
    count: Number(count),
    words: new Map(pairs.map(([word, value]) => [word, Number(value)])),
  };
}

/** @param {Field} field @param {any} value @returns {number[]} */
function numbersOf(field, value) {
  if (field.count === 1) return [numberOf(field, value)];
  if (Array.isArray(value) && value.length === field.count)
    return value.map((one) => numberOf(field, one));
  throw wrong(`${field.name} is a list of ${field.count} numbers, not ${naming(value)}.`);
}

/** @param {Field} field @param {any} value @returns {number} */
function numberOf({ name, kind, words }, value) {
  const meant = words.get(value);
  if (meant !== undefined) return meant;
  const { is, fits } = KINDS[kind];
  if (fits?.(value) && wordOf(words, value) === value) return Number(value); // what has a word is told by it
  const may = [...(is ? [is] : []), ...[...words.keys()].map((word) => JSON.stringify(word))];
  const last = may.pop();
  throw wrong(
    `${name} is ${may.length > 0 ? `${may.join(', ')} or ${last}` : last}, not ${naming(value)}.`,
  );
}

/** @param {Field['words']} words @param {unknown} value @returns {unknown} its word, or itself */
function wordOf(words, value) {
  for (const [word, meant] of words) if (meant === value) return word;
  return value;
}

/** @param {ArrayBufferLike} buffer @param {number} at of UTF-8 that ends in 0 */
export function readText(buffer, at) {
  const bytes = new Uint8Array(buffer);
  return new TextDecoder().decode(bytes.slice(at, bytes.indexOf(0, at))); // a copy: it may be shared memory
}

/** @param {string} sentence */
const wrong = (sentence) => new WispError('WISP_ERR_ARGUMENT', sentence);
