// The package as people get it, installed into an app: under Node, by the command, in a bundle that lacks files.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { chromium as findChromium, root } from '../../tools/places.mjs';
import { checkPackage, pack } from '../../tools/release.mjs';
import { startServer } from '../../tools/serve.mjs';
import codes from '../../web/src/codes.js';
import { Detector } from '../../web/src/index.js';
import { encodePng, makePicture } from '../support/fixtures.js';
import { tinyYolo } from '../support/tiny-yolo.js';

const PICTURE = path.join(root, 'docs', 'demo-desktop.png'); // with codes on it
const app = mkdtempSync(path.join(tmpdir(), 'wisp-app-'));
const run = promisify(execFile);

/** @type {string} */
let file;
/** What this checkout finds on the picture, as JSON. @type {string} */
let boxes;

before(async () => {
  writeFileSync(path.join(app, 'package.json'), '{"type": "module"}');
  file = await pack(app);
  await run('npm', ['install', '--omit=peer', '--no-audit', '--no-fund', file], { cwd: app });
  const detector = await Detector.open(codes);
  boxes = JSON.stringify((await detector.detect(PICTURE)).boxes);
  assert.notEqual(boxes, '[]');
  await detector.close();
});
after(() => rmSync(app, { recursive: true }));

test('its entries and types are found by whoever looks for them', () => checkPackage(file));

test('a program under Node finds what this checkout finds', async () => {
  writeFileSync(
    path.join(app, 'program.js'),
    `import { Detector } from 'wisp-yolo';
     import codes from 'wisp-yolo/codes';
     const detector = await Detector.open(codes);
     const { boxes } = await detector.detect(process.argv[2]);
     process.stdout.write(JSON.stringify(boxes));
     await detector.close();`,
  );
  const { stdout } = await run(process.execPath, ['program.js', PICTURE], { cwd: app });
  assert.equal(stdout, boxes);
});

test('codes are found where no decoder is installed, and the sentence says how to get one', async () => {
  writeFileSync(
    path.join(app, 'codes.js'),
    `import { CodeReader } from 'wisp-yolo/code-reader';
     const reader = await CodeReader.open({ threads: 1 });
     const { code, message } = await reader.read(process.argv[2]).catch((error) => error);
     process.stdout.write(code + ' ' + message);
     await reader.close();`,
  );
  const { stdout } = await run(process.execPath, ['codes.js', PICTURE], { cwd: app });
  assert.match(stdout, /^WISP_ERR_ENGINE .*"npm install zxing-wasm@\^3\.1\.4"/);
});

test('the command too', async () => {
  const { stdout } = await run('npx', ['wisp', 'detect', PICTURE], { cwd: app });
  assert.equal(JSON.parse(stdout).boxes.length, JSON.parse(boxes).length);
});

const SKIP = findChromium() ? false : 'no Chromium here: node tools/setup.mjs sets one up';

describe('a page that esbuild bundled', { skip: SKIP }, () => {
  /** @type {import('playwright-core').Browser} */
  let browser;
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server;
  /** @type {import('playwright-core').Page} */
  let page;

  before(async () => {
    const site = path.join(app, 'public');
    mkdirSync(site);
    writeFileSync(
      path.join(app, 'page.js'),
      `import { Detector } from 'wisp-yolo';
       import { press } from 'wisp-yolo/press';
       globalThis.wisp = { Detector, press };`,
    );
    await build({
      absWorkingDir: app,
      entryPoints: ['page.js'],
      outfile: 'public/page.js',
      bundle: true,
      format: 'esm',
      logLevel: 'silent',
    });
    writeFileSync(path.join(site, 'index.html'), '<script type="module" src="page.js"></script>');
    const imports = { pbf: '/vendor/pbf/index.js', fflate: '/vendor/fflate/esm/browser.js' };
    const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
    writeFileSync(path.join(site, 'plain.html'), map);
    await run('npx', ['wisp', 'copy', 'public/wisp'], { cwd: app });
    const folders = { '/app/': site, '/docs/': path.join(root, 'docs') };
    server = await startServer({ port: 0, folders });
    const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
    browser = await chromium.launch({ executablePath: findChromium(), args });
    page = await browser.newPage();
    await page.goto(new URL('/app/index.html', server.url).href);
    await page.waitForFunction(() => Reflect.has(globalThis, 'wisp'));
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  test('finds its files in what `wisp copy` has copied, on threads too', async () => {
    const found = await page.evaluate(async () => {
      const { Detector } = Reflect.get(globalThis, 'wisp');
      const base = '/app/wisp';
      const detector = await Detector.open(`${base}/models/codes.wisp`, { base });
      const { boxes } = await detector.detect('/docs/demo-desktop.png');
      const { threads } = detector.info;
      await detector.close();
      return { boxes: JSON.stringify(boxes), threads };
    });
    assert.equal(found.boxes, boxes);
    assert.ok(found.threads > 1);
  });

  test('presses there', async () => {
    const network = [...tinyYolo()];
    const picture = [...encodePng(makePicture())];
    const head = await page.evaluate(
      async ([network, picture]) => {
        const { press } = Reflect.get(globalThis, 'wisp');
        const pictures = [new Uint8Array(picture)];
        const { bytes } = await press(new Uint8Array(network), { pictures, base: '/app/wisp/' });
        return String.fromCharCode(...bytes.subarray(0, 4));
      },
      [network, picture],
    );
    assert.equal(head, 'WISP');
  });

  test('and a page without a bundler imports them as they are', async () => {
    await page.goto(new URL('/app/plain.html', server.url).href);
    const found = await page.evaluate(
      async (network) => {
        const at = '/app/wisp/dist/web/';
        const { Detector, WispError } = await import(`${at}index.js`);
        const { default: codes } = await import(`${at}codes.js`);
        const { press } = await import(`${at}press.js`);
        const { draw } = await import(`${at}draw.js`);
        const detector = await Detector.open(codes);
        const { boxes } = await detector.detect('/docs/demo-desktop.png');
        await detector.close();
        const picture = { data: new Uint8Array(64 * 64 * 4), width: 64, height: 64 };
        const { bytes } = await press(new Uint8Array(network), { pictures: [picture] });
        const pressed = await Detector.open(bytes, { threads: 1 });
        await pressed.close();
        const own = await Detector.open(new Uint8Array(9)).catch(
          (/** @type {unknown} */ thrown) => thrown,
        );
        const refused = own instanceof WispError && own.code;
        return { boxes: JSON.stringify(boxes), refused, draw: typeof draw };
      },
      [...tinyYolo()],
    );
    assert.deepEqual(found, { boxes, refused: 'WISP_ERR_FORMAT', draw: 'function' });
    await page.goto(new URL('/app/index.html', server.url).href);
    await page.waitForFunction(() => Reflect.has(globalThis, 'wisp'));
  });

  test('is told what to do where it lacks them', async () => {
    const sentence = await page.evaluate(() =>
      Reflect.get(globalThis, 'wisp').Detector.open('/app/wisp/models/codes.wisp').catch(String),
    );
    assert.match(sentence, /wisp copy public\/wisp.*base/);
  });
});
