// The Detector in WebKit, Safari's engine (WebKitGTK through plain WebDriver calls): no relaxed SIMD, no shared memory.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { which } from '../../tools/command.mjs';
import { miniBrowser } from '../../tools/places.mjs';
import { startServer } from '../../tools/serve.mjs';
import { makeFixtures } from '../support/site.js';
import * as cases from './page-cases.js';
import { testPictures } from './picture-cases.js';

const DRIVER = which('WebKitWebDriver');
const DISPLAY = which('Xvfb');
const MINI_BROWSER = miniBrowser();
const SKIP =
  DRIVER && DISPLAY && MINI_BROWSER
    ? false
    : 'no WebKit here: apt-get install webkit2gtk-driver xvfb';
const BROWSER = { binary: MINI_BROWSER, args: ['--automation'] };
const START_MS = 60_000;
const PORT = 4700 + (process.pid % 200);

/** @type {import('node:child_process').ChildProcess[]} */
const children = [];
/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('./page-cases.js').Fixtures} */ let fixtures;
/** @type {string} */ let session = '';
/** @type {{isolated: boolean, info: import('../../web/src/index.js').Info}} */ let setUp;

/** @param {string} method @param {string} address @param {object} [body] @returns {Promise<any>} */
async function command(method, address, body) {
  const init = { method, body: body && JSON.stringify(body) };
  const response = await fetch(`http://127.0.0.1:${PORT}/session${session}${address}`, init);
  const { value } = /** @type {any} */ (await response.json());
  if (!response.ok) throw new Error(`${value?.error}: ${value?.message}`);
  return value;
}

/** Runs a function in the page. @param {Function} run @param {unknown} [argument] */
async function evaluate(run, argument) {
  const script = `const [argument, done] = arguments;
    (async () => (${run})(argument))().then(
      (value) => done({ value }), (error) => done({ error: String(error) }));`;
  const { value, error } = await command('POST', '/execute/async', { script, args: [argument] });
  if (error) throw new Error(error);
  return value;
}

/** Whether a case needs a class that the page has not. @param {Function} run @param {string} name */
async function lacks(run, name) {
  return (
    `${run}`.includes(name) &&
    !(await evaluate((/** @type {string} */ one) => one in globalThis, name))
  );
}

/** Asks until it is so. @param {() => boolean | Promise<boolean>} condition */
async function until(condition) {
  const limit = Date.now() + START_MS;
  while (!(await condition())) {
    assert.ok(Date.now() < limit, 'WebKit does not start');
    await sleep(50);
  }
}

async function startBrowser() {
  const display = `:${PORT}`;
  children.push(spawn(`${DISPLAY}`, [display, '-screen', '0', '1280x800x24'], { stdio: 'ignore' }));
  const env = {
    ...process.env,
    DISPLAY: display,
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
    WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    LIBGL_ALWAYS_SOFTWARE: '1',
  };
  await until(() => existsSync(`/tmp/.X11-unix/X${PORT}`));
  children.push(spawn(`${DRIVER}`, [`--port=${PORT}`], { env, stdio: 'ignore' }));
  await until(() =>
    fetch(`http://127.0.0.1:${PORT}/status`).then(
      () => true,
      () => false,
    ),
  );
  const alwaysMatch = { 'webkitgtk:browserOptions': BROWSER };
  const { sessionId } = await command('POST', '', { capabilities: { alwaysMatch } });
  session = `/${sessionId}`;
  await command('POST', '/timeouts', { script: 30_000 });
}

before(async () => {
  if (SKIP) return;
  fixtures = await makeFixtures();
  server = await startServer({ port: 0 });
  await startBrowser();
  await command('POST', '/url', { url: new URL('/web/src/index.js', server.url).href });
  setUp = await evaluate(cases.setUpPage, fixtures);
});
after(async () => {
  if (session) await command('DELETE', '').catch(() => {});
  for (const child of children) child.kill();
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
