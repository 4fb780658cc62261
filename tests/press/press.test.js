// The press in Node and in a page: every kind of model and picture, the same bytes everywhere, errors as sentences.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { chromium as findChromium } from '../../tools/places.mjs';
import { importOnnx } from '../../web/src/import/onnx.js';
import { Detector } from '../../web/src/index.js';
import { Press, press } from '../../web/src/press.js';
import { DemoPage, openBrowser } from '../demo/demo-page.js';
import { encodePng, makePicture } from '../support/fixtures.js';
import { tinyPt } from '../support/tiny-pt.js';
import { tinyYolo } from '../support/tiny-yolo.js';

const onnx = tinyYolo({ focus: true, batchNorm: true, activation: 'hardsigmoid' });
const pictures = [1, 2, 3].map((seed) => makePicture({ seed }));

/** @type {string} */
let folder;
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'wisp-press-'));
  writeFileSync(path.join(folder, 'tiny.onnx'), onnx);
  writeFileSync(path.join(folder, 'picture.png'), encodePng(pictures[0]));
});
after(() => rmSync(folder, { recursive: true }));
const inFolder = (/** @type {string} */ name) => path.join(folder, name);

/** @param {Promise<unknown>} promise @param {string} code @param {RegExp} sentence */
function refuses(promise, code, sentence) {
  return assert.rejects(promise, (/** @type {any} */ error) => {
    assert.equal(error.code, code, error.stack);
    assert.match(error.message, sentence);
    return true;
  });
}

describe('a network may be', () => {
  /** @type {Record<string, () => any>} */
  const kinds = {
    'a path': () => inFolder('tiny.onnx'),
    'a URL': () => pathToFileURL(inFolder('tiny.onnx')),
    bytes: () => onnx,
    'a Blob': () => new Blob([new Uint8Array(onnx)]),
    'a float graph': () => importOnnx(onnx),
    'a checkpoint of PyTorch': () => tinyPt({}, (model) => ({ model, opt: { imgsz: 64 } })),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    test(kind, async () => {
      const opened = await Press.open(make(), { threads: 1 });
      const { width, height, classes, heads } = opened.info;
      await opened.close();
      assert.deepEqual([width, height, classes.length, heads.length], [64, 64, 2, 3]);
    });
  }
});

test('pictures of every kind count, unreadable ones are skipped and named', async () => {
  const png = encodePng(pictures[1]);
  const { pictures: count, skipped } = await press(onnx, {
    pictures: [
      pictures[0],
      inFolder('picture.png'),
      png,
      new Blob([png]),
      png.slice(0, 50),
      'none.png',
    ],
    threads: 1,
  });
  assert.equal(count, 4);
  assert.deepEqual(
    skipped.map(({ index }) => index),
    [4, 5],
  );
  assert.match(String(skipped[0].error), /It breaks off/);
});

test('any number of threads gives the same bytes', async () => {
  const [one, two] = await Promise.all(
    [1, 2].map((threads) => press(onnx, { pictures, threads, name: 'tiny.onnx' })),
  );
  assert.deepEqual(one.bytes, two.bytes);
});

test('what it makes opens, and finds about what the float network finds', async () => {
  const opened = await Press.open(onnx, { threads: 1 });
  for (const picture of pictures) await opened.observe(picture);
  await opened.quantise();
  const detector = await Detector.open(await opened.pack({ note: 'kept' }), { threads: 1 });
  const options = { confidence: 0.001, maxDetections: 1 };
  const [float] = (await opened.detect(pictures[0], options)).boxes;
  const [integer] = (await detector.detect(pictures[0], options)).boxes;
  assert.equal(detector.info.provenance.note, 'kept');
  assert.equal(integer.label, float.label);
  assert.ok(Math.abs(integer.score - float.score) < 0.05, `${integer.score} ${float.score}`);
  await Promise.all([opened.close(), detector.close()]);
});

test('it gives the network that its integers stand for, and not one that it folded', async () => {
  const graph = importOnnx(tinyYolo());
  const opened = await Press.open(graph, { threads: 1 });
  for (const picture of pictures) await opened.observe(picture);
  await opened.quantise();
  const conv = (/** @type {any} */ { op }) => op === 'conv';
  const given = /** @type {any[]} */ ((await opened.network()).nodes.filter(conv));
  const before = /** @type {any[]} */ (graph.nodes.filter(conv));
  for (const [i, { name, weight, bias }] of given.entries()) {
    const far = (/** @type {Float32Array} */ now, /** @type {Float32Array} */ then) =>
      Math.max(...now.map((value, k) => Math.abs(value - then[k])));
    const off = far(weight, before[i].weight);
    assert.ok(off > 0 && off < 0.03, `${name}: weights of up to 0.5 differ by ${off}`);
    assert.ok(far(bias, before[i].bias) < 0.03, name);
  }
  const { layers } = await opened.quantise({ bits: 4, sparsity: 0.3 });
  const pruned = /** @type {any[]} */ ((await opened.network()).nodes.filter(conv));
  for (const [i, { name, weight, channels }] of pruned.entries()) {
    const taps = weight.length / channels[1];
    const zeros = weight.filter((/** @type {number} */ value) => value === 0).length;
    assert.equal(zeros, layers[i].zeros, name);
    const sizes = Array.from({ length: channels[1] }, (_, o) => {
      const row = Array.from(weight.subarray(o * taps, (o + 1) * taps), Math.abs);
      return new Set(row).size;
    });
    const units = Math.max(channels[0] / 8, 1); // each tensor that is read has its own, and 8 channels
    const most = units * (2 ** (layers[i].bits - 1) + 1);
    assert.ok(Math.max(...sizes) <= most, `${name}: ${sizes} values, ${most} are possible`);
  }
  const folded = await Press.open(onnx, { threads: 1 });
  await folded.observe(pictures[0]);
  await folded.quantise();
  await refuses(folded.network(), 'WISP_ERR_UNSUPPORTED', /^Node ".*" was folded into others, so/);
  await Promise.all([opened.close(), folded.close()]);
});

test('it accounts for what it did to each convolution', async () => {
  const opened = await Press.open(onnx, { threads: 1 });
  const convolutions = opened.info.nodes.filter(({ op }) => op === 'conv');
  await opened.observe(pictures[0]);
  const { settings, layers } = await opened.quantise({ bits: 5, method: 'l1', sparsity: 0.3 });
  assert.deepEqual([settings.bits, settings.allocation, settings.blocks], [5, 'uniform', '1x1']);
  assert.deepEqual(
    layers.map(({ name }) => name),
    convolutions.map(({ name }) => name),
  );
  for (const { name, weights, zeros, blocks, macs, bits, error } of layers) {
    assert.ok(zeros >= Math.round(0.3 * weights), `${name} has ${zeros} zeros of ${weights}`);
    assert.ok(weights > 0 && blocks >= weights / 4 && macs >= weights, name);
    assert.ok(bits === 5 && error.after > 0 && error.before > 0, name);
  }
  const shares = layers.reduce((sum, { share }) => sum + share, 0);
  assert.ok(Math.abs(shares - 1) < 1e-6, `${shares}`);
  await opened.close();
});

test('it tells how far it is', async () => {
  /** @type {string[]} */
  const phases = [];
  await press(onnx, {
    pictures,
    onProgress: ({ phase, done, total }) =>
      phases.push(phase === 'observe' ? `${phase} ${done}/${total}` : phase),
  });
  const observed = [0, 1, 2, 3].map((done) => `observe ${done}/3`);
  assert.deepEqual(
    [...new Set(phases)],
    ['import', 'load', 'fold', ...observed, 'quantise', 'pack'],
  );
});

test('errors are sentences', async () => {
  await refuses(press(onnx, { pictures: [] }), 'WISP_ERR_SOURCE', /needs pictures.*there are none/);
  await refuses(
    press(onnx, { pictures: ['none.png'] }),
    'WISP_ERR_SOURCE',
    /none of the 1 can be read/,
  );
  const wrong = async (/** @type {any} */ options, /** @type {RegExp} */ sentence) =>
    refuses(press(onnx, { pictures, threads: 1, ...options }), 'WISP_ERR_ARGUMENT', sentence);
  await wrong({ bits: 2.5 }, /bits is a whole number or "auto", not the number 2\.5/);
  await wrong({ method: 'magic' }, /method is "obs" or "l1", not the string "magic"/);
  await wrong({ sparsity: 0.96 }, /sparsity of 0\.96 is not possible; give 0 to 0\.95/);
  await wrong({ sparsty: 0.5 }, /no "sparsty" in the settings; there is bits, targetLoss, ranging/);
  await wrong({ bits: 0 }, /bits is a whole number or "auto", not the number 0/);
  await wrong({ bits: -1 }, /-1 bits are not possible; give 2 to 7/);
  await wrong({ blocks: '2x2' }, /blocks is "1x1", "1x2" or "1x4", not the string "2x2"/);
  await wrong({ method: 'l1', blocks: '1x4' }, /l1 method takes single weights/);
  await wrong({ targetLoss: -1, bits: 'auto' }, /target loss of -1 is not possible/);
  await wrong({ seed: -1 }, /seed is a whole number from 0 to 4294967295, not the number -1/);
  await refuses(Press.open('none.onnx'), 'WISP_ERR_FETCH', /none\.onnx: there is no such file/);
  await refuses(Press.open(onnx.subarray(0, 5000)), 'WISP_ERR_TRUNCATED', /ends early/);
  await refuses(Press.open(onnx, { size: 50 }), 'WISP_ERR_ARGUMENT', /^The input is 50x50.*32/);
  await refuses(
    Press.open(onnx, { size: /** @type {any} */ ('big') }),
    'WISP_ERR_ARGUMENT',
    /"big"/,
  );
  await refuses(Press.open(onnx, { threads: 0 }), 'WISP_ERR_ARGUMENT', /threads.*0/);
  const opened = await Press.open(onnx, { threads: 1 });
  await refuses(opened.quantise(), 'WISP_ERR_ARGUMENT', /No calibration picture/);
  await refuses(opened.pack(), 'WISP_ERR_ARGUMENT', /quantise it before packing/);
  await opened.observe(pictures[0]);
  await refuses(opened.quantise({ bits: 8 }), 'WISP_ERR_ARGUMENT', /8 bits.*2 to 7/);
  await refuses(
    opened.quantise({ rounding: /** @type {any} */ ('up') }),
    'WISP_ERR_ARGUMENT',
    /rounding.*"up"/,
  );
  await opened.close();
  await opened.close();
  await refuses(opened.observe(pictures[0]), 'WISP_ERR_CLOSED', /closed/);
});

test('a node that can not be folded is refused with its name', async () => {
  const graph = importOnnx(onnx);
  const node = graph.nodes.find((one) => one.op === 'conv');
  assert.ok(node?.op === 'conv');
  const turned = { op: /** @type {const} */ ('select'), channels: [2, 1, 0], name: 'to BGR' };
  graph.nodes.unshift({ ...turned, inputs: [0], output: 999 });
  graph.nodes = graph.nodes.filter(({ op }) => op !== 'focus');
  node.inputs = [999];
  Object.assign(node, { channels: [3, 8], weight: node.weight.subarray(0, 8 * 3 * 9) });
  const sentence = /^a graph: Node "to BGR" .select.: picks colours of the picture/;
  await refuses(Press.open(graph), 'WISP_ERR_UNSUPPORTED', sentence);
});

test('channels go, and the rest finds about the same', async () => {
  const opened = await Press.open(onnx, { threads: 1 });
  await refuses(opened.channels(0.2), 'WISP_ERR_ARGUMENT', /No calibration picture/);
  for (const picture of pictures) await opened.observe(picture);
  await refuses(opened.channels(0.9), 'WISP_ERR_ARGUMENT', /share of 0\.9.*0 to 0\.7/);
  await refuses(opened.channels(/** @type {any} */ ('x')), 'WISP_ERR_ARGUMENT', /share of nan/i);
  const saved = await opened.channels(0.5);
  assert.ok(saved > 0.1 && saved < 0.7, `${saved}`);
  await refuses(opened.quantise(), 'WISP_ERR_ARGUMENT', /No calibration picture/);
  for (const picture of pictures) await opened.observe(picture);
  await opened.quantise();
  const detector = await Detector.open(await opened.pack(), { threads: 1 });
  const { layers, provenance } = detector.info;
  await Promise.all([opened.close(), detector.close()]);
  assert.equal(provenance.settings.channels, 0.5);
  assert.deepEqual(provenance.calibration, { pictures: 3 });
  assert.ok(layers.some(({ channelsOut, operation }) => operation === 'conv' && channelsOut < 8));
});

test('a signal ends it wherever it is', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const onProgress = (/** @type {{done?: number}} */ { done }) => done === 1 && stop.abort(reason);
  const endless = Array.from({ length: 500 }, () => pictures[0]);
  const pressing = press(onnx, { pictures: endless, signal: stop.signal, onProgress });
  await assert.rejects(pressing, (error) => error === reason);
  await assert.rejects(
    Press.open(onnx, { signal: AbortSignal.abort(reason) }),
    (error) => error === reason,
  );
  const early = new AbortController();
  const opening = Press.open(onnx, { signal: early.signal });
  early.abort(reason); // while it is imported
  await assert.rejects(opening, (error) => error === reason);
});

test('a page makes the same bytes', {
  skip: findChromium() ? false : 'no Chromium here',
}, async () => {
  const here = await press(onnx, { pictures, threads: 1, name: 'tiny.onnx' });
  const browser = await openBrowser();
  const demo = await DemoPage.open(browser);
  const given = pictures.map(({ data, ...size }) => ({
    data: Buffer.from(data).toString('base64'),
    ...size,
  }));
  const there = await demo.page.evaluate(pressInPage, [
    Buffer.from(onnx).toString('base64'),
    given,
  ]);
  await demo.close();
  await browser.close();
  assert.equal(there, Buffer.from(here.bytes).toString('base64'));
});

/** Runs in the page. @param {any[]} given */
async function pressInPage([model, pictures]) {
  const bytesOf = (/** @type {string} */ text) =>
    Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const address = '/web/src/press.js';
  const { press } = await import(address);
  const { bytes } = await press(bytesOf(model), {
    name: 'tiny.onnx',
    pictures: pictures.map((/** @type {any} */ one) => ({ ...one, data: bytesOf(one.data) })),
  });
  return btoa(
    Array.from(bytes, (/** @type {number} */ byte) => String.fromCharCode(byte)).join(''),
  );
}
