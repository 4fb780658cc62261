// Opens an app in Chromium and looks whether it shows the boxes that this checkout finds.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import path from 'node:path';
import { chromium } from 'playwright-core';
import sirv from 'sirv';
import { chromium as findChromium, root } from '../../tools/places.mjs';
import { compression } from '../../tools/serve.mjs';
import codes from '../../web/src/codes.js';
import { Detector } from '../../web/src/index.js';

/** With codes on it. */
export const PICTURE = path.join(root, 'docs', 'demo-desktop.png');
export const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
export const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const PATIENCE_MS = 90_000;

/** @typedef {import('playwright-core').Page} Page */

/** @type {Promise<import('../../web/src/index.js').Box[]> | undefined} */
let finding;

/** What every app has to find on the picture. */
export function expectedBoxes() {
  finding ??= (async () => {
    const detector = await Detector.open(codes);
    const { boxes } = await detector.detect(PICTURE);
    await detector.close();
    assert.ok(boxes.length > 0);
    return boxes;
  })();
  return finding;
}

export function openBrowser() {
  return chromium.launch({ executablePath: findChromium(), args: FLAGS });
}

/**
 * Serves folders as any server would.
 * @param {string[]} folders of one site
 * @param {{at?: string, headers?: Record<string, string>, compressed?: boolean}} [options] at: its address
 * @returns {Promise<{url: string, stop: () => void}>}
 */
export async function serve(folders, { at = '/', headers = {}, compressed } = {}) {
  const shelves = folders.map((folder) => sirv(folder, { dev: true }));
  const compress = await compression();
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const missing = () => void response.writeHead(404).end('Not here.');
    if (!request.url?.startsWith(at)) return missing();
    request.url = request.url.slice(at.length - 1);
    /** @param {typeof shelves} left @returns {void} */
    const next = ([shelf, ...rest]) =>
      shelf ? shelf(request, response, () => next(rest)) : missing();
    if (compressed) compress(request, response, () => next(shelves));
    else next(shelves);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}${at}`, stop };
}

/**
 * Opens a page in a browser of its own memory, and requires the boxes.
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {{isolated: boolean, bare?: boolean, then?: (page: Page) => Promise<void>}} options isolated: whether the page
 *   has to be; bare: its server's headers for that are taken away; then: what else to do with it
 */
export async function look(browser, url, { isolated, bare, then }) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    if (bare) await withoutIsolation(page);
    await requireBoxes(page, url, isolated);
    await then?.(page);
  } finally {
    await context.close();
  }
}

/** @param {Page} page @param {string} url @param {boolean} isolated */
export async function requireBoxes(page, url, isolated) {
  /** @type {string[]} */
  const said = [];
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => said.push(`error: ${error.message}`));
  page.on('requestfailed', (request) => said.push(`failed: ${request.url()}`));
  page.on('response', (response) => {
    if (response.status() >= 400) said.push(`${response.status()}: ${response.url()}`);
  });
  await page.goto(url);
  const output = page.locator('output', { hasText: '"score"' });
  await output.waitFor({ timeout: PATIENCE_MS }).catch(() => assert.fail(said.join('\n')));
  const shown = JSON.parse((await output.textContent()) ?? '');
  assert.deepEqual(shown, await expectedBoxes());
  const threads = page.workers().length;
  const state = await page.evaluate(() => globalThis.crossOriginIsolated);
  assert.deepEqual({ isolated: state, threads: threads > 1 }, { isolated, threads: isolated });
}

/** Of pages alone: their workers may have the headers all the same. @param {Page} page */
async function withoutIsolation(page) {
  await page.route('**/*', async (route) => {
    if (route.request().resourceType() !== 'document') return route.continue();
    const response = await route.fetch();
    const headers = response.headers();
    for (const name of Object.keys(ISOLATION)) delete headers[name.toLowerCase()];
    return route.fulfill({ response, headers });
  });
}
