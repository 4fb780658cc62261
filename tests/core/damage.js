// Damaged copies of a model, as many as one likes: each must end in an error before a box.
//   node tests/core/damage.js MODEL.wisp [count] [OTHER.wisp]
// The engine's memory is kept as it was at the start of each layer, so that only the damaged layer is decoded anew.

import { readFileSync } from 'node:fs';
import { runtimeFiles } from '../../web/src/detect/runtime-files.js';
import { RandomNumbers } from '../../web/src/graph/random-numbers.js';
import { Door } from '../../web/src/wasm/door.js';
import { compile, instantiate } from '../../web/src/wasm/instance.js';

const PREAMBLE = 24;

/**
 * @typedef {object} Damage
 * @property {number} at
 * @property {string} kind
 * @property {Uint8Array} bytes from `at` on; those before it are the model's own
 */

/** An engine that reads one model again and again. */
export class Patient {
  /** @type {any} */
  #module;
  #door;
  #bytes;
  /** @type {number[]} where the header's and each layer's bytes begin, and where the last end */
  #starts = [];
  /** The engine's memory at one of the starts. */
  #kept = new Uint8Array();
  #keptAt = -1;
  #early;

  /** @param {any} module @param {Uint8Array} bytes @param {boolean} early */
  constructor(module, bytes, early) {
    this.#module = module;
    this.#door = new Door(module, 'runtime', ['The engine crashed', 'That is a fault']);
    this.#bytes = bytes;
    this.#early = early;
  }

  /** @param {Uint8Array} bytes @param {boolean} [early] whether the detector begins with the header */
  static async open(bytes, early = false) {
    const { wisp } = runtimeFiles();
    const module = await instantiate(wisp, 0, compile(wisp.wasm));
    const patient = new Patient(module, bytes, early);
    patient.#read();
    return patient;
  }

  /** Once as it is. */
  #read() {
    const module = this.#module;
    const header =
      PREAMBLE + new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getUint32(8, true);
    if (this.#early) this.#expect(true);
    this.#starts = [0];
    this.#keep(0);
    if (this.#feed(this.#bytes.subarray(0, header)) !== 0) throw new Error(this.sentence());
    let end = header;
    const { layers } = this.#door.record('model').read(module._runtime_model());
    for (let i = 0; i < layers; i++) {
      const { bytes } = this.#door.record('layer').read(module._runtime_layer(i));
      if (bytes > 0) this.#starts.push(end);
      end += bytes;
    }
    if (end !== this.#bytes.length) throw new Error(`the layers end at ${end}`);
    this.#starts.push(end);
    if (this.#feed(this.#bytes.subarray(header)) !== 0) throw new Error(this.sentence());
    if (!this.#opens()) throw new Error(this.sentence());
  }

  /** @param {boolean} warmUp */
  #expect(warmUp) {
    this.#door.record('settings').fill(this.#module._runtime_expect(), { warmUp });
  }

  #opens() {
    if (!this.#early) this.#expect(false);
    return this.#module._runtime_open() === 0;
  }

  /** @param {number} at */
  #keep(at) {
    this.#kept = new Uint8Array(this.#module.wasmMemory.buffer).slice();
    this.#keptAt = at;
  }

  /** Memory that has grown since was not there: its bytes are zeros again. */
  #restore() {
    const memory = new Uint8Array(this.#module.wasmMemory.buffer);
    memory.set(this.#kept);
    memory.fill(0, this.#kept.length);
  }

  /** @param {Uint8Array} bytes @returns {number} status */
  #feed(bytes) {
    const module = this.#module;
    const at = module._runtime_model_buffer(bytes.length || 1);
    new Uint8Array(module.wasmMemory.buffer, at, bytes.length).set(bytes);
    return module._runtime_feed(bytes.length);
  }

  /** What the engine says of its last error. */
  sentence() {
    return this.#door.text(this.#module._runtime_error_message());
  }

  /** The engine as it is before the layer that holds byte `at`. @param {number} at @returns {number} its start */
  #before(at) {
    const start = /** @type {number} */ (
      this.#starts.findLast((one) => one <= at && one < this.#bytes.length)
    );
    if (start < this.#keptAt) throw new Error('damages come in the order of their places');
    this.#restore();
    if (start === this.#keptAt) return start;
    if (this.#feed(this.#bytes.subarray(this.#keptAt, start)) !== 0)
      throw new Error(this.sentence());
    this.#keep(start);
    return start;
  }

  /** @param {Damage} damage @returns {boolean} whether an error with a sentence came before a detector was open */
  suffers({ at, bytes }) {
    const start = this.#before(at);
    const end = /** @type {number} */ (this.#starts.find((one) => one > start));
    const near = Math.max(0, Math.min(end - at, bytes.length));
    const joined = new Uint8Array(at - start + near);
    joined.set(this.#bytes.subarray(start, at));
    joined.set(bytes.subarray(0, near), at - start);
    const refused = this.#feed(joined) !== 0 || this.#feed(bytes.subarray(near)) !== 0;
    const failed = refused || !this.#opens();
    return failed && /^[A-Z].{10,}\.$/.test(this.sentence());
  }
}

/** @param {Uint8Array} bytes @param {number} at @param {Uint8Array} replaced @param {number} [taken] bytes left out */
function patched(bytes, at, replaced, taken = replaced.length) {
  const rest = bytes.subarray(at + taken);
  const result = new Uint8Array(replaced.length + rest.length);
  result.set(replaced);
  result.set(rest, replaced.length);
  return result;
}

/** @param {Uint8Array} bytes @returns {Generator<Damage>} each bit once, and a cut at each byte */
export function* everyBitAndCut(bytes) {
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      yield {
        at,
        kind: `bit ${bit}`,
        bytes: patched(bytes, at, Uint8Array.of(bytes[at] ^ (1 << bit))),
      };
    }
    yield { at, kind: 'cut', bytes: new Uint8Array() };
  }
}

/**
 * The one goes on as the other, from every byte on behind those they share.
 * @param {Uint8Array} bytes @param {Uint8Array} other @returns {Generator<Damage>}
 */
export function* everySplice(bytes, other) {
  const first = bytes.findIndex((byte, i) => byte !== other[i]) + 1;
  for (let at = first; at < Math.min(bytes.length, other.length); at++) {
    yield { at, kind: 'splice', bytes: other.subarray(at) };
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {Uint8Array} other a file to splice with
 * @param {number} count
 * @param {number} seed
 * @returns {Damage[]} in the order of their places
 */
export function randomDamages(bytes, other, count, seed) {
  const numbers = new RandomNumbers(seed);
  const below = (/** @type {number} */ n) => Math.floor(numbers.uniform() * n);
  const noise = (/** @type {number} */ n) => Uint8Array.from({ length: n }, () => below(256));
  const places = Array.from({ length: count }, () => below(bytes.length)).sort((a, b) => a - b);
  return places.map((at) => {
    const n = 1 + below(32);
    /** @type {[string, () => Uint8Array][]} */
    const kinds = [
      ['bit', () => patched(bytes, at, Uint8Array.of(bytes[at] ^ (1 << below(8))))],
      ['noise', () => patched(bytes, at, noise(n))],
      ['gap', () => patched(bytes, at, new Uint8Array(), n)],
      ['more', () => patched(bytes, at, noise(n), 0)],
      ['repeat', () => bytes.subarray(Math.max(0, at - n))],
      ['cut', () => new Uint8Array()],
      ['splice', () => other.subarray(at)],
      ['splice elsewhere', () => other.subarray(below(other.length))],
    ];
    const [kind, make] = kinds[below(kinds.length)];
    // made when its turn comes: all together would be as many models
    return {
      at,
      kind,
      get bytes() {
        return make();
      },
    };
  });
}

/**
 * Whether what comes of it is one of the two files, whole.
 * @param {Uint8Array} bytes
 * @param {Uint8Array} other
 * @param {Damage} damage
 */
export function isHarmless(bytes, other, { at, bytes: rest }) {
  const same = (/** @type {Uint8Array} */ a, /** @type {Uint8Array} */ b) =>
    Buffer.compare(a, b) === 0;
  const begins = bytes.subarray(0, at);
  return [bytes, other].some(
    (file) => same(file.subarray(at), rest) && same(file.subarray(0, at), begins),
  );
}

if (process.argv[1]?.endsWith('damage.js')) {
  const [name, count = '1000', second = name] = process.argv.slice(2);
  const [bytes, other] = [name, second].map((file) => new Uint8Array(readFileSync(file)));
  const patient = await Patient.open(bytes);
  const counts = { refused: 0, harmless: 0, wrong: 0 };
  for (const damage of randomDamages(bytes, other, Number(count), 1)) {
    const { at, kind } = damage;
    const once = { at, kind, bytes: damage.bytes };
    if (isHarmless(bytes, other, once)) counts.harmless++;
    else if (patient.suffers(once)) counts.refused++;
    else {
      counts.wrong++;
      console.log(`${kind} at ${at} went unnoticed`);
    }
  }
  console.log(JSON.stringify(counts));
  process.exitCode = counts.wrong > 0 ? 1 : 0;
}
