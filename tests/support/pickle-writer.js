// Writes pickles for tests, of protocols 2 to 5, as Python's pickle module spells them.

/** A class or function. */
export class Name {
  /** @param {string} module @param {string} name */
  constructor(module, name) {
    this.module = module;
    this.name = name;
  }
}

/** What a function gives, or an object that is made as one: REDUCE. */
export class Call {
  /** @param {Name} name @param {any[]} args */
  constructor(name, args) {
    this.name = name;
    this.args = args;
  }
}

/** An object of a class, with what its attributes are: NEWOBJ, BUILD. */
export class Thing {
  /** @param {Name} type @param {any} state @param {unknown[]} [args] */
  constructor(type, state, args = []) {
    this.type = type;
    this.state = state;
    this.args = args;
  }
}

export class Tuple {
  /** @param {...unknown} items */
  constructor(...items) {
    this.items = items;
  }
}

/** A number that Python would call a float. */
export class Float {
  /** @param {number} value */
  constructor(value) {
    this.value = value;
  }
}

/** What lies beside the pickle: BINPERSID. */
export class Persistent {
  /** @param {...unknown} id */
  constructor(...id) {
    this.id = new Tuple(...id);
  }
}

/**
 * @param {any} value null, booleans, numbers, bigints, texts, bytes, arrays, maps, plain objects and the classes above
 * @param {number} [protocol]
 * @returns {Uint8Array}
 */
export function pickle(value, protocol = 2) {
  const writer = new Writer(protocol);
  writer.write(value);
  return Uint8Array.from([0x80, protocol, ...writer.bytes, 0x2e]);
}

class Writer {
  /** @type {number[]} */
  bytes = [];
  /** @type {Map<any, number>} */
  #known = new Map();

  /** @param {number} protocol */
  constructor(protocol) {
    this.isNew = protocol >= 4;
  }

  /** @param {...(number | string | Iterable<number>)} parts */
  #put(...parts) {
    for (const part of parts) {
      if (typeof part === 'string') for (const c of part) this.bytes.push(c.charCodeAt(0));
      else if (typeof part === 'number') this.bytes.push(part);
      else for (const byte of part) this.bytes.push(byte);
    }
  }

  /** @param {any} value */
  write(value) {
    if (value === null) return this.#put('N');
    if (typeof value === 'boolean') return this.#put(value ? '\x88' : '\x89');
    if (typeof value === 'number') return this.#number(value);
    if (typeof value === 'bigint') return this.#put('\x8a', 8, little(value, 8));
    if (value instanceof Float) return this.#float(value.value);
    const known = this.#known.get(value);
    if (known !== undefined) return this.#put('j', little(known, 4));
    return this.#compound(value);
  }

  /** @param {any} value */
  #remember(value) {
    if (this.isNew) this.#put('\x94');
    else this.#put('r', little(this.#known.size, 4));
    this.#known.set(value, this.#known.size);
  }

  /** @param {number} value */
  #number(value) {
    if (!Number.isInteger(value)) return this.#float(value);
    if (value >= 0 && value < 256) return this.#put('K', value);
    return this.#put('J', little(value, 4));
  }

  /** @param {number} value */
  #float(value) {
    this.#put('G', new Uint8Array(Float64Array.of(value).buffer).toReversed());
  }

  /** @param {any} value */
  #compound(value) {
    if (typeof value === 'string') this.#text(value);
    else if (value instanceof Uint8Array) this.#put('B', little(value.length, 4), value);
    else if (value instanceof Name) return this.#name(/** @type {any} */ (value));
    else if (value instanceof Tuple) return this.#tuple(value.items);
    else if (value instanceof Persistent) {
      this.write(value.id);
      return this.#put('Q');
    } else if (value instanceof Call || value instanceof Thing) return this.#object(value);
    else if (Array.isArray(value)) return this.#list(value);
    else return this.#dictionary(value);
    return this.#remember(value);
  }

  /** @param {string} text */
  #text(text) {
    const bytes = new TextEncoder().encode(text);
    if (this.isNew && bytes.length < 256) this.#put('\x8c', bytes.length, bytes);
    else this.#put('X', little(bytes.length, 4), bytes);
  }

  /** @param {{module: string, name: string}} name */
  #name(name) {
    if (this.isNew) {
      this.write(name.module);
      this.write(name.name);
      this.#put('\x93');
    } else this.#put('c', `${name.module}\n${name.name}\n`);
    this.#remember(name);
  }

  /** @param {any[]} items */
  #tuple(items) {
    if (items.length > 3) this.#put('(');
    for (const item of items) this.write(item);
    this.#put([')', '\x85', '\x86', '\x87'][items.length] ?? 't');
  }

  /** @param {any[]} items */
  #list(items) {
    this.#put(']');
    this.#remember(items);
    this.#put('(');
    for (const item of items) this.write(item);
    this.#put('e');
  }

  /** @param {Map<any, any> | Record<string, any>} map */
  #dictionary(map) {
    this.#put('}');
    this.#remember(map);
    this.#put('(');
    for (const [key, value] of map instanceof Map ? map : Object.entries(map)) {
      this.write(key);
      this.write(value);
    }
    this.#put('u');
  }

  /** @param {any} thing */
  #object(thing) {
    this.write(thing.type ?? thing.name);
    this.#tuple(thing.args);
    this.#put(thing instanceof Call ? 'R' : '\x81');
    this.#remember(thing);
    if (thing instanceof Call) return;
    this.write(thing.state);
    this.#put('b');
  }
}

/** @param {number | bigint} value @param {number} count of bytes */
function little(value, count) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  return bytes.subarray(0, count);
}
