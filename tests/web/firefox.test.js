// The Detector in a real Firefox: every source and every refusal, as in Chromium.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { firefox as findFirefox } from '../../tools/places.mjs';
import { startServer } from '../../tools/serve.mjs';
import { makeFixtures } from '../support/site.js';
import * as cases from './page-cases.js';
import { testPictures } from './picture-cases.js';

const SKIP = findFirefox() ? false : 'no Firefox here: set FIREFOX_PATH, or install firefox-esr';
const CAMERA = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
};

/** @type {import('./page-cases.js').Fixtures} */ let fixtures;
/** @type {import('puppeteer-core').Browser} */ let browser;

before(async () => {
  if (SKIP) return;
  fixtures = await makeFixtures();
  browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: findFirefox(),
    headless: true,
    extraPrefsFirefox: CAMERA,
  });
});
after(() => browser?.close());

/** @param {boolean} isolated @param {string} [from] the origin that wisp is served by, if not the page's own */
async function openPage(isolated, from) {
  const server = await startServer({ port: 0, isolated });
  const page = await browser.newPage();
  const close = () => Promise.all([page.close(), server.close()]);
  try {
    await page.goto(new URL('/web/src/index.js', server.url).href);
    return { page, close, setUp: await page.evaluate(cases.setUpPage, { ...fixtures, from }) };
  } catch (error) {
    await close();
    throw error;
  }
}

describe('an isolated page', { skip: SKIP }, () => {
  /** @type {Awaited<ReturnType<typeof openPage>>} */ let open;
  before(async () => {
    open = await openPage(true);
  });
  after(() => open.close());

  test('has threads and relaxed SIMD', () => {
    assert.equal(open.setUp.info.variant, 'wisp-relaxed-mt');
    assert.ok(open.setUp.info.threads > 1);
  });
  for (const [name, run] of Object.entries(cases.sameBoxes)) {
    test(`${name}: the boxes of Node`, async () => {
      assert.equal(await open.page.evaluate(run), fixtures.boxes);
    });
  }
  for (const [name, [run, sentence]] of Object.entries(cases.refusals)) {
    test(`${name} is refused`, async () => {
      assert.match(await open.page.evaluate(run), sentence);
    });
  }
  testPictures((run, argument) => open.page.evaluate(/** @type {any} */ (run), argument));
  test('turns a photo as its EXIF says', async () => {
    assert.deepEqual(await open.page.evaluate(cases.turnedPhoto), [32, 64, 32, 64]);
  });
  test('keeps models that are what they should be, and no others', async () => {
    assert.deepEqual(await open.page.evaluate(cases.keeping), cases.kept);
  });
  test('opens again and again, although a debugger watches', async () => {
    assert.equal(await open.page.evaluate(cases.opening, 20), 20);
  });
  test('sees through a webcam', async () => {
    const { frames, sized } = await open.page.evaluate(cases.camera, 10);
    assert.deepEqual({ frames, sized }, { frames: 10, sized: true });
  });
});

test('a page without isolation has one thread and the same boxes', { skip: SKIP }, async () => {
  const { page, setUp, close } = await openPage(false);
  try {
    assert.equal(setUp.info.threads, 1);
    assert.match(setUp.info.reason, /not cross-origin isolated/);
    assert.equal(await page.evaluate(cases.sameBoxes['a Blob']), fixtures.boxes);
  } finally {
    await close();
  }
});

test('wisp from another origin runs, with threads', { skip: SKIP }, async () => {
  const other = await startServer({ port: 0, headers: cases.forAll });
  try {
    const { page, setUp, close } = await openPage(true, new URL(other.url).origin);
    const found = await page.evaluate(cases.sameBoxes['a Blob']).finally(close);
    assert.deepEqual([setUp.info.threads > 1, found], [true, fixtures.boxes]);
  } finally {
    await other.close();
  }
});
