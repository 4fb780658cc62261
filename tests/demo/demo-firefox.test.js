// The demo page in a real Firefox: a model, a picture and the webcam.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { firefox as findFirefox } from '../../tools/places.mjs';
import { startServer } from '../../tools/serve.mjs';
import { encodePng, makeModel, makePicture } from '../support/fixtures.js';

const SKIP = findFirefox() ? false : 'no Firefox here: set FIREFOX_PATH, or install firefox-esr';
const CAMERA = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
};

describe('the demo in Firefox', { skip: SKIP }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wisp-demo-'));
  const model = path.join(folder, 'random.wisp');
  const picture = path.join(folder, 'scene.png');
  /** @type {string[]} */
  const complaints = [];
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  /** @type {import('puppeteer-core').Browser} */
  let browser;
  /** @type {import('puppeteer-core').Page} */
  let page;

  before(async () => {
    writeFileSync(model, makeModel({ classes: ['person', 'bus'], height: 128, width: 128 }));
    writeFileSync(picture, encodePng(makePicture({ width: 160, height: 120 })));
    server = await startServer({ port: 0 });
    browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: findFirefox(),
      headless: true,
      extraPrefsFirefox: CAMERA,
    });
    page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(server.url);
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true });
  });

  /** @param {string} id @param {string} file */
  const choose = async (id, file) => {
    const chooser = /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (
      await page.$(`#${id}`)
    );
    await chooser.uploadFile(file);
  };

  test('a model and a picture give boxes', async () => {
    await choose('choose-model', model);
    // not the one that comes with the page
    await page.waitForFunction(
      () => document.querySelector('#model-name')?.textContent === 'random',
    );
    await choose('choose-picture', picture);
    await page.waitForSelector('#rows tr');
    assert.match(await page.$eval('#summary', (one) => one.textContent), /persons?|bus/);
    assert.match(await page.$eval('#tier-text', (one) => one.textContent), /threads?$/);
  });

  test('the webcam runs', async () => {
    await page.click('#camera');
    await page.waitForSelector('#frame video');
    await page.waitForFunction(() => Number(document.querySelector('#rate')?.textContent) > 0);
  });

  test('what the webcam sees is followed, and recorded with its boxes', async () => {
    await page.click('#count');
    await page.waitForSelector('#counting:not([hidden])');
    await page.evaluate(() => {
      const known = URL.createObjectURL;
      let bytes = 0;
      URL.createObjectURL = (blob) => {
        if (blob instanceof Blob) bytes = blob.size;
        return known(blob);
      };
      HTMLAnchorElement.prototype.click = function () {
        Object.assign(globalThis, { saved: { name: this.download, bytes } });
      };
    });
    await page.click('.over .record');
    await page.waitForSelector('.over .record.on');
    await new Promise((resolve) => setTimeout(resolve, 1200));
    await page.click('.over .record');
    await page.waitForFunction(() => Reflect.has(globalThis, 'saved'));
    const { name, bytes } = await page.evaluate(() => Reflect.get(globalThis, 'saved'));
    assert.match(name, /-wisp\.(mp4|webm)$/);
    assert.ok(bytes > 1000, `${bytes} bytes`);
  });

  test('nothing is complained about', () => {
    assert.deepEqual(complaints, []);
  });
});
