// Reads codes with wisp and with decoders of whole frames, same pictures, one run:
//   node bench/codes.mjs [--count N] [--seed N] [--only real,large,twelve,film] [--readers wisp,barcode-detector]
// WISP_DATA: a folder with codes, coco/val, video. --seed: other large photos, twelve codes and films.
// Pictures are read in turns, each by all; times are medians, files already decoded.

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import { CodeReader } from '../web/src/code-reader-node.js';
import { cutCodes, film, largePhotos, realPictures, twelveCodes } from './code-pictures.mjs';
import { fetchPeers, peerFolder } from './peers/peers.js';
import { table } from './report/columns.js';
import { summary } from './report/statistics.js';
import { root } from './root.js';

/**
 * @typedef {import('./code-pictures.mjs').Picture} Picture
 * @typedef {(picture: Picture, seconds?: number) => Promise<string[]>} Read what it says; with seconds: the next frame
 * @typedef {{pictures: number, right: number, any: number, codes: number, ms: number[]}} Score right: pictures of
 *   which one text at least is right; any: of which anything is read; codes: right texts
 */

const LARGE = 20;
const FRAMES = 50;
const FRAME_RATE = 30;
const WARM = 3;
const PARTS = ['real', 'large', 'twelve', 'film'];
const READERS = ['wisp', 'barcode-detector', 'default', 'thorough', 'fast'];

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: PARTS.join() },
    count: { type: 'string' },
    seed: { type: 'string', default: '19' },
    readers: { type: 'string', default: READERS.join() },
  },
});
const data = process.env.WISP_DATA;
if (!data) {
  console.error('WISP_DATA names no folder that has codes/, coco/val/ and video/.');
  process.exit(2);
}
const parts = values.only.split(',');
const seed = Number(values.seed);
const photoFolder = path.join(data, 'coco', 'val');
const photos = readdirSync(photoFolder).map((file) => path.join(photoFolder, file));

/** What browsers have and these decoders ask for. */
class Shown {
  /** @param {Uint8ClampedArray} data @param {number} width @param {number} height */
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
}
Object.assign(globalThis, { ImageData: Shown, DOMRectReadOnly: class {} });
/** @param {Picture} picture */
const shown = ({ data: pixels, width, height }) =>
  /** @type {any} */ (new Shown(/** @type {any} */ (pixels), width, height));

const wasmFile = new URL(import.meta.resolve('zxing-wasm/reader/zxing_reader.wasm'));
const wasmBinary = new Uint8Array(readFileSync(wasmFile)).buffer;
await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
/** @param {import('zxing-wasm/reader').ReaderOptions} [options] @returns {(picture: Picture) => Promise<any[]>} */
const whole = (options) => async (picture) =>
  (await readBarcodes(shown(picture), { textMode: 'Plain', ...options })).filter(
    ({ isValid }) => isValid,
  );
/** @param {(picture: Picture) => Promise<{text: string}[]>} decode @returns {Read} */
const texts = (decode) => async (picture) => (await decode(picture)).map(({ text }) => text);

/** @returns {Promise<Read>} */
async function polyfill() {
  await fetchPeers(['barcode-detector'], console.error);
  const at = pathToFileURL(path.join(peerFolder, 'barcode-detector', 'dist/es/ponyfill.js'));
  const { BarcodeDetector, prepareZXingModule: prepare } = await import(at.href);
  const own = createRequire(at).resolve('zxing-wasm/reader/zxing_reader.wasm');
  const bytes = new Uint8Array(readFileSync(own)).buffer;
  await prepare({ overrides: { wasmBinary: bytes }, fireImmediately: true });
  const detector = new BarcodeDetector();
  return async (picture) =>
    (await detector.detect(shown(picture))).map(
      (/** @type {{rawValue: string}} */ { rawValue }) => rawValue,
    );
}

const reader = await CodeReader.open();
const fast = { tryHarder: false, tryRotate: false, tryInvert: false, tryDownscale: false };
/** @type {Record<string, Read>} */
const readers = {
  wisp: async (picture, seconds) => {
    const result = await (seconds === undefined
      ? reader.read(picture)
      : reader.follow(picture, seconds));
    return result.codes.flatMap(({ text }) => text ?? []);
  },
  'barcode-detector': await polyfill(),
  'zxing-wasm, default': texts(whole()),
  'zxing-wasm, thorough': texts(whole({ tryDenoise: true, downscaleFactor: 2 })),
  'zxing-wasm, fast': texts(whole(fast)),
};
const wanted = values.readers.split(',');
const names = Object.keys(readers).filter((name) =>
  wanted.includes(name.replace('zxing-wasm, ', '')),
);

/** @returns {Record<string, Score>} */
const scores = () =>
  Object.fromEntries(
    names.map((name) => [name, { pictures: 0, right: 0, any: 0, codes: 0, ms: [] }]),
  );

/**
 * One picture by all of them, beginning with another one each time.
 * @param {Record<string, Score>} all
 * @param {import('./code-pictures.mjs').Real} real
 * @param {number} turn
 */
async function examine(all, { picture, texts: expected }, turn) {
  for (let i = 0; i < names.length; i++) {
    const name = names[(turn + i) % names.length];
    const begin = performance.now();
    const read = new Set(await readers[name](picture));
    const score = all[name];
    score.ms.push(performance.now() - begin);
    score.pictures++;
    const right = expected?.filter((text) => read.has(text)).length ?? Number(read.size > 0);
    score.codes += right;
    if (right > 0) score.right++;
    if (read.size > 0) score.any++;
  }
}

/** @param {string} title @param {Record<string, Score>} all */
function report(title, all) {
  console.log(`\n${title}`);
  const rows = Object.entries(all).map(([name, { pictures, right, any, codes, ms }]) => {
    const { median, mean } = summary(ms);
    const counts = [`${right} of ${pictures}`, `${any}`, `${codes}`];
    return [name, ...counts, median.toFixed(1), mean.toFixed(1)];
  });
  const head = ['reader', 'right', 'any', 'codes', 'median ms', 'mean ms'];
  console.log(table([head, ...rows]).join('\n'));
}

/**
 * The frames of all videos by one after the other, beginning with another one each time.
 * @param {string} title
 * @param {import('./code-pictures.mjs').Code[]} codes that pass through them
 */
async function reportFilm(title, codes) {
  /** @type {Record<string, {ms: number[], read: number}>} */
  const all = Object.fromEntries(names.map((name) => [name, { ms: [], read: 0 }]));
  const folder = path.join(String(data), 'video');
  const videos = readdirSync(folder).filter((file) => file.endsWith('.mp4'));
  for (const [clip, file] of videos.entries()) {
    /** @type {Record<string, Set<string>>} */
    const said = Object.fromEntries(names.map((name) => [name, new Set()]));
    const frames = film(codes, path.join(folder, file), { frames: FRAMES, seed: seed + clip });
    for (const [i, frame] of frames.entries())
      for (let k = 0; k < names.length; k++) {
        const name = names[(i + k) % names.length];
        const begin = performance.now();
        const seconds = (clip * FRAMES + i) / FRAME_RATE;
        for (const text of await readers[name](frame, seconds)) said[name].add(text);
        if (i >= WARM) all[name].ms.push(performance.now() - begin);
      }
    for (const name of names) all[name].read += said[name].size;
  }
  console.log(`\n${title}`);
  const rows = Object.entries(all).map(([name, { ms, read }]) => {
    const { median, mean } = summary(ms);
    return [name, `${read}`, (1000 / mean).toFixed(1), median.toFixed(1), mean.toFixed(1)];
  });
  const head = ['reader', 'codes', 'frames a second', 'median ms', 'mean ms'];
  console.log(table([head, ...rows]).join('\n'));
}

const real = await realPictures(path.join(data, 'codes'));
for (let i = 0; i < WARM; i++) for (const name of names) await readers[name](real[0].picture);

if (parts.includes('real')) {
  const all = scores();
  for (const [i, one] of real.slice(0, Number(values.count ?? real.length)).entries())
    await examine(all, one, i);
  report('Real pictures', all);
}
const codes = await cutCodes(real, whole());
if (parts.includes('large')) {
  const all = scores();
  const count = Number(values.count ?? LARGE);
  let turn = 0;
  for await (const one of largePhotos(codes, photos, { count, seed }))
    await examine(all, one, turn++);
  report('Photos of 12 megapixels with one small code', all);
}
if (parts.includes('twelve')) {
  const all = scores();
  await examine(all, await twelveCodes(codes, photos[1], seed), 0);
  report('A frame with twelve codes', all);
}
if (parts.includes('film')) {
  await reportFilm('Videos of 1280 × 720, nothing in sight', []);
  await reportFilm('The same with two codes', codes);
}
await reader.close();

/** @param {string | URL} file */
const wire = (file) => `${(brotliCompressSync(readFileSync(file)).length / 1000).toFixed(0)} kB`;
const own = ['models/codes.wisp', 'dist/wisp-relaxed.wasm', 'dist/web/worker.js'];
console.log('\nOn the wire, brotli:');
for (const file of [wasmFile, ...own.map((name) => path.join(root, name))])
  console.log(`${wire(file)}  ${path.basename(String(file))}`);
