// The Detector in a real Chromium: every source, with and without isolation, under a strict CSP, with a webcam.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { chromium as findChromium } from '../../tools/places.mjs';
import { startServer } from '../../tools/serve.mjs';
import { makeModel, makePicture } from '../support/fixtures.js';
import { encodeY4m } from '../support/netpbm.js';
import { makeFixtures, openSite } from '../support/site.js';
import * as cases from './page-cases.js';
import { testPictures } from './picture-cases.js';

const SKIP = findChromium() ? false : 'no Chromium here: node tools/setup.mjs sets one up';
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
];
const CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
const CSP =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";

/** @type {Awaited<ReturnType<typeof openSite>>} */ let site;
/** @type {import('./page-cases.js').Fixtures} */ let fixtures;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  if (SKIP) return;
  site = await openSite();
  fixtures = await makeFixtures();
  const film = path.join(site.folder, 'film.y4m');
  writeFileSync(film, encodeY4m(makePicture({ width: 320, height: 240 })));
  browser = await chromium.launch({
    executablePath: findChromium(),
    args: [...FLAGS, ...CAMERA, `--use-file-for-fake-video-capture=${film}`],
  });
});
after(async () => {
  await browser?.close();
  site?.close();
});

/**
 * A page of our own server that runs nothing by itself, with the cases' kit in it.
 * @param {import('../../tools/serve.mjs').ServerOptions & {from?: string, workerUrl?: string}} [options]
 * @param {(page: import('playwright-core').Page) => Promise<unknown>} [prepare]
 */
async function openPage({ from, workerUrl, ...options } = {}, prepare = undefined) {
  const server = await startServer({ port: 0, ...options });
  const context = await browser.newContext();
  const close = () => Promise.all([context.close(), server.close()]);
  const page = await context.newPage();
  /** @type {string[]} */
  const said = [];
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => said.push(`error: ${error.message}`));
  await prepare?.(page);
  await page.goto(new URL('/web/src/index.js', server.url).href);
  const setUp = await page
    .evaluate(cases.setUpPage, { ...fixtures, from, workerUrl })
    .catch(async (error) => {
      await close();
      throw error;
    });
  return { page, said, setUp, close };
}

/** @param {string[]} said without the browser's own lines about missing files */
const ours = (said) => said.filter((line) => !/Failed to load resource/.test(line));

describe('an isolated page', { skip: SKIP }, () => {
  /** @type {Awaited<ReturnType<typeof openPage>>} */ let open;
  before(async () => {
    open = await openPage();
  });
  after(() => open.close());

  test('has threads', () => {
    assert.equal(open.setUp.isolated, true);
    assert.match(open.setUp.info.variant, /-mt$/);
    assert.ok(open.setUp.info.threads > 1);
  });
  test('leaves no thread behind', async () => {
    const before = open.page.workers().length;
    assert.equal(await open.page.evaluate(cases.opening, 2), 2);
    for (let i = 0; i < 100 && open.page.workers().length > before; i++) await sleep(20);
    assert.equal(open.page.workers().length, before);
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
  test('keeps models that are what they should be, and no others', async () => {
    assert.deepEqual(await open.page.evaluate(cases.keeping), cases.kept);
  });
  testPictures((run, argument) => open.page.evaluate(/** @type {any} */ (run), argument));
  test('turns a photo as its EXIF says', async () => {
    assert.deepEqual(await open.page.evaluate(cases.turnedPhoto), [32, 64, 32, 64]);
  });
  test('stays responsive', async () => {
    const large = Buffer.from(makeModel({ widen: 3 })).toString('base64');
    const { ticks, took } = await open.page.evaluate(cases.responsiveness, large);
    assert.ok(took > 50, `${took} ms say nothing`);
    assert.ok(ticks > took / 40, `${ticks} ticks in ${took} ms`);
  });
  test('sees through a webcam', async () => {
    const { frames, sized, least } = await open.page.evaluate(cases.camera, 20);
    assert.deepEqual({ frames, sized }, { frames: 40, sized: true });
    assert.ok(least > 0);
  });
  test('says nothing on the console', () => assert.deepEqual(ours(open.said), []));
});

describe('a page without isolation', { skip: SKIP }, () => {
  /** @type {Awaited<ReturnType<typeof openPage>>} */ let open;
  before(async () => {
    open = await openPage({ isolated: false });
  });
  after(() => open.close());

  test('has one thread and the same boxes', async () => {
    assert.equal(open.setUp.isolated, false);
    assert.equal(open.setUp.info.threads, 1);
    assert.equal(await open.page.evaluate(cases.sameBoxes['a Blob']), fixtures.boxes);
    assert.equal(
      await open.page.evaluate(cases.sameBoxes['one, two and four threads']),
      fixtures.boxes,
    );
  });
  test('is told once what to do', () => {
    assert.equal(ours(open.said).length, 1);
    assert.match(
      ours(open.said)[0],
      /^info: .*one thread: .*not cross-origin isolated.*Cross-Origin-/,
    );
  });
  test("a picture of another origin is refused, with CORS's name", async () => {
    const address = `${site.url}/picture.png`.replace('127.0.0.1', 'localhost');
    const refusal = await open.page.evaluate(async (src) => {
      const image = new Image();
      image.src = src;
      await image.decode();
      const { kit } = /** @type {any} */ (globalThis);
      return kit.refusal(() => kit.detector.detect(image));
    }, address);
    assert.match(refusal, /^WISP_ERR_SOURCE: .*another origin without CORS/);
  });
});

/**
 * @param {Parameters<typeof openPage>[0]} options
 * @param {(open: Awaited<ReturnType<typeof openPage>>) => Promise<void>} body
 */
async function withPage(options, body) {
  const open = await openPage(options);
  await body(open).finally(open.close);
}

test('a strict Content-Security-Policy is enough', { skip: SKIP }, async () => {
  const headers = { 'content-security-policy': CSP };
  await withPage({ headers }, async ({ page, said, setUp }) => {
    assert.ok(setUp.info.threads > 1);
    assert.equal(await page.evaluate(cases.sameBoxes['a Blob']), fixtures.boxes);
    assert.deepEqual(ours(said), []);
  });
});

test('without wasm-unsafe-eval, a sentence says so', { skip: SKIP }, async () => {
  const headers = { 'content-security-policy': CSP.replace(" 'wasm-unsafe-eval'", '') };
  await assert.rejects(openPage({ headers }), /script-src/);
});

test('COEP credentialless gives threads too', { skip: SKIP }, async () => {
  const headers = { 'cross-origin-embedder-policy': 'credentialless' };
  await withPage({ headers }, async ({ setUp }) => {
    assert.equal(setUp.isolated, true);
    assert.match(setUp.info.variant, /-mt$/);
  });
});

test('a policy against its threads costs the threads only', { skip: SKIP }, async () => {
  const headers = { 'content-security-policy': 'worker-src 127.0.0.1:*/web/src/' };
  await withPage({ headers }, async ({ page, setUp }) => {
    assert.equal(setUp.info.threads, 1);
    assert.match(setUp.info.reason, /one thread: a thread did not start/);
    assert.equal(await page.evaluate(cases.sameBoxes['a Blob']), fixtures.boxes);
  });
});

describe('wisp from another origin', { skip: SKIP }, () => {
  /** @type {Awaited<ReturnType<typeof startServer>>} */ let other;
  /** @type {string} */ let from;
  before(async () => {
    other = await startServer({ port: 0, headers: cases.forAll });
    from = new URL(other.url).origin;
  });
  after(() => other.close());

  for (const isolated of [true, false]) {
    test(`runs, ${isolated ? 'with threads where the page is isolated' : 'with one thread elsewhere'}`, async () => {
      await withPage({ from, isolated }, async ({ page, setUp }) => {
        assert.equal(setUp.info.threads > 1, isolated);
        assert.equal(await page.evaluate(cases.sameBoxes['a Blob']), fixtures.boxes);
      });
    });
  }

  test('is told the line that makes it work where a policy forbids that', async () => {
    const headers = { 'content-security-policy': `worker-src 'self' ${from}` };
    const told = await openPage({ from, headers }).then(
      ({ close }) => close().then(() => 'it ran'),
      (error) => String(error),
    );
    assert.match(told, /WispError: The worker .*another origin.*workerUrl/);
    const [line] = /import "http:[^"]+worker\.js";/.exec(told) ?? [''];
    writeFileSync(path.join(site.folder, 'own-worker.js'), line);
    const own = { folders: { '/own/': site.folder }, workerUrl: '/own/own-worker.js' };
    await withPage({ from, headers, ...own }, async ({ page }) => {
      assert.equal(await page.evaluate(cases.sameBoxes['a Blob']), fixtures.boxes);
    });
  });
});
