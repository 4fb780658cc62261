// Reads codes with wisp and with decoders of whole frames, same pictures, one run:
//   node bench/codes.mjs [--count N] [--only real,large,twelve,film]        WISP_DATA: a folder with codes/ and coco/
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

const SEED = 19;
const LARGE = 20;
const FRAMES = 60;
const FRAME_RATE = 30;
const WARM = 3;
const PARTS = ['real', 'large', 'twelve', 'film'];

const { values } = parseArgs({
  options: { only: { type: 'string', default: PARTS.join() }, count: { type: 'string' } },
});
const data = process.env.WISP_DATA;
if (!data) {
  console.error('WISP_DATA names no folder that has codes/ and coco/val/.');
  process.exit(2);
}
const parts = values.only.split(',');
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
const names = Object.keys(readers);

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

/** Frames of a film by one after the other, in rounds. @param {string} title @param {Picture[]} frames */
async function reportFilm(title, frames) {
  /** @type {Record<string, number[]>} */
  const ms = Object.fromEntries(names.map((name) => [name, []]));
  /** @type {Record<string, Set<string>>} */
  const said = Object.fromEntries(names.map((name) => [name, new Set()]));
  for (const [i, frame] of frames.entries())
    for (let k = 0; k < names.length; k++) {
      const name = names[(i + k) % names.length];
      const begin = performance.now();
      for (const text of await readers[name](frame, i / FRAME_RATE)) said[name].add(text);
      if (i >= WARM) ms[name].push(performance.now() - begin);
    }
  console.log(`\n${title}`);
  const rows = names.map((name) => {
    const { median, mean } = summary(ms[name]);
    const rates = [1000 / mean, 1000 / median].map((rate) => rate.toFixed(1));
    return [name, `${said[name].size}`, ...rates];
  });
  const head = ['reader', 'codes', 'frames a second', 'by the median frame'];
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
  for await (const one of largePhotos(codes, photos, { count, seed: SEED }))
    await examine(all, one, turn++);
  report('Photos of 12 megapixels with one small code', all);
}
if (parts.includes('twelve')) {
  const all = scores();
  await examine(all, await twelveCodes(codes, photos[1], SEED), 0);
  report('A frame with twelve codes', all);
}
if (parts.includes('film')) {
  const options = { frames: FRAMES, seed: SEED };
  await reportFilm('Film of 1280 × 720, nothing in sight', await film([], photos[2], options));
  await reportFilm('The same with two codes', await film(codes, photos[2], options));
}
await reader.close();

/** @param {string | URL} file */
const wire = (file) => `${(brotliCompressSync(readFileSync(file)).length / 1000).toFixed(0)} kB`;
const own = ['models/codes.wisp', 'dist/wisp-relaxed.wasm', 'dist/web/worker.js'];
console.log('\nOn the wire, brotli:');
for (const file of [wasmFile, ...own.map((name) => path.join(root, name))])
  console.log(`${wire(file)}  ${path.basename(String(file))}`);
