// Codes that move before the demo's camera, in Chromium: what the list says, and that it keeps still.

import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium as findChromium } from '../../tools/places.mjs';
import { DemoPage, inDemo, openBrowser } from './demo-page.js';
import { film } from './moving-codes.js';

const PATIENCE = 300_000; // ms: for busy machines, nothing is measured
const SMALL = { viewport: { width: 900, height: 700 } };
const LOOKS = 12;

const QR = {
  bcid: 'qrcode',
  text: 'https://example.com/it-moves',
  x: 60,
  y: 40,
  sway: 30,
  more: { scale: 2 },
};
const LINEAR = {
  bcid: 'code128',
  text: 'WISP-128',
  x: 100,
  y: 220,
  more: { scale: 2, height: 20 },
};
const CUT = { ...QR, text: 'https://example.com/cut-off-at-the-edge', x: 550, y: 100, sway: 0 };

/**
 * Counts looks at pictures, and every row that comes, goes or is written anew.
 * @param {import('playwright-core').Page} page
 */
function watch(page) {
  return page.evaluate(() => {
    const seen = { looks: 0, changes: /** @type {string[]} */ ([]), faded: false };
    Object.assign(globalThis, { seen });
    const { clearRect } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.clearRect = function (...rect) {
      if (this.canvas.id === 'overlay') seen.looks++;
      return clearRect.apply(this, rect);
    };
    const list = /** @type {HTMLElement} */ (document.querySelector('#codes'));
    new MutationObserver((records) => {
      for (const { type, target, addedNodes, removedNodes } of records) {
        const isGone = target instanceof Element && target.classList.contains('gone');
        if (type === 'attributes') seen.faded ||= isGone;
        else
          for (const node of [...addedNodes, ...removedNodes])
            seen.changes.push(`${node.textContent} in ${list.textContent}`);
      }
    }).observe(list, { childList: true, subtree: true, attributeFilter: ['class'] });
  });
}

/** @param {import('playwright-core').Page} page @returns {Promise<{changes: string[], faded: boolean}>} */
const watched = (page) => page.evaluate(() => Reflect.get(globalThis, 'seen'));

/** @param {import('playwright-core').Page} page @param {number} count */
async function looks(page, count) {
  const before = await page.evaluate(() => Reflect.get(globalThis, 'seen').looks);
  await page.waitForFunction((n) => Reflect.get(globalThis, 'seen').looks >= n, before + count);
}

/** @param {import('playwright-core').Page} page */
const rows = (page) => page.locator('#codes li').allInnerTexts();

describe('before a camera', { skip: findChromium() ? false : 'no Chromium' }, () => {
  /** @type {string} */
  let folder;
  /** @type {string} */
  let camera;
  /** @type {Awaited<ReturnType<typeof openBrowser>>} */
  let browser;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'wisp-live-'));
    camera = path.join(folder, 'camera.y4m');
    await writeFile(camera, await film([QR, LINEAR, CUT]));
    browser = await openBrowser({ camera });
  });
  after(async () => {
    await browser?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** @param {(demo: DemoPage) => Promise<void>} body */
  const inSmall = (body) => inDemo(browser, { patience: PATIENCE, context: SMALL }, body);

  test('the list says once what each code says, keeps still, and lets go what has gone', () =>
    inSmall(async ({ page }) => {
      await page.locator('#camera').click();
      const qr = page.locator('#codes li', { hasText: QR.text });
      const linear = page.locator('#codes li', { hasText: LINEAR.text });
      const cut = page.locator('#codes li', { hasText: 'Not readable: cut off.' });
      for (const row of [qr, linear, cut]) await row.waitFor();
      await watch(page);
      await looks(page, LOOKS);
      assert.deepEqual((await watched(page)).changes, [], 'no row comes, goes or is written anew');
      const said = await rows(page);
      assert.equal(said.length, 3, said.join());
      for (const row of [qr, linear, cut]) assert.equal(await row.count(), 1);

      const link = qr.getByRole('link', { name: QR.text });
      assert.equal(await link.getAttribute('href'), QR.text);
      await qr.getByRole('button', { name: 'Copy what the QR code says' }).click();
      await qr.getByText('Copied').waitFor();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), QR.text);
      await page.getByRole('button', { name: 'Record' }).waitFor();
      const light = page.getByRole('button', { name: 'Turn the light on' });
      assert.equal(await light.isVisible(), false, 'this camera has none');
      assert.equal(await page.locator('#camera-choice').isVisible(), false, 'there is one camera');

      const kept = await linear.elementHandle();
      const file = await open(camera, 'r+'); // what Chromium reads frame by frame
      await file.writeFile(await film([LINEAR]));
      await file.close();
      for (const row of [qr, cut]) await row.waitFor({ state: 'detached' });
      await looks(page, 3);
      assert.equal(await kept?.evaluate((row) => row.isConnected), true, 'the other stays');
      assert.equal((await watched(page)).faded, true);
      await page.locator('#camera').click();
      await page.locator('#codes').waitFor({ state: 'hidden' });
    }));
});

test('of two cameras one is chosen', { skip: findChromium() ? false : 'no Chromium' }, async () => {
  const browser = await openBrowser({ cameras: 2 });
  try {
    const { page } = await DemoPage.open(browser, { patience: PATIENCE, context: SMALL });
    await page.locator('#camera').click();
    const choice = page.locator('#camera-choice');
    await choice.waitFor();
    const ids = await choice
      .locator('option')
      .evaluateAll((all) => all.map((option) => Reflect.get(option, 'value')));
    assert.equal(new Set(ids).size, 2);
    const first = await choice.inputValue();
    const other = ids.find((id) => id !== first);
    await choice.selectOption(other);
    await page.waitForFunction((id) => {
      const stream = document.querySelector('video')?.srcObject;
      const [track] = stream instanceof MediaStream ? stream.getVideoTracks() : [];
      return track?.getSettings().deviceId === id;
    }, other);
    await page.waitForFunction(
      (id) => Reflect.get(document.querySelector('#camera-choice') ?? {}, 'value') === id,
      other,
    );
  } finally {
    await browser.close();
  }
});
