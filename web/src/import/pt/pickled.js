// What a pickle holds, as plain data: names of classes and functions, what is made of them, tensors and their storages.

/**
 * None is null; integers beyond 2^53 are bigint; lists and tuples are arrays, dictionaries are maps.
 * @typedef {null | boolean | number | bigint | string | Uint8Array | any[] | Map<any, any> | Set<any> | Name |
 *   Made | Storage | Tensor} Pickled
 */

/** A class or function of Python, which is only ever a name here. */
export class Name {
  /** @param {string} module @param {string} name */
  constructor(module, name) {
    this.module = module;
    this.name = name;
  }

  toString() {
    return `${this.module}.${this.name}`;
  }
}

/** What a class or function would make in Python: here its name and what it would be given. */
export class Made {
  /** What the object is set to after it is made: in most cases a dictionary of its attributes. @type {Pickled} */
  state = null;

  /** @param {Name} type @param {Pickled[]} args */
  constructor(type, args) {
    this.type = type;
    this.args = args;
  }
}

/** Numbers of a checkpoint. */
export class Storage {
  /** @param {string} type e.g. HalfStorage @param {string} key its name in the file @param {number} count of numbers */
  constructor(type, key, count) {
    this.type = type;
    this.key = key;
    this.count = count;
  }
}

/** A view of a storage; offset and strides are counted in numbers. */
export class Tensor {
  /** @param {Storage} storage @param {number} offset @param {number[]} size @param {number[]} stride */
  constructor(storage, offset, size, stride) {
    this.storage = storage;
    this.offset = offset;
    this.size = size;
    this.stride = stride;
  }
}

/** Letters of a text that is shown. */
const SHOWN = 60;

/** For sentences: never long, however long or deep the value is. @param {Pickled | undefined} value */
export function wordsFor(value) {
  if (typeof value === 'string') return `"${value.slice(0, SHOWN)}"`;
  if (value instanceof Tensor) return `a tensor of ${value.size.join('×')}`;
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map) return 'a dictionary';
  if (value === null) return 'None';
  return typeof value === 'object' ? 'an object' : String(value);
}
