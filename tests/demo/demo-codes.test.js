// The model that comes with the demo, in Chromium: it opens by itself, finds codes, and what they say is read.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium as findChromium } from '../../tools/places.mjs';
import embedded from '../../web/src/codes.js';
import { DemoPage, inDemo, openBrowser } from './demo-page.js';

const SKIP = !findChromium()
  ? 'no Chromium here: node tools/setup.mjs sets one up'
  : existsSync(fileURLToPath(embedded))
    ? false
    : 'no model comes with the page yet';

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let browser;
before(async () => {
  if (!SKIP) browser = await openBrowser();
});
after(() => browser?.close());

/** @param {string} name @param {(demo: DemoPage) => Promise<void>} body */
function codesTest(name, body) {
  test(name, { skip: SKIP }, () => inDemo(browser, {}, body));
}

/** @param {import('playwright-core').Page} page @param {number} index of the sample */
async function trySample(page, index) {
  await page.locator('#samples .sample').nth(index).click();
  await page.locator('#codes .content').first().waitFor();
}

/** What is drawn on each sample, by its scene in tests/samples: the model's name of each symbology. */
const CLASS_OF = {
  code128: 'linear',
  ean13: 'linear',
  qrcode: 'qr_code',
  azteccode: 'aztec',
  pdf417: 'pdf417',
  datamatrix: 'data_matrix',
  microqrcode: 'micro_qr',
  rectangularmicroqrcode: 'rmqr',
};

codesTest('on the samples all codes are found that are drawn, and nothing else', async (demo) => {
  const { page } = demo;
  for (const [i, scene] of ['parcel', 'trip', 'kitchen'].entries()) {
    const html = await readFile(new URL(`../samples/${scene}.html`, import.meta.url), 'utf8');
    const drawn = [...html.matchAll(/data-code="(\w+)"/g)].map(([, code]) =>
      Reflect.get(CLASS_OF, code),
    );
    const sample = i ? page.locator('#sample-bar .sample') : page.locator('#samples .sample');
    await sample.nth(i).click();
    await page.locator(`#frame img[alt="The picture ${scene}.webp"]`).waitFor();
    await demo.rowCount((n) => n > 0);
    await page.waitForTimeout(500); // the table follows the picture
    await page.getByRole('button', { name: 'Copy JSON' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const { boxes } = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
    const found = boxes.map((/** @type {{name: string}} */ { name }) => name);
    assert.deepEqual(found.sort(), drawn.sort(), scene);
    await page.getByRole('button', { name: 'Copy JSON' }).waitFor();
  }
});

codesTest('a sample is one click away, and its codes are read', async ({ page }) => {
  /** @type {string[]} */
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  await trySample(page, 1);
  const link = page.getByRole('link', { name: 'https://example.com/hello-from-wisp' });
  await link.waitFor();
  assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');
  assert.equal(await link.getAttribute('target'), '_blank');
  assert.match((await page.textContent('#codes-spoken')) ?? '', /\w: \S/);
  const decoder = requests.filter((url) => url.endsWith('zxing_reader.wasm'));
  assert.equal(decoder.length, 1, 'the decoder is loaded once, with the first code');
  const item = page.locator('#codes li', { has: link });
  await item.getByRole('button', { name: 'Copy what the QR code says' }).click();
  await item.getByText('Copied').waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, 'https://example.com/hello-from-wisp');
  const saved = page.waitForEvent('download');
  await item.getByRole('button', { name: 'Save what the QR code says' }).click();
  const file = await saved;
  assert.equal(file.suggestedFilename(), 'code.txt');
  assert.equal(await readFile(await file.path(), 'utf8'), copied);
});

codesTest('JSON holds what was read; another sample takes the place of the first', async (demo) => {
  const { page } = demo;
  await trySample(page, 1);
  await page.getByRole('link', { name: 'https://example.com/hello-from-wisp' }).waitFor();
  await page.getByRole('button', { name: 'Copy JSON' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  const { boxes } = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  const qr = boxes.find((/** @type {any} */ { code }) => code?.text.startsWith('https:'));
  assert.equal(qr.name, 'qr_code');
  assert.deepEqual(Object.keys(qr.code), ['text', 'format', 'binary']);
  await page.locator('#sample-bar .sample').nth(2).click();
  await page.locator('#codes', { hasText: 'Tomato sauce, made 3 May' }).waitFor();
  assert.equal(await page.locator('#codes', { hasText: 'hello-from-wisp' }).count(), 0);
});

codesTest('a code is brought out with its entry', async (demo) => {
  await trySample(demo.page, 1);
  const before = await demo.overlay();
  await demo.page.locator('#codes li').first().hover();
  assert.notEqual(await demo.overlay(), before);
});

codesTest('without its decoder the page goes on, and says so once', async (demo) => {
  const { page } = demo;
  await page.route('**/zxing_reader.wasm', (route) => route.abort());
  await page.locator('#samples .sample').nth(1).click();
  assert.match(await demo.alert(), /decoder of codes did not load/);
  await demo.rowCount((n) => n > 0);
  demo.allow(/zxing|ERR_FAILED|wasm/);
});

codesTest('samples go away with the model', async (demo) => {
  const { makeModel } = await import('../support/fixtures.js');
  await demo.openModel({ name: 'own.wisp', mimeType: '', buffer: Buffer.from(makeModel()) });
  await demo.page.locator('#samples').waitFor({ state: 'hidden' });
  assert.equal(await demo.page.locator('#agnostic').isChecked(), false);
});

/** A sample as a photo taken with the camera on its side: stored lying, turned by EXIF. @param {DemoPage} demo */
async function turnedSample({ page }) {
  const stored = await page.evaluate(async () => {
    const sample = await createImageBitmap(await (await fetch('samples/parcel.webp')).blob());
    const canvas = new OffscreenCanvas(sample.height, sample.width);
    const context = canvas.getContext('2d');
    context?.translate(0, sample.width);
    context?.rotate(-Math.PI / 2);
    context?.drawImage(sample, 0, 0);
    const jpeg = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
    return [...new Uint8Array(await jpeg.arrayBuffer())];
  });
  // behind the 20 bytes of start and JFIF: orientation 6
  const exif = [0xff, 0xe1, 0, 34, 69, 120, 105, 102, 0, 0, 73, 73, 42, 0, 8, 0, 0, 0, 1, 0];
  exif.push(0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0);
  return Buffer.from([...stored.slice(0, 20), ...exif, ...stored.slice(20)]);
}

codesTest('codes are read in a photo that is stored lying', async (demo) => {
  const buffer = await turnedSample(demo);
  await demo.openPicture({ name: 'turned.jpg', mimeType: 'image/jpeg', buffer });
  const link = demo.page.getByRole('link', { name: 'https://example.com/track/WISP0001234567' });
  await link.waitFor({ timeout: 10_000 });
});

test('a model that is being opened is not thrown out by the one of the page', {
  skip: SKIP,
}, async () => {
  const { makeModel } = await import('../support/fixtures.js');
  const demo = await DemoPage.open(browser);
  const { page } = demo;
  try {
    /** @type {() => void} */
    let answer = () => {};
    const asked = new Promise((resolve) => {
      answer = () => resolve(undefined);
    });
    await page.unroute('**/models/zoo.json');
    await page.route('**/models/zoo.json', async (route) => {
      await asked;
      await route.continue();
    });
    await page.reload({ waitUntil: 'commit' });
    await page.locator('#threads option').first().waitFor({ state: 'attached' });
    await page.route('**/dist/**', async (route) => {
      answer();
      await new Promise((resolve) => setTimeout(resolve, 500));
      await route.continue();
    });
    const buffer = Buffer.from(makeModel());
    await demo.openModel({ name: 'own.wisp', mimeType: '', buffer });
    await page.waitForTimeout(300);
    assert.equal(await page.locator('#model-name').innerText(), 'own');
  } finally {
    await demo.close();
  }
});
