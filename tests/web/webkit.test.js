// The Detector in WebKit, Safari's engine (WebKitGTK through plain WebDriver calls): no relaxed SIMD, no shared memory.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startServer } from '../../tools/serve.mjs';
import { makeFixtures } from '../support/site.js';
import { NO_WEBKIT, WebKit } from '../support/webkit.js';
import * as cases from './page-cases.js';
import { testPictures } from './picture-cases.js';

const SKIP = NO_WEBKIT;

/** @type {WebKit} */ let webkit;
/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('./page-cases.js').Fixtures} */ let fixtures;
/** @type {{isolated: boolean, info: import('../../web/src/index.js').Info}} */ let setUp;

/** @type {WebKit['evaluate']} */
const evaluate = (run, argument) => webkit.evaluate(run, argument);

/** Whether a case needs a class that the page has not. @param {Function} run @param {string} name */
async function lacks(run, name) {
  return (
    `${run}`.includes(name) &&
    !(await evaluate((/** @type {string} */ one) => one in globalThis, name))
  );
}

before(async () => {
  if (SKIP) return;
  fixtures = await makeFixtures();
  server = await startServer({ port: 0 });
  webkit = await WebKit.start();
  await webkit.open(new URL('/web/src/index.js', server.url));
  setUp = await evaluate(cases.setUpPage, fixtures);
});
after(async () => {
  await webkit?.close();
  await server?.close();
});

describe('an isolated page', { skip: SKIP }, () => {
  test('runs what it can, and says why not more', () => {
    const { variant, threads, reason } = setUp.info;
    const shared = variant.endsWith('-mt');
    assert.equal(shared, threads > 1);
    assert.match(
      reason,
      shared ? /threads/ : /one thread: .*SharedArrayBuffer|one thread: there is/,
    );
  });
  for (const [name, run] of Object.entries(cases.sameBoxes)) {
    test(`${name}: the boxes of Node`, async (context) => {
      if (await lacks(run, 'VideoFrame')) return context.skip('this WebKit has no VideoFrame');
      assert.equal(await evaluate(run), fixtures.boxes);
    });
  }
  for (const [name, [run, sentence]] of Object.entries(cases.refusals)) {
    test(`${name} is refused`, async (context) => {
      if (await lacks(run, 'VideoFrame')) return context.skip('this WebKit has no VideoFrame');
      assert.match(await evaluate(run), sentence);
    });
  }
  testPictures(evaluate, { premultiplies: true });
  test('turns a photo as its EXIF says', async () => {
    assert.deepEqual(await evaluate(cases.turnedPhoto), [32, 64, 32, 64]);
  });
});
