// Reads pickles of protocols 2 to 5 as data. Nothing in them is run: what they call stays a name with its arguments.

import { malformed, unsupported } from '../../graph/graph-error.js';
import { call, nameOf, persistent } from './pickle-calls.js';
import { PickleCursor } from './pickle-cursor.js';
import { Made, Name, wordsFor } from './pickled.js';

/**
 * @typedef {import('./pickled.js').Pickled} Pickled
 * @typedef {import('./pickled.js').Storage} Storage
 */

/** Steps of a pickle: a YOLOv5x6 in training, with its optimizer, takes some 300,000. */
const MOST_STEPS = 4_000_000;

/**
 * Memory stays within some hundred bytes for a byte of the pickle, whatever stands in it.
 * @param {Uint8Array} bytes
 * @param {number} [start] where the pickle begins
 * @returns {{value: Pickled, end: number, storages: Map<string, Storage>}} end: behind its last byte; storages that
 *   it names, by their keys
 */
export function readPickle(bytes, start = 0) {
  const machine = new Machine(new PickleCursor(bytes, start));
  const value = machine.run();
  return { value, end: machine.cursor.at, storages: machine.storages };
}

/** Python's machine of pickles: a stack with marks in it, and a memory for what is named again. */
class Machine {
  /** @type {Pickled[]} */
  #stack = [];
  /** Heights of the stack. @type {number[]} */
  #marks = [];
  /** @type {Map<number, Pickled>} */
  #memory = new Map();
  /** @type {Map<string, Name>} */
  #names = new Map();

  /** @type {Map<string, Storage>} */
  storages = new Map();

  /** @param {PickleCursor} cursor */
  constructor(cursor) {
    this.cursor = cursor;
  }

  run() {
    for (let step = 0; step < MOST_STEPS; step++) {
      const { at } = this.cursor;
      const code = String.fromCharCode(this.cursor.byte());
      if (code === STOP) return this.pop();
      const operation = OPERATIONS.get(code);
      if (!operation) return unknownOperation(code, at);
      operation(this, this.cursor);
    }
    return unsupported(
      `The checkpoint's pickle takes more than ${MOST_STEPS} steps; no YOLOv5 needs so many. Save the model alone.`,
    );
  }

  /** @param {Pickled} value */
  push(value) {
    this.#stack.push(value);
  }

  pop() {
    const floor = this.#marks[this.#marks.length - 1] ?? 0;
    if (this.#stack.length <= floor) this.#empty();
    return /** @type {Pickled} */ (this.#stack.pop());
  }

  top() {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  mark() {
    this.#marks.push(this.#stack.length);
  }

  /** What stands above the last mark, which goes. */
  popMarked() {
    const mark = this.#marks.pop();
    return mark === undefined ? this.#empty() : this.#stack.splice(mark);
  }

  /** The last `count`, in their order. @param {number} count */
  popLast(count) {
    const floor = this.#marks[this.#marks.length - 1] ?? 0;
    if (this.#stack.length - count < floor) this.#empty();
    return this.#stack.splice(-count);
  }

  /** @param {number} index */
  remember(index) {
    this.#memory.set(index, this.top());
  }

  rememberNext() {
    this.#memory.set(this.#memory.size, this.top());
  }

  /** @param {number} index */
  recall(index) {
    const value = this.#memory.get(index);
    if (value === undefined)
      malformed(`The checkpoint's pickle recalls value ${index}, which it never had.`);
    this.push(value);
  }

  /** @param {Pickled} module @param {Pickled} name */
  pushName(module, name) {
    if (typeof module !== 'string' || typeof name !== 'string')
      return malformed("The checkpoint's pickle has a class whose name is no text.");
    const key = `${module} ${name}`;
    const known = this.#names.get(key) ?? nameOf(module, name);
    this.#names.set(key, known);
    return this.push(known);
  }

  /** Of what the checkpoint keeps beside its pickle. @param {Pickled} id */
  pushPersistent(id) {
    const found = persistent(id);
    if (found instanceof Name) return this.push(found);
    const { type, key, count } = found;
    const known = this.storages.get(key) ?? found;
    if (known.type !== type || known.count !== count)
      malformed(
        `Storage ${wordsFor(key)} of the checkpoint is ${known.count} × ${known.type} and ${count} × ${type}.`,
      );
    this.storages.set(key, known);
    return this.push(known);
  }

  /** @returns {never} */
  #empty() {
    return malformed(
      `The checkpoint's pickle is damaged: byte ${this.cursor.at} takes what is not there.`,
    );
  }
}

/** @param {string} code @param {number} at @returns {never} */
function unknownOperation(code, at) {
  const hex = code.charCodeAt(0).toString(16).padStart(2, '0');
  return malformed(
    `Byte ${at} of the checkpoint's pickle is 0x${hex}, which torch.save never writes (protocols 2 to 5).`,
  );
}

/** @param {Machine} m @param {Pickled} state */
function build(m, state) {
  const value = m.top();
  if (value instanceof Made) value.state = state;
}

/** @param {Machine} m @param {Pickled[]} items */
function extend(m, items) {
  const list = m.top();
  if (list instanceof Set) for (const item of items) list.add(item);
  else if (Array.isArray(list)) for (const item of items) list.push(item);
  else if (!(list instanceof Made))
    malformed("The checkpoint's pickle appends to what is no list.");
}

/** @param {Machine} m @param {Pickled[]} items keys and values in turn */
function fill(m, items) {
  const map = m.top();
  if (!(map instanceof Map || map instanceof Made) || items.length % 2 !== 0)
    malformed("The checkpoint's pickle sets entries of what is no dictionary.");
  if (map instanceof Map) for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
}

/** @param {Machine} m @param {Pickled[]} parts class, arguments */
function make(m, [type, args]) {
  if (!(type instanceof Name) || !Array.isArray(args))
    return malformed("The checkpoint's pickle makes an object of what is no class.");
  return m.push(new Made(type, args));
}

/** @param {Machine} m @param {number} bytes */
function skip(m, bytes) {
  m.cursor.bytes(bytes);
}

const STOP = '.';

/**
 * By their codes, in the order and with the names of Python's pickletools.
 * @type {Map<string, (m: Machine, c: PickleCursor) => void>}
 */
const OPERATIONS = new Map([
  ['J', (m, c) => m.push(c.int32())], // BININT
  ['K', (m, c) => m.push(c.byte())], // BININT1
  ['M', (m, c) => m.push(c.uint16())], // BININT2
  ['\x8a', (m, c) => m.push(c.integer(c.byte()))], // LONG1
  ['\x8b', (m, c) => m.push(c.integer(c.uint32()))], // LONG4
  ['T', (m, c) => m.push(c.bytes(c.uint32()))], // BINSTRING
  ['U', (m, c) => m.push(c.bytes(c.byte()))], // SHORT_BINSTRING
  ['B', (m, c) => m.push(c.bytes(c.uint32()))], // BINBYTES
  ['C', (m, c) => m.push(c.bytes(c.byte()))], // SHORT_BINBYTES
  ['\x8e', (m, c) => m.push(c.bytes(c.uint64()))], // BINBYTES8
  ['\x96', (m, c) => m.push(c.bytes(c.uint64()))], // BYTEARRAY8
  ['N', (m) => m.push(null)], // NONE
  ['\x88', (m) => m.push(true)], // NEWTRUE
  ['\x89', (m) => m.push(false)], // NEWFALSE
  ['\x8c', (m, c) => m.push(c.text(c.byte()))], // SHORT_BINUNICODE
  ['X', (m, c) => m.push(c.text(c.uint32()))], // BINUNICODE
  ['\x8d', (m, c) => m.push(c.text(c.uint64()))], // BINUNICODE8
  ['G', (m, c) => m.push(c.double())], // BINFLOAT
  [']', (m) => m.push([])], // EMPTY_LIST
  ['a', (m) => extend(m, [m.pop()])], // APPEND
  ['e', (m) => extend(m, m.popMarked())], // APPENDS
  ['l', (m) => m.push(m.popMarked())], // LIST
  [')', (m) => m.push([])], // EMPTY_TUPLE
  ['t', (m) => m.push(m.popMarked())], // TUPLE
  ['\x85', (m) => m.push(m.popLast(1))], // TUPLE1
  ['\x86', (m) => m.push(m.popLast(2))], // TUPLE2
  ['\x87', (m) => m.push(m.popLast(3))], // TUPLE3
  ['}', (m) => m.push(new Map())], // EMPTY_DICT
  ['s', (m) => fill(m, m.popLast(2))], // SETITEM
  ['u', (m) => fill(m, m.popMarked())], // SETITEMS
  ['\x8f', (m) => m.push(new Set())], // EMPTY_SET
  ['\x90', (m) => extend(m, m.popMarked())], // ADDITEMS
  ['\x91', (m) => m.push(new Set(m.popMarked()))], // FROZENSET
  ['0', (m) => m.pop()], // POP
  ['2', (m) => m.push(m.top())], // DUP
  ['(', (m) => m.mark()], // MARK
  ['1', (m) => m.popMarked()], // POP_MARK
  ['h', (m, c) => m.recall(c.byte())], // BINGET
  ['j', (m, c) => m.recall(c.uint32())], // LONG_BINGET
  ['q', (m, c) => m.remember(c.byte())], // BINPUT
  ['r', (m, c) => m.remember(c.uint32())], // LONG_BINPUT
  ['\x94', (m) => m.rememberNext()], // MEMOIZE
  ['c', (m, c) => m.pushName(c.line(), c.line())], // GLOBAL
  ['\x93', (m) => m.pushName(.../** @type {[Pickled, Pickled]} */ (m.popLast(2)))], // STACK_GLOBAL
  ['R', (m) => m.push(call(.../** @type {[Pickled, Pickled]} */ (m.popLast(2))))], // REDUCE
  ['b', (m) => build(m, m.pop())], // BUILD
  ['\x81', (m) => make(m, m.popLast(2))], // NEWOBJ
  ['\x92', (m) => make(m, m.popLast(3))], // NEWOBJ_EX
  ['\x80', (m) => skip(m, 1)], // PROTO
  ['\x95', (m) => skip(m, 8)], // FRAME
  ['Q', (m) => m.pushPersistent(m.pop())], // BINPERSID
]);
