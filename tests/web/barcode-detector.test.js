// BarcodeDetector against the facts of the web platform's tests for Shape Detection, in Chromium, Firefox and WebKit.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import bwip from 'bwip-js/node';
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';
import { chromium as findChromium, firefox as findFirefox } from '../../tools/places.mjs';
import { startServer } from '../../tools/serve.mjs';
import { decodeImage } from '../../web/src/reading/read-node.js';
import { encodePng } from '../support/fixtures.js';
import { NO_WEBKIT, WebKit } from '../support/webkit.js';
import * as cases from './barcode-cases.js';
import { forAll } from './page-cases.js';

const WIDTH = 560;
const HEIGHT = 320;
const SCALE = 3; // of bwip-js: a module has two points each way
const CATS = { bcid: 'qrcode', text: 'cats', x: 60, y: 90 };
const DOGS = { bcid: 'code128', text: 'dogs', x: 270, y: 100, height: 14 };
const SIDE = 21 * 2 * SCALE; // of a QR code of version 1
const BOTH = ['cats', 'dogs'];

/** A picture with both on it, as a PNG file. */
async function picture() {
  const data = new Uint8Array(WIDTH * HEIGHT * 4).fill(255);
  for (const { x, y, ...drawn } of [CATS, DOGS]) {
    const png = await bwip.toBuffer({ ...drawn, scale: SCALE, backgroundcolor: 'ffffff' });
    const code = await decodeImage(new Uint8Array(png));
    for (let row = 0; row < code.height; row++) {
      const line = code.data.subarray(row * code.width * 4, (row + 1) * code.width * 4);
      data.set(line, ((y + row) * WIDTH + x) * 4);
    }
  }
  return encodePng({ data, width: WIDTH, height: HEIGHT });
}

/**
 * @typedef {object} Browser
 * @property {(address: URL) => Promise<(run: Function, argument?: unknown) => Promise<any>>} open what runs functions
 *   in the page then
 * @property {() => Promise<unknown>} close
 */

/**
 * What Playwright and Puppeteer call alike.
 * @param {{newPage: () => Promise<any>, close: () => Promise<unknown>}} browser
 * @returns {Browser}
 */
const inPages = (browser) => ({
  open: async ({ href }) => {
    const page = await browser.newPage();
    await page.goto(href);
    return (run, argument) => page.evaluate(run, argument);
  },
  close: () => browser.close(),
});

/** @returns {Promise<Browser>} */
async function startChromium() {
  const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
  return inPages(browser);
}

/** @returns {Promise<Browser>} */
async function startFirefox() {
  const executablePath = findFirefox();
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
  return inPages(browser);
}

/** @returns {Promise<Browser>} */
async function startWebKit() {
  const webkit = await WebKit.start();
  return {
    open: async (address) => {
      await webkit.open(address);
      return (run, argument) => webkit.evaluate(run, argument);
    },
    close: () => webkit.close(),
  };
}

/** @type {Record<string, {skip: string | false, start: () => Promise<Browser>}>} */
const BROWSERS = {
  Chromium: { skip: findChromium() ? false : 'no Chromium', start: startChromium },
  Firefox: { skip: findFirefox() ? false : 'no Firefox', start: startFirefox },
  WebKit: { skip: NO_WEBKIT, start: startWebKit },
};

const folder = mkdtempSync(path.join(tmpdir(), 'wisp-barcodes-'));
/** @type {Awaited<ReturnType<typeof startServer>>} */ let own;
/** @type {Awaited<ReturnType<typeof startServer>>} */ let other;
before(async () => {
  writeFileSync(path.join(folder, 'both.png'), await picture());
  const options = { port: 0, isolated: false, folders: { '/pictures/': folder } };
  own = await startServer(options);
  const headers = { 'cross-origin-resource-policy': forAll['cross-origin-resource-policy'] };
  other = await startServer({ ...options, headers });
});
after(async () => {
  await own?.close();
  await other?.close();
  rmSync(folder, { recursive: true });
});

test('servers that render pages may import it', async () => {
  const { BarcodeDetector } = await import('../../web/src/barcode-detector.js');
  assert.ok((await BarcodeDetector.getSupportedFormats()).includes('qr_code'));
});

for (const [name, { skip, start }] of Object.entries(BROWSERS)) {
  describe(name, { skip }, () => {
    /** @type {Browser} */ let browser;
    /** @type {(run: Function, argument?: unknown) => Promise<any>} */ let evaluate;
    before(async () => {
      browser = await start();
      evaluate = await browser.open(new URL('style.css', own.url));
      const addresses = {
        picture: new URL('/pictures/both.png', own.url).href,
        foreign: new URL('/pictures/both.png', other.url).href,
      };
      await evaluate(cases.setUpPage, addresses);
    });
    after(() => browser?.close());

    /** Whether a case needs a class that the page has not. @param {Function} run */
    const lacksVideoFrame = async (run) =>
      `${run}`.includes('VideoFrame') && !(await evaluate(() => 'VideoFrame' in globalThis));

    test('looks like the one of the platform', async () => {
      const { formats, ...rest } = await evaluate(cases.looks);
      assert.deepEqual(formats, [...formats].sort());
      for (const format of ['aztec', 'code_128', 'data_matrix', 'ean_13', 'qr_code', 'upc_e'])
        assert.ok(formats.includes(format), format);
      assert.deepEqual(rest, {
        name: 'BarcodeDetector',
        lengths: [0, 0, 1],
        kind: '[object BarcodeDetector]',
        operations: ['detect'],
        statics: ['getSupportedFormats'],
      });
    });

    test('formats that are none are a TypeError', async () => {
      assert.deepEqual(await evaluate(cases.hints), []);
    });

    for (const [source, run] of Object.entries(cases.sources)) {
      test(`${source} is looked at`, async (context) => {
        if (await lacksVideoFrame(run)) return context.skip('no VideoFrame here');
        assert.deepEqual((await evaluate(run)).sort(), BOTH);
      });
    }

    for (const [what, [run, exception]] of Object.entries(cases.refusals)) {
      test(`${what} is refused`, async (context) => {
        if (await lacksVideoFrame(run)) return context.skip('no VideoFrame here');
        assert.equal(await evaluate(run), exception);
      });
    }

    test('what it finds has a box, corners, a format and a text, and can be sent on', async () => {
      const { same, kinds, keys, found } = await evaluate(cases.result);
      assert.deepEqual([same, kinds], [true, ['DOMRectReadOnly', 'DOMRectReadOnly']]);
      assert.deepEqual(keys, ['boundingBox', 'cornerPoints', 'format', 'rawValue']);
      const [cats, dogs] = BOTH.map((text) =>
        found.find((/** @type {{rawValue: string}} */ { rawValue }) => rawValue === text),
      );
      assert.deepEqual([cats.format, dogs.format], ['qr_code', 'code_128']);
      const near = (/** @type {number} */ a, /** @type {number} */ b) => Math.abs(a - b) < 15;
      const { x, y, width, height } = cats.boundingBox;
      assert.ok(near(x, CATS.x) && near(y, CATS.y) && near(width, SIDE) && near(height, SIDE));
      const corners = [
        [0, 0],
        [SIDE, 0],
        [SIDE, SIDE],
        [0, SIDE],
      ];
      for (const [i, [across, down]] of corners.entries()) {
        const corner = cats.cornerPoints[i];
        assert.ok(near(corner.x, CATS.x + across) && near(corner.y, CATS.y + down), `${i}`);
      }
      assert.equal(cats.cornerPoints.length, 4);
    });

    test('it looks for nothing but what it was asked for', async () => {
      assert.deepEqual(await evaluate(cases.asked), { only: ['dogs'], none: [] });
    });

    test('calls under way at the same time are each answered', async () => {
      const { texts, bad } = await evaluate(cases.atOnce);
      assert.deepEqual(
        texts.map((/** @type {string[]} */ one) => one.sort()),
        [BOTH, BOTH, BOTH, BOTH],
      );
      assert.equal(bad, 'DOMException InvalidStateError');
    });

    test('a picture without pixels has no codes', async () => {
      assert.deepEqual(await evaluate(cases.nothing), [[], [], []]);
    });

    test('a worker has it as well', async () => {
      assert.deepEqual((await evaluate(cases.inWorker)).sort(), BOTH);
    });

    test('where nothing can be read, that is a NotSupportedError until it is put right', async () => {
      const { refused, texts } = await evaluate(cases.unprepared);
      assert.deepEqual([refused, texts.sort()], ['DOMException NotSupportedError', BOTH]);
    });
  });
}
