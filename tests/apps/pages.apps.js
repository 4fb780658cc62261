// Pages of docs/RECIPES.md in special surroundings: plain hosting, offline, strict policies, a CDN, an extension.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { chromium as findChromium } from '../../tools/places.mjs';
import { App } from './app.js';
import { expectedBoxes, FLAGS, ISOLATION, look, openBrowser, requireBoxes, serve } from './look.js';
import { takeRecipes } from './recipes.js';

const MODULE = 'One detector for the app';
const PAGE = `<!doctype html><link rel="icon" href="data:,"><output></output>
  <script type="module" src="/src/main.js"></script>`;
const MODULES = { 'package.json': { type: 'module', private: true } };

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.close());

/**
 * An app with the files of recipes, which goes afterwards.
 * @param {string[]} headings
 * @param {string[]} packages
 * @param {Record<string, string | object>} files
 * @param {(app: App, recipe: import('./recipes.js').Recipe) => Promise<void>} use
 */
async function withApp(headings, packages, files, use) {
  const app = new App();
  try {
    const recipe = takeRecipes(...headings);
    app.write({ ...recipe.files, ...MODULES, ...files });
    app.putPicture('public');
    await app.install(['wisp-yolo', ...packages]);
    await use(app, recipe);
  } finally {
    app.remove();
  }
}

/**
 * @param {Parameters<typeof serve>} how
 * @param {(url: string, stop: () => void) => Promise<void>} use
 */
async function withSite(how, use) {
  const { url, stop } = await serve(...how);
  try {
    await use(url, stop);
  } finally {
    stop();
  }
}

test('plain hosting, in a folder, on one thread without a word', () =>
  withApp(
    [MODULE, 'Plain hosting, such as GitHub Pages'],
    ['vite'],
    { 'index.html': PAGE },
    async (app) => {
      await app.run('vite build');
      const folders = [path.join(app.folder, 'dist')];
      await withSite([folders, { at: '/codes/' }], async (url) => {
        const context = await browser.newContext();
        const page = await context.newPage();
        /** @type {string[]} */
        const said = [];
        page.on('console', (message) => said.push(message.text()));
        await requireBoxes(page, url, false);
        await context.close();
        assert.deepEqual(said, []);
      });
    },
  ));

test('offline, once the service worker has all', () =>
  withApp(
    [MODULE, 'Vite', 'Offline'],
    ['vite', 'workbox-build'],
    { 'index.html': `${PAGE}<script type="module" src="/src/offline.js"></script>` },
    async (app) => {
      await app.run('vite build');
      await app.run('node workbox.js');
      const folders = [path.join(app.folder, 'dist')];
      await withSite([folders, { headers: ISOLATION }], async (url, stop) => {
        const then = async (/** @type {import('playwright-core').Page} */ page) => {
          await page.evaluate(async () => void (await navigator.serviceWorker.ready));
          stop();
          await requireBoxes(page, url, true);
        };
        await look(browser, url, { isolated: true, then });
      });
    },
  ));

test('threads without headers, by a service worker', () =>
  withApp(
    ['Plain hosting, such as GitHub Pages', MODULE, 'Threads without headers'],
    ['vite', 'coi-serviceworker'],
    {},
    async (app, { commands }) => {
      for (const line of [...commands, 'vite build']) await app.run(line);
      const folders = [path.join(app.folder, 'dist')];
      await withSite([folders, { at: '/codes/' }], (url) => look(browser, url, { isolated: true }));
    },
  ));

const TRUSTED = {
  'index.html': PAGE.replace('<output>', '<script type="module" src="/src/trusted.js"></script>$&'),
};

test('strict policies', () =>
  withApp([MODULE, 'Vite', 'Strict policies'], ['vite'], TRUSTED, async (app) => {
    await app.run('vite build');
    const [, name, value] =
      /^```http\n([\w-]+): (.*)\n/m.exec(takeRecipes('Strict policies').text) ?? [];
    const folders = [path.join(app.folder, 'dist')];
    for (const policy of [value, `${value}; require-trusted-types-for 'script'`])
      for (const isolated of [true, false]) {
        const headers = { [name]: policy, ...(isolated && ISOLATION) };
        await withSite([folders, { headers }], (url) => look(browser, url, { isolated }));
      }
  }));

test('from another origin, by an import map', () =>
  withApp([MODULE, 'CDN and import map'], [], {}, async (app, { files }) => {
    const headers = {
      'Access-Control-Allow-Origin': '*',
      'Cross-Origin-Resource-Policy': 'cross-origin',
    };
    const shelf = path.join(app.folder, 'node_modules', 'wisp-yolo');
    await withSite([[shelf], { headers }], async (cdn) => {
      const page = files['index.html'].replaceAll(/https:\/\/cdn[^/]*\/[^/]*\//g, cdn);
      assert.notEqual(page, files['index.html']);
      app.write({ 'index.html': page });
      const folders = [app.folder, path.join(app.folder, 'public')];
      for (const isolated of [true, false])
        await withSite([folders, { headers: isolated ? ISOLATION : {} }], (url) =>
          look(browser, url, { isolated }),
        );
    });
  }));

test('an extension of manifest version 3: its popup, and its service worker', () =>
  withApp(['Web extensions'], [], {}, async (app, { commands }) => {
    app.putPicture('extension');
    for (const line of commands) await app.run(line);
    const root = path.join(app.folder, 'extension');
    const context = await chromium.launchPersistentContext(path.join(app.folder, 'profile'), {
      executablePath: findChromium(),
      headless: false,
      args: [...FLAGS, '--headless=new', `--load-extension=${root}`],
      ignoreDefaultArgs: ['--disable-extensions'],
    });
    try {
      const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
      const page = await context.newPage();
      await requireBoxes(page, new URL('popup.html', worker.url()).href, true);
      const answer = await page.evaluate(() =>
        Reflect.get(globalThis, 'chrome').runtime.sendMessage('ticket.png'),
      );
      assert.deepEqual(answer, await expectedBoxes());
    } finally {
      await context.close();
    }
  }));
