// Fuzzes an importer: edits files that it takes, keeps the edits that run new code, and stops at what it must not do.
//   node tests/web/fuzz-import.js FORMAT [seconds of the processor] [seed]
// It begins with tests/corpus/FORMAT.json and writes the smallest corpus that runs the same code there, also when it is
// stopped (SIGINT, SIGTERM) or has a find.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import * as flatbuffers from 'flatbuffers';
import { writeTflite } from '../../bench/peers/tflite/file.js';
import { RandomNumbers } from '../../web/src/graph/random-numbers.js';
import { filesBeside, importOnnx } from '../../web/src/import/onnx.js';
import { importPt } from '../../web/src/import/pt.js';
import { importTflite } from '../../web/src/import/tflite.js';
import { Coverage } from '../support/coverage.js';
import { drawEdit, edited } from '../support/edits.js';
import { QUANTISERS, quantisedYolo } from '../support/quantised-yolo.js';
import { requireSound } from '../support/sound-graph.js';
import { tinyAnchorFree } from '../support/tiny-anchor-free.js';
import { tinyPt } from '../support/tiny-pt.js';
import { tinyTflite } from '../support/tiny-tflite.js';
import { tinyYolo } from '../support/tiny-yolo.js';

/**
 * @typedef {import('../support/edits.js').Edited} Edited
 * @typedef {object} Format
 * @property {(bytes: Uint8Array) => import('../../web/src/graph/float-graph.js').FloatGraph} read
 * @property {Record<string, () => Uint8Array>} seeds files that it takes
 * @property {string[]} words of the format, in hexadecimal digits
 */

const training = (/** @type {any} */ model) => ({
  epoch: 3,
  model,
  ema: model,
  opt: { imgsz: 64 },
});

/** Bytes of text. @param {...string} texts */
const words = (...texts) => texts.map((text) => Buffer.from(text, 'latin1').toString('hex'));

/** A pickle's words: marks, ends, small collections, objects, then longer ones. */
const PICKLE = [
  ...'()]}.NRbetusal012Q',
  ...'\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x95',
  ...['h\x01', 'q\x01', 'j\x10\0\0\0', 'K\x01', 'M\x00\x10', 'J\xff\xff\xff\xff'],
  ...['X\x04\0\0\0conv', '\x8c\x02bn', 'G\x3f\xf0\0\0\0\0\0\0'],
  ...[
    '\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f',
    'ccollections\nOrderedDict\n',
    'cmodels.common\nC3\n',
  ],
];

const ZIP = ['PK\x01\x02', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07'];

/** Operations, attributes and names as fields of a protobuf, then its numbers and lengths. */
const ONNX = [
  ...'Add Mul Div Sub Pow Cast Concat Conv Constant ConstantOfShape Equal Exp Expand Floor Gather Identity'.split(
    ' ',
  ),
  ...'MaxPool Range Reshape Resize ScatterND Shape Sigmoid Slice Softmax Split SplitToSequence SequenceAt'.split(
    ' ',
  ),
  ...'Squeeze Unsqueeze Transpose Where Relu QuantizeLinear DequantizeLinear QLinearConv ConvInteger'.split(
    ' ',
  ),
  ...['ConvTranspose', 'Pad', 'DepthToSpace'],
].map((name) => `\x22${String.fromCharCode(name.length)}${name}`);
const PROTOBUF = [
  ...[
    '\x0a\x00',
    '\x18\x01',
    '\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01',
    '\x40\x00',
    '\x80\x80\x80\x08',
  ],
  ...['\x10\x01', '\x10\x07', '\x10\x0a', '\x70\x01', '\xff\xff\xff\xff\x07', '\x08\x80\x10'],
];

/** A flat buffer's distances, counts and numbers of operators. */
const FLAT = [1, 2, 3, 4, 6, 8, 14, 16, 18, 22, 25, 32, 34, 39, 45, 49, 65, 97, 114].map(
  (number) => `${String.fromCharCode(number)}\0\0\0`,
);

/** @type {Record<string, Format>} */
export const FORMATS = {
  onnx: {
    read: (bytes) => {
      filesBeside(bytes);
      return importOnnx(bytes);
    },
    seeds: {
      v7: () => tinyYolo({ opset: 17, names: "{0: 'a', 1: 'b'}" }),
      open: () => tinyYolo({ open: true, finest: 16 }),
      dynamic: () => tinyYolo({ opset: 13, dynamic: true, shuffle: 'Split' }),
      v5: () => tinyYolo({ focus: true, batchNorm: true, half: true, scatter: true }),
      lite: () =>
        tinyYolo({
          raw: true,
          shuffle: 'Slice',
          squeeze: { mean: 'ReduceMean', gate: 'multiplied' },
        }),
      enlarging: () => tinyYolo({ transposed: true, padded: true }),
      v8: () => tinyAnchorFree(),
      ...Object.fromEntries(
        Object.keys(QUANTISERS).map((how) => [
          how,
          () => quantisedYolo(how, { opset: 13 }).finish(),
        ]),
      ),
    },
    words: words(...ONNX, ...PROTOBUF),
  },
  pt: {
    read: importPt,
    seeds: {
      v7: () => tinyPt({}, training),
      v5: () => tinyPt({ version: 'v5', legacy: true }, training),
      v3: () => tinyPt({ version: 'v3', fused: true, protocol: 4 }, training),
      lite: () => tinyPt({ version: 'lite', level: 9 }, training),
    },
    words: words(...PICKLE, ...ZIP),
  },
  tflite: {
    read: importTflite,
    seeds: {
      v7: () => tinyTflite({ named: 'meta.txt', text: "{'names': ['cat', 'dog']}" }),
      v6: () => tinyTflite({ byAnchor: true }),
      half: () => writeTflite(importOnnx(tinyYolo()), flatbuffers),
      integer: () => writeTflite(importOnnx(tinyYolo()), flatbuffers, { quantised: true }),
    },
    words: words(...FLAT, ...ZIP),
  },
};

/** What a megabyte may take of the processor, and what any file may: its picture may be large. */
const SECONDS_A_MEGABYTE = 1;
const SECONDS = 2;

/** Bytes of memory for a byte of the file, and for any. */
const GROWTH = 64;
const ROOM = 256e6; // onnx-room.js, of files of some kilobytes

/**
 * Reads a file that may be anything: it is a sound graph, or it is refused with a code.
 * @param {Format} format
 * @param {Uint8Array} bytes
 */
export function readAnything({ read }, bytes) {
  try {
    requireSound(read(bytes));
  } catch (error) {
    if (!/^WISP_ERR_/.test(Reflect.get(Object(error), 'code'))) throw error;
  }
}

/** Bytes that are held, or were since the last collection. */
function memory() {
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

/** The same within the time and memory that its size allows. @param {Format} format @param {Uint8Array} bytes */
function readMeasured(format, bytes) {
  const before = memory();
  const start = process.cpuUsage();
  readAnything(format, bytes);
  const { user, system } = process.cpuUsage(start);
  const seconds = (user + system) / 1e6;
  if (seconds > SECONDS + (SECONDS_A_MEGABYTE * bytes.length) / 1e6)
    throw new Error(`${bytes.length} bytes took ${seconds.toFixed(1)} s`);
  const grown = memory() - before;
  if (grown > ROOM + GROWTH * bytes.length)
    throw new Error(`${bytes.length} bytes took ${grown} of memory`);
}

/** @param {string} name of a format */
const corpusFile = (name) => new URL(`../corpus/${name}.json`, import.meta.url);

/** @param {string} name @returns {Edited[]} */
function readCorpus(name) {
  const file = corpusFile(name);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
}

/** @param {Map<string, Uint8Array>} files the seeds @param {Edited} entry */
const bytesOf = (files, { seed, edits }) =>
  edited(/** @type {Uint8Array} */ (files.get(seed)), edits);

/**
 * The files of a corpus, one after the other.
 * @param {string} name
 * @returns {Generator<{entry: Edited, bytes: Uint8Array}>}
 */
export function* corpusFiles(name) {
  const files = seedsOf(FORMATS[name]);
  for (const entry of readCorpus(name)) yield { entry, bytes: bytesOf(files, entry) };
}

/** @param {Format} format */
const seedsOf = ({ seeds }) => new Map(Object.entries(seeds).map(([key, make]) => [key, make()]));

class Fuzzer {
  /** @type {{entry: Edited, seen: Set<string>}[]} */
  kept = [];
  finds = 0;
  #known = new Set();

  /** @param {string} name @param {Format} format @param {Coverage} coverage @param {number} seed */
  constructor(name, format, coverage, seed) {
    this.name = name;
    this.format = format;
    this.coverage = coverage;
    this.files = seedsOf(format);
    const numbers = new RandomNumbers(seed);
    this.draw = (/** @type {number} */ below) => Math.floor(numbers.uniform() * below);
  }

  /** @param {Edited} entry */
  bytes(entry) {
    return bytesOf(this.files, entry);
  }

  /**
   * What code it runs; none if it is a find, which is printed.
   * @param {Edited} entry
   * @returns {Promise<Set<string>>}
   */
  async run(entry) {
    try {
      readMeasured(this.format, this.bytes(entry));
    } catch (error) {
      this.finds++;
      console.error(JSON.stringify(entry), error);
      return new Set();
    }
    return this.coverage.take();
  }

  /** Keeps it if it ran new code. @param {Edited} entry */
  async add(entry) {
    const seen = await this.run(entry);
    if ([...seen].every((block) => this.#known.has(block))) return;
    for (const block of seen) this.#known.add(block);
    this.kept.push({ entry, seen });
  }

  /** @returns {Edited} one that was kept, with some edits more */
  drawn() {
    const { seed, edits } = this.kept[this.draw(this.kept.length)].entry;
    const others = [...this.files.values()];
    const next = { seed, edits: [...edits] };
    for (let i = this.draw(4); i >= 0; i--) {
      const bytes = this.bytes(next);
      if (bytes.length === 0) break;
      const other = others[this.draw(others.length)];
      next.edits.push(drawEdit(bytes, other, this.format.words, this.draw));
    }
    return next;
  }

  /** The fewest entries that run all that was run, each with the fewest edits that do. */
  async minimal() {
    const left = new Set(this.#known);
    /** @type {Edited[]} */
    const corpus = [];
    for (const { entry, seen } of [...this.kept].sort((a, b) => b.seen.size - a.seen.size)) {
      const due = [...seen].filter((block) => left.has(block));
      if (due.length === 0) continue;
      let { edits } = entry;
      for (let i = edits.length - 1; i >= 0; i--) {
        const fewer = edits.toSpliced(i, 1);
        const still = await this.run({ seed: entry.seed, edits: fewer });
        if (due.every((block) => still.has(block))) edits = fewer;
      }
      for (const block of due) left.delete(block);
      corpus.push({ seed: entry.seed, edits });
    }
    return corpus.filter(({ edits }) => edits.length > 0);
  }
}

if (process.argv[1]?.endsWith('fuzz-import.js')) {
  const [name, seconds = '60', seed = String(Date.now() % 1e6)] = process.argv.slice(2);
  const fuzzer = new Fuzzer(name, FORMATS[name], await Coverage.start(), Number(seed));
  const used = () => process.cpuUsage().user / 1e6;
  let isStopped = false;
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (isStopped = true));
  for (const key of fuzzer.files.keys()) await fuzzer.add({ seed: key, edits: [] });
  for (const entry of readCorpus(name)) await fuzzer.add(entry);
  let runs = 0;
  while (fuzzer.finds === 0 && !isStopped && used() < Number(seconds)) {
    await fuzzer.add(fuzzer.drawn());
    if (++runs % 1000 !== 0) continue;
    console.log(`${runs} files, ${fuzzer.kept.length} kept, ${Math.round(used())} s, seed ${seed}`);
    await setImmediate(); // signals
  }
  const spent = Math.round(used());
  const corpus = await fuzzer.minimal();
  writeFileSync(
    corpusFile(name),
    `[\n${corpus.map((entry) => JSON.stringify(entry)).join(',\n')}\n]\n`,
  );
  console.log(`${runs} files in ${spent} s; ${corpus.length} in the corpus; ${fuzzer.finds} finds`);
  process.exitCode = fuzzer.finds && 1;
}
