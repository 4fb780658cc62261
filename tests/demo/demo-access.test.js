// The demo and the documents as axe sees them, in Chromium on desktop and telephone and in Firefox, light and dark.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import axe from 'axe-core';
import puppeteer from 'puppeteer-core';
import { chromium as findChromium, firefox as findFirefox, root } from '../../tools/places.mjs';
import { startServer } from '../../tools/serve.mjs';
import { tinyYolo } from '../support/tiny-yolo.js';
import { DemoPage, openBrowser } from './demo-page.js';

const ONNX = { name: 'tiny.onnx', mimeType: '', buffer: Buffer.from(tinyYolo()) };
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const DESKTOP = { viewport: { width: 1366, height: 768 } };
const DOCUMENTS = ['start.html', 'architecture.html', 'accuracy.html'];

/** Runs in the page. */
async function look() {
  const { violations } = await Reflect.get(globalThis, 'axe').run(document);
  return violations.map((/** @type {any} */ { id, nodes }) => {
    const targets = nodes.map((/** @type {any} */ { target }) => target.join(' '));
    return `${id}: ${targets.join(', ')}`;
  });
}

/** @param {{evaluate: (what: any) => Promise<any>}} page @param {string} state */
async function isSound(page, state) {
  if (!(await page.evaluate('typeof axe === "object"'))) await page.evaluate(axe.source);
  assert.deepEqual(await page.evaluate(look), [], state);
}

/** Everything that can be seen, one after the other. @param {DemoPage} demo */
async function walk(demo) {
  const { page } = demo;
  await page.locator('#stage.ready').waitFor();
  await page.locator('#loading').waitFor({ state: 'hidden' });
  await isSound(page, 'as it opens');
  await page.locator('#samples .sample').nth(1).click();
  await page.locator('#codes .content').first().waitFor();
  await page.locator('#classes summary').click();
  await isSound(page, 'with codes');
  await page.locator('#tier').click();
  await isSound(page, 'how it runs');
  await page.keyboard.press('Escape');
  for (const name of ['Code', 'All models']) {
    await page.getByRole('button', { name, exact: true }).locator('visible=true').first().click();
    await page.locator('dialog[open]').waitFor();
    await isSound(page, name);
    await page.keyboard.press('Escape');
    await page.locator('dialog[open]').waitFor({ state: 'hidden' });
  }
  await demo.drop([ONNX]);
  await page.locator('#press-dialog').waitFor();
  await isSound(page, 'the press');
  await page.keyboard.press('Escape');
  await page.locator('#camera').click();
  await page.locator('#count').check();
  await page.locator('#counting').waitFor();
  await isSound(page, 'the camera, counting');
  await demo.drop([{ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('x') }]);
  await demo.alert();
  await isSound(page, 'a notice');
}

describe('in Chromium', { skip: findChromium() ? false : 'no Chromium here' }, () => {
  /** @type {Awaited<ReturnType<typeof openBrowser>>} */
  let browser;
  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser?.close());

  for (const [device, settings] of Object.entries({ desktop: DESKTOP, phone: PHONE }))
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      const context = { ...settings, colorScheme };
      test(`the demo, ${device}, ${colorScheme}`, async () => {
        const demo = await DemoPage.open(browser, { context, embedded: true });
        try {
          await walk(demo);
        } finally {
          await demo.close();
        }
      });
      const skip =
        !existsSync(path.join(root, 'dist', 'docs')) && 'node tools/build.mjs docs makes them';
      test(`the documents, ${device}, ${colorScheme}`, { skip }, async () => {
        const demo = await DemoPage.open(browser, { context });
        try {
          for (const name of DOCUMENTS) {
            await demo.page.goto(new URL(`../../docs/${name}`, demo.url).href);
            await isSound(demo.page, name);
          }
        } finally {
          await demo.close();
        }
      });
    }
});

test('in Firefox', { skip: findFirefox() ? false : 'no Firefox here' }, async () => {
  const server = await startServer({ port: 0 });
  const executablePath = findFirefox();
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
  try {
    const page = await browser.newPage();
    for (const dark of [false, true]) {
      await page.goto(server.url);
      await page.waitForSelector('#stage.ready');
      // by the page's own button: automatic, light, dark
      while (
        (await page.$eval('#theme', (one) => one.getAttribute('title'))) !==
        `Colours: ${dark ? 'dark' : 'light'}`
      )
        await page.click('#theme');
      await isSound(page, 'as it opens');
      await page.click('#samples .sample');
      await page.waitForSelector('#codes .content');
      await isSound(page, 'with codes');
    }
  } finally {
    await browser.close();
    await server.close();
  }
});
