// What a visitor downloads before the first box, counted on the wire: the demo page, the runtime, a model.

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openWire } from '../../bench/wire.mjs';
import { chromium as findChromium, root } from '../../tools/places.mjs';
import { startServer } from '../../tools/serve.mjs';
import { makeModel, makePicture } from '../support/fixtures.js';
import { openBrowser } from './demo-page.js';

const NO_BROWSER = findChromium() ? false : 'no Chromium here: node tools/setup.mjs sets one up';

// With a yolov5n of which half of the blocks are zero (docs/PERFORMANCE.md) everything stays below 0.85 MB.
const BESIDE_MODEL = 850_000 - 692_800;
const WITH_EMBEDDED = 520_000;
const SCRIPTS = 30; // two thirds of them the demo's own

/** The model that comes with the page: its bytes; 0 if none does. */
function embeddedBytes() {
  const { models = [] } = JSON.parse(readFileSync(path.join(root, 'models', 'zoo.json'), 'utf8'));
  const file = models.find((/** @type {{file?: string}} */ model) => model.file)?.file;
  return file ? statSync(path.join(root, 'models', file)).size : 0;
}

/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
before(async () => {
  if (NO_BROWSER) return;
  browser = await openBrowser();
  server = await startServer({ port: 0, maxAge: 60 }); // however slow this machine is just now
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/**
 * A first visit.
 * @param {(page: import('playwright-core').Page) => Promise<void>} untilBoxes
 * @returns {Promise<{bytes: number, scripts: number}>} headers included; JavaScript files asked for, by workers too
 */
async function visit(untilBoxes) {
  const wire = await openWire(server.url);
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const scripts = new Set();
    page.on('request', (request) => /\.m?js$/.test(request.url()) && scripts.add(request.url()));
    await page.goto(wire.url, { waitUntil: 'networkidle' });
    await untilBoxes(page);
    return { bytes: wire.received(), scripts: scripts.size };
  } finally {
    await context.close();
    wire.close();
  }
}

/**
 * Finds boxes in the page; the model comes with the call, not over the wire.
 * @param {{model: string, picture: any}} given
 */
async function detectInPage({ model, picture }) {
  const address = '/dist/web/index.js'; // in a variable: of the page, not of this file
  const { Detector } = await import(address);
  const bytes = Uint8Array.from(atob(model), (letter) => letter.charCodeAt(0));
  const detector = await Detector.open(bytes);
  const data = new ImageData(picture.width, picture.height);
  data.data.set(Uint8Array.from(atob(picture.data), (letter) => letter.charCodeAt(0)));
  const { boxes } = await detector.detect(data, { confidence: 0.2 });
  await detector.close();
  return boxes.length;
}

const HAS_MODEL = embeddedBytes() > 0 && 'the next test counts the model with the rest';

test('all but the model', { skip: NO_BROWSER || HAS_MODEL }, async (t) => {
  const { width, height, data } = makePicture();
  const base64 = (/** @type {ArrayBufferView} */ of) =>
    Buffer.from(/** @type {any} */ (of)).toString('base64');
  const given = { model: base64(makeModel()), picture: { width, height, data: base64(data) } };
  const { bytes, scripts } = await visit(async (page) => {
    assert.ok((await page.evaluate(detectInPage, given)) > 0);
  });
  t.diagnostic(`${bytes} bytes, headers included, besides the model; ${scripts} scripts`);
  assert.ok(bytes < BESIDE_MODEL, `${bytes} bytes`);
  assert.ok(bytes > 50_000, `only ${bytes} bytes: were they counted?`);
  assert.ok(scripts > 10 && scripts <= SCRIPTS, `${scripts} scripts`);
});

const NO_MODEL =
  embeddedBytes() > 0 ? false : 'no model comes with the page: models/zoo.json names none';

test('all with the embedded model', { skip: NO_BROWSER || NO_MODEL }, async (t) => {
  const { bytes, scripts } = await visit((page) =>
    page.locator('#stage.ready').waitFor({ timeout: 30_000 }),
  );
  t.diagnostic(`${bytes} bytes, headers included, until the model is ready; ${scripts} scripts`);
  const besides = bytes - embeddedBytes();
  assert.ok(besides < BESIDE_MODEL, `${besides} bytes besides the model`);
  assert.ok(bytes < WITH_EMBEDDED, `${bytes} bytes`);
  assert.ok(bytes > embeddedBytes(), `only ${bytes} bytes: were they counted?`);
  assert.ok(scripts > 10 && scripts <= SCRIPTS, `${scripts} scripts`);
});
