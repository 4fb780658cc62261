// Places where no worker can be started, in a real Chromium: service workers of pages and extensions, a page without.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { chromium as findChromium } from '../../tools/places.mjs';
import { startServer } from '../../tools/serve.mjs';
import { press } from '../../web/src/press.js';
import { makePicture } from '../support/fixtures.js';
import { makeFixtures, openSite } from '../support/site.js';
import { tinyYolo } from '../support/tiny-yolo.js';

const SKIP = findChromium() ? false : 'no Chromium here: node tools/setup.mjs sets one up';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
];
const WITHOUT_WORKER = 'relaxed SIMD; one thread: it runs without workers';

/** @type {Awaited<ReturnType<typeof openSite>>} */ let site;
/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;
/** What Node finds in the picture, as JSON. @type {string} */ let boxes;

before(async () => {
  if (SKIP) return;
  site = await openSite();
  ({ boxes } = await makeFixtures());
  const map = `<script type="importmap">{"imports": {"pbf": "/vendor/pbf/index.js"}}</script>`;
  const blank = `<!doctype html><title>blank</title>${map}`;
  writeFileSync(path.join(site.folder, 'blank.html'), blank);
  server = await startServer({ port: 0, folders: { '/own/': site.folder } });
  browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
});

after(async () => {
  await browser?.close();
  await server?.close();
  site?.close();
});

/** @param {(page: import('playwright-core').Page) => Promise<void>} use */
async function withPage(use) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(new URL('/own/blank.html', server.url).href);
    await use(page);
  } finally {
    await context.close();
  }
}

/** Answers messages and requests with what it finds. @param {string} src @param {string} own addresses of folders */
const serviceWorker = (src, own, options = '{ inPlace }') => `
  import { Detector } from '${src}/index.js';
  ${options === '{}' ? '' : `import { inPlace } from '${src}/in-place.js';`}
  const find = async (model) => {
    try {
      const detector = await Detector.open('${own}/' + model, ${options});
      const image = await (await fetch('${own}/picture.png')).blob();
      const one = await detector.detect(image, { confidence: 0.2 });
      const two = await detector.detect([image, '${own}/picture.png'], { confidence: 0.2 });
      const raw = { data: new Uint8Array(64 * 64 * 4), width: 64, height: 64 };
      const grey = await detector.detect(raw);
      const same = two.every(({ boxes }) => JSON.stringify(boxes) === JSON.stringify(one.boxes));
      await detector.close();
      const closed = await detector.detect(image).catch(({ code }) => code);
      return { boxes: one.boxes, same, grey: grey.width, closed, reason: detector.info.reason };
    } catch ({ code, message }) {
      return { refused: code + ': ' + message };
    }
  };
  addEventListener('install', () => skipWaiting());
  addEventListener('activate', (event) => event.waitUntil(clients.claim()));
  addEventListener('message', async ({ data, source }) => source.postMessage(await find(data)));
  addEventListener('fetch', (event) => {
    if (event.request.url.endsWith('/boxes.json'))
      event.respondWith(find('tiny.wisp').then((found) => Response.json(found)));
  });
`;

/** @param {import('playwright-core').Page} page @param {string} name @param {string} message */
async function ask(page, name, message) {
  return page.evaluate(
    async ([name, message]) => {
      const { serviceWorker } = navigator;
      await serviceWorker.register(`/own/${name}`, { type: 'module' });
      const { active } = await serviceWorker.ready;
      const answer = new Promise((resolve) =>
        serviceWorker.addEventListener('message', ({ data }) => resolve(data)),
      );
      serviceWorker.startMessages();
      active?.postMessage(message);
      return answer;
    },
    [name, message],
  );
}

/** @param {any} found */
function requireFound(found) {
  assert.equal(found.refused, undefined);
  assert.equal(JSON.stringify(found.boxes), boxes);
  const { same, grey, closed, reason } = found;
  assert.deepEqual(
    { same, grey, closed, reason },
    { same: true, grey: 64, closed: 'WISP_ERR_CLOSED', reason: WITHOUT_WORKER },
  );
}

describe('a service worker', { skip: SKIP }, () => {
  test('detects, on a message and on a request', async () => {
    writeFileSync(path.join(site.folder, 'sw.js'), serviceWorker('/web/src', '/own'));
    await withPage(async (page) => {
      requireFound(await ask(page, 'sw.js', 'tiny.wisp'));
      const answered = await page.evaluate(async () => (await fetch('/own/boxes.json')).json());
      requireFound(answered);
      const refused = await ask(page, 'sw.js', 'picture.png');
      assert.match(
        /** @type {any} */ (refused).refused,
        /^WISP_ERR_FORMAT: .*picture\.png is no \.wisp file but something else/,
      );
    });
  });

  test('without what it needs is told what to import', async () => {
    writeFileSync(path.join(site.folder, 'sw.js'), serviceWorker('/web/src', '/own', '{}'));
    await withPage(async (page) => {
      const { refused } = /** @type {any} */ (await ask(page, 'sw.js', 'tiny.wisp'));
      assert.match(refused, /^WISP_ERR_ENGINE: .*\(ServiceWorkerGlobalScope\)/);
      assert.match(
        refused,
        /Import \{ inPlace \} from 'wisp-yolo\/in-place' and open with Detector/,
      );
      assert.doesNotMatch(refused, /workerUrl/);
    });
  });

  test('is told where to press', async () => {
    const source = `
      import { Press } from '/web/src/press.js';
      const model = { input: { width: 32, height: 32 }, classes: ['x'], heads: [], nodes: [] };
      addEventListener('install', () => skipWaiting());
      addEventListener('activate', (event) => event.waitUntil(clients.claim()));
      addEventListener('message', async ({ source }) =>
        source.postMessage(await Press.open(model).catch(String)));`;
    writeFileSync(path.join(site.folder, 'sw.js'), source);
    await withPage(async (page) => {
      const refused = await ask(page, 'sw.js', '');
      assert.match(
        String(refused),
        /\(ServiceWorkerGlobalScope\).*\. Press in a page, or under Node/,
      );
    });
  });
});

test('a page without workers detects and presses in place by itself', { skip: SKIP }, async () => {
  const network = [...tinyYolo()];
  const { width, height, data } = makePicture();
  const pixels = { width, height, data: [...data] };
  const pictures = [{ width, height, data }];
  const { bytes } = await press(new Uint8Array(network), { pictures, threads: 1, name: 'x' });
  await withPage(async (page) => {
    const found = await page.evaluate(
      async ([network, { width, height, data }]) => {
        Reflect.deleteProperty(globalThis, 'Worker');
        const [index, own] = ['/web/src/index.js', '/web/src/press.js'];
        const { Detector } = await import(index);
        const detector = await Detector.open('/own/tiny.wisp', { threads: 4 });
        const found = await detector.detect('/own/picture.png', { confidence: 0.2 });
        const { press } = await import(own);
        const pictures = [{ width, height, data: new Uint8Array(data) }];
        const model = new Uint8Array(network);
        const phases = new Set();
        const onProgress = (/** @type {any} */ { phase }) => phases.add(phase);
        const { bytes } = await press(model, { pictures, threads: 4, name: 'x', onProgress });
        const told = [...phases].join(' ');
        return { boxes: found.boxes, reason: detector.info.reason, bytes: [...bytes], told };
      },
      /** @type {const} */ ([network, pixels]),
    );
    assert.equal(JSON.stringify(found.boxes), boxes);
    assert.equal(found.reason, WITHOUT_WORKER);
    assert.deepEqual(Uint8Array.from(found.bytes), bytes);
    assert.equal(found.told, 'import load fold observe quantise pack');
  });
});

test('what is compiled already is taken as it is, where nothing may be compiled', {
  skip: SKIP,
}, async () => {
  await withPage(async (page) => {
    const found = await page.evaluate(async () => {
      const [index, place] = ['/web/src/index.js', '/web/src/in-place.js'];
      const [{ Detector }, { inPlace }] = [await import(index), await import(place)];
      const wisp = await WebAssembly.compileStreaming(fetch('/dist/wisp.wasm'));
      Object.assign(WebAssembly, {
        Module: class {
          constructor() {
            throw new WebAssembly.CompileError('disallowed by embedder'); // as Cloudflare's workerd says
          }
        },
      });
      const model = await (await fetch('/own/tiny.wisp')).blob();
      const refused = await Detector.open(model, { inPlace }).catch(String);
      const there = { ...inPlace, wasm: { wisp } };
      const detector = await Detector.open(model, { inPlace: there });
      const { boxes } = await detector.detect('/own/picture.png', { confidence: 0.2 });
      return { boxes, variant: detector.info.variant, refused };
    });
    assert.equal(JSON.stringify(found.boxes), boxes);
    assert.equal(found.variant, 'wisp');
    assert.match(found.refused, /disallowed by embedder.*hand one over with inPlace\.wasm/);
  });
});

test('a page that asks for it detects in place, as often as it likes', { skip: SKIP }, async () => {
  await withPage(async (page) => {
    const found = await page.evaluate(async () => {
      const [index, place] = ['/web/src/index.js', '/web/src/in-place.js'];
      const [{ Detector }, { inPlace }] = [await import(index), await import(place)];
      const open = () => Detector.open('/own/tiny.wisp', { inPlace });
      const [one, two] = await Promise.all([open(), open()]);
      await one.close();
      const { boxes } = await two.detect('/own/picture.png', { confidence: 0.2 });
      return { boxes, variant: two.info.variant };
    });
    assert.equal(JSON.stringify(found.boxes), boxes);
    assert.equal(found.variant, 'wisp-relaxed');
  });
});

describe('an extension', { skip: SKIP }, () => {
  /** @type {string} */ let folder;
  /** @type {import('playwright-core').BrowserContext | undefined} */ let context;

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'wisp-extension-'));
    const root = path.join(folder, 'extension');
    mkdirSync(root);
    cpSync(new URL('../../dist', import.meta.url), path.join(root, 'dist'), { recursive: true });
    for (const name of ['tiny.wisp', 'picture.png'])
      cpSync(path.join(site.folder, name), path.join(root, name));
    const manifest = {
      ...{ manifest_version: 3, name: 'wisp', version: '1' },
      background: { service_worker: 'background.js', type: 'module' },
      content_security_policy: { extension_pages: "script-src 'self' 'wasm-unsafe-eval'" },
    };
    writeFileSync(path.join(root, 'manifest.json'), JSON.stringify(manifest));
    const source = serviceWorker('./dist/web', '');
    writeFileSync(path.join(root, 'background.js'), `${source}globalThis.find = find;`);
    context = await chromium.launchPersistentContext(path.join(folder, 'profile'), {
      executablePath: findChromium(),
      headless: false,
      args: [...FLAGS, '--headless=new', `--load-extension=${root}`],
      ignoreDefaultArgs: ['--disable-extensions'],
    });
  });

  after(async () => {
    await context?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  test('of manifest version 3 detects in its service worker', async () => {
    const worker =
      context?.serviceWorkers()[0] ??
      (await context?.waitForEvent('serviceworker', { timeout: 20000 }));
    const found = await worker?.evaluate(() => Reflect.get(globalThis, 'find')('tiny.wisp'));
    requireFound(found);
  });
});
