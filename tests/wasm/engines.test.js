// One model, twenty pictures, every engine that is here: the same boxes, to the last bit.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import {
  armNode,
  chromium as findChromium,
  relaxedNode,
  root,
  wasmEdge,
} from '../../tools/places.mjs';
import { startServer } from '../../tools/serve.mjs';
import { decodeImage } from '../../web/src/reading/read-node.js';
import { press } from '../cli/judging.js';
import { makeModel, makePicture } from '../support/fixtures.js';
import { decodePpm, encodePpm } from '../support/netpbm.js';
import { dataPath, without } from '../support/test-data.js';
import { CONFIDENCE, detectAll } from './engines-run.js';

/** @typedef {import('../../web/src/index.js').Variant} Variant */
/** @typedef {{x: number, y: number, width: number, height: number, score: number, label: number}} Box */

const PICTURES = 20;
const SIZE = 320;
const LIMIT = { timeout: 600_000 };
const CALIBRATION = 8;
const PHOTOS = 'coco/calib';
const isReal = !without('models/yolov5n_640.onnx', PHOTOS);
const node = relaxedNode() ?? process.execPath;
const start = promisify(execFile);

let folder = '';
let model = '';
/** @type {string[]} PPM files */
const pictures = [];
/** @type {string[]} boxes of each, as canonical() has them */
let expected = [];

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wisp-engines-'));
  model = path.join(folder, 'yolov5n.wisp');
  if (isReal) await press(['--limit', `${CALIBRATION}`], folder);
  else writeFileSync(model, makeModel({ density: 0.7, widen: 2 }));
  const photos = isReal ? readdirSync(dataPath(PHOTOS)).sort() : [];
  for (let i = 0; i < PICTURES; i++) {
    const file = path.join(folder, `${i}.ppm`);
    const drawn = () => makePicture({ seed: i, width: 40 + 31 * i, height: 500 - 23 * i });
    const picture = isReal
      ? await decodeImage(readFileSync(path.join(dataPath(PHOTOS), photos[i])))
      : drawn();
    writeFileSync(file, encodePpm({ ...picture, data: Uint8Array.from(picture.data) }));
    pictures.push(file);
  }
  expected = canonical(await detectAll('wisp', 1, SIZE, model, pictures));
  const boxes = expected.flatMap((text) => JSON.parse(text)).length;
  assert.ok(boxes > PICTURES, `${boxes} boxes say little`);
}, LIMIT);
after(() => rmSync(folder, { recursive: true }));

/** Texts that are equal if and only if every bit is. @param {Box[][]} found */
function canonical(found) {
  const numbers = (/** @type {Box} */ { x, y, width, height, score, label }) =>
    [x, y, width, height, score, label].map(Math.fround);
  return found.map((boxes) => JSON.stringify(boxes.map(numbers)));
}

/** @param {Box[][]} found of the first pictures, or of all */
function assertSame(found) {
  assert.ok(found.length > 0);
  assert.deepEqual(canonical(found), expected.slice(0, found.length));
}

/** @param {string} program @param {string[]} args */
async function output(program, ...args) {
  const { stdout } = await start(program, args, { maxBuffer: 64 << 20 });
  return stdout;
}

/* ---- C programs: every thread count and both representations of bytes ---- */

/** @param {string} name @param {string} program @param {string[]} [launcher] */
function testProgram(name, program, launcher = []) {
  const file = path.join(root, 'build', program);
  const skip = existsSync(file) ? false : `build/${program} is missing: npm test -- c builds it`;
  test(name, { skip, ...LIMIT }, async (t) => {
    const words = [...launcher, file, model, `${SIZE}`, ...pictures];
    const lines = (await output(words[0], ...words.slice(1))).trim().split('\n');
    const found = lines.filter((line) => line.startsWith('[')).map((line) => JSON.parse(line));
    assert.match(lines.at(-1) ?? '', / 0 failed$/);
    assert.equal(found.length, PICTURES);
    assertSame(found);
    for (const line of lines.filter((one) => / bytes$/.test(one))) t.diagnostic(line);
  });
}
testProgram('scalar kernels of this machine', 'native/test_ways');
testProgram('plain SIMD, signed bytes forced', 'wasm/test_ways-simd.cjs', [node]);
testProgram('relaxed SIMD, threads', 'wasm/test_ways-relaxed-mt.cjs', [node]);

/* ---- the Detector in Node ---- */

const here = Number(process.versions.node.split('.')[0]);
for (const variant of /** @type {Variant[]} */ ([
  'wisp',
  'wisp-mt',
  'wisp-relaxed',
  'wisp-relaxed-mt',
])) {
  const old = variant.includes('relaxed') && here < 22;
  for (const threads of variant.endsWith('-mt') ? [1, 2, 4] : [1]) {
    const skip = old ? `Node ${here} has no relaxed SIMD` : false;
    test(`Node, ${variant}, threads: ${threads}`, { skip, ...LIMIT }, async () => {
      assertSame(await detectAll(variant, threads, SIZE, model, pictures));
    });
  }
}

const ARM = armNode() ? false : 'no Arm here: node tools/setup.mjs arm64 sets one up';
for (const [variant, count] of /** @type {[Variant, number][]} */ ([
  ['wisp-relaxed', PICTURES],
  ['wisp', 2],
])) {
  test(`Node on Arm, ${variant}`, { skip: ARM, ...LIMIT }, async () => {
    const script = fileURLToPath(new URL('engines-run.js', import.meta.url));
    const words = [script, variant, '1', `${SIZE}`, model, ...pictures.slice(0, count)];
    assertSame(JSON.parse(await output(`${armNode()}`, ...words)));
  });
}

/* ---- the WASI command ---- */

const command = path.join(root, 'dist', 'wisp-wasi.wasm');
const WASI = existsSync(command) ? false : 'dist/wisp-wasi.wasm is missing: npm run build makes it';

/** @param {string} program @param {string[]} words what comes before the command's own */
async function detectByCommand(program, ...words) {
  const found = [];
  for (let i = 0; i < pictures.length; i++) {
    const own = ['detect', '/yolov5n.wisp', `/${i}.ppm`, '--size', `${SIZE}`];
    found.push(
      JSON.parse(await output(program, ...words, ...own, '--confidence', `${CONFIDENCE}`)).boxes,
    );
  }
  return found;
}

test('node:wasi', { skip: WASI, ...LIMIT }, async () => {
  const runner = fileURLToPath(new URL('wasi-run.js', import.meta.url));
  assertSame(await detectByCommand(node, '--no-warnings', runner, folder));
});

const EDGE = wasmEdge() ? WASI : 'no WasmEdge here: node tools/setup.mjs wasmedge sets one up';
test('WasmEdge', { skip: EDGE, ...LIMIT }, async () => {
  const compiled = path.join(folder, 'wisp.so'); // its interpreter takes half a minute a picture
  await output(`${wasmEdge()}`, 'compile', command, compiled);
  assertSame(await detectByCommand(`${wasmEdge()}`, '--dir', `/:${folder}`, compiled));
});

/* ---- Chromium ---- */

/**
 * Runs in the page, so it uses nothing from here.
 * @param {{model: string, variant: Variant, size: number}} wish
 */
async function openInPage({ model: base64, variant, size }) {
  const { Detector } = await import(/** @type {any} */ ('/web/src/index.js'));
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const threads = variant.endsWith('-mt') ? 2 : 1;
  Reflect.set(globalThis, 'detector', await Detector.open(bytes, { variant, threads, size }));
}

/** Runs in the page too. @param {{rgba: string, width: number, height: number, confidence: number}} picture */
async function detectInPage({ rgba, width, height, confidence }) {
  const data = Uint8Array.from(atob(rgba), (c) => c.charCodeAt(0));
  const { detector } = /** @type {any} */ (globalThis);
  return (await detector.detect({ data, width, height }, { confidence })).boxes;
}

/** @param {string} file PPM */
function asMessage(file) {
  const { data, ...size } = decodePpm(readFileSync(file));
  return { rgba: Buffer.from(data).toString('base64'), ...size, confidence: CONFIDENCE };
}

const NO_CHROMIUM = findChromium() ? false : 'no Chromium here: node tools/setup.mjs sets one up';
for (const variant of /** @type {Variant[]} */ (['wisp', 'wisp-relaxed-mt'])) {
  test(`Chromium, ${variant}`, { skip: NO_CHROMIUM, ...LIMIT }, async (t) => {
    const server = await startServer({ port: 0 });
    t.after(() => server.close());
    const args = [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
    ];
    const browser = await chromium.launch({ executablePath: findChromium(), args });
    t.after(() => browser.close());
    const page = await browser.newPage();
    await page.goto(new URL('/web/src/index.js', server.url).href);
    const wish = { model: readFileSync(model).toString('base64'), variant, size: SIZE };
    await page.evaluate(openInPage, wish);
    const found = [];
    for (const file of pictures) found.push(await page.evaluate(detectInPage, asMessage(file)));
    assertSame(found);
  });
}
