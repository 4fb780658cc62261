// Drives the demo page for the tests: opens it in Chromium, hands it files, listens to what it complains about.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { chromium as findChromium } from '../../tools/places.mjs';
import { startServer } from '../../tools/serve.mjs';

/** @typedef {{name: string, mimeType: string, buffer: Buffer}} FileToGive */

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-ui-for-media-stream',
];

/** @param {{camera?: string, cameras?: number}} [options] camera: path of a .y4m file that the only camera shows */
export function openBrowser({ camera, cameras = 1 } = {}) {
  const show = camera ? [`--use-file-for-fake-video-capture=${camera}`] : [];
  const device = `--use-fake-device-for-media-stream=device-count=${cameras}`;
  return chromium.launch({ executablePath: findChromium(), args: [...FLAGS, device, ...show] });
}

export class DemoPage {
  /** What the console and the content security policy had to say. @type {string[]} */
  complaints = [];
  /** Requests to other origins. @type {string[]} */
  strangers = [];
  #context;

  /**
   * @param {Awaited<ReturnType<typeof startServer>>} server
   * @param {import('playwright-core').BrowserContext} context
   * @param {import('playwright-core').Page} page
   */
  constructor(server, context, page) {
    this.#context = context;
    this.page = page;
    this.url = server.url;
    page.on('console', (message) => {
      const text = `${message.type()}: ${message.text()} ${message.location().url}`;
      const zoo = text.includes('404') && text.endsWith('/models/zoo.json'); // there need not be one
      if (!zoo && !['log', 'debug'].includes(message.type())) this.complaints.push(text);
    });
    page.on('pageerror', (error) => this.complaints.push(`uncaught: ${error.stack}`));
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (/^https?:$/.test(protocol) && !server.url.startsWith(origin))
        this.strangers.push(request.url());
    });
  }

  /**
   * @param {import('playwright-core').Browser} browser
   * @param {object} [options]
   * @param {boolean} [options.isolated]
   * @param {boolean} [options.embedded] whether the page finds the model that comes with it
   * @param {import('playwright-core').BrowserContextOptions} [options.context]
   * @param {number} [options.patience] ms that anything on the page may take
   */
  static async open(browser, options = {}) {
    const { isolated = true, embedded = false, context: settings = {}, patience } = options;
    const server = await startServer({ port: 0, isolated });
    const permissions = ['camera', 'clipboard-read', 'clipboard-write'];
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      permissions,
      ...settings,
    });
    if (patience) context.setDefaultTimeout(patience);
    context.on('close', () => server.close()); // with the browser too, when a test fails before it closes its page
    const demo = new DemoPage(server, context, await context.newPage());
    if (!embedded) {
      await demo.page.route('**/models/zoo.json', (route) =>
        route.fulfill({ json: { models: [] } }),
      );
    }
    await demo.page.goto(server.url);
    return demo;
  }

  close() {
    return this.#context.close();
  }

  /** Takes back complaints that a test expects. @param {RegExp} text */
  allow(text) {
    this.complaints = this.complaints.filter((complaint) => !text.test(complaint));
  }

  /** @param {string} id @param {FileToGive | FileToGive[] | string | string[]} files */
  choose(id, files) {
    return this.page.setInputFiles(`#${id}`, files);
  }

  /** @param {FileToGive | string} file */
  async openModel(file) {
    await this.choose('choose-model', file);
    await this.#modelIsReady(30_000);
    await this.page.locator('#loading').waitFor({ state: 'hidden' });
  }

  /** In the open dialog. @param {number} timeoutMs */
  async press(timeoutMs) {
    await this.page.getByRole('button', { name: 'Press', exact: true }).click();
    await this.#modelIsReady(timeoutMs);
  }

  /** @param {number} timeoutMs */
  async #modelIsReady(timeoutMs) {
    const notices = '#notices p, #press-notices p';
    const either = this.page.locator(`#stage.ready, ${notices}`).first();
    await either.waitFor({ timeout: timeoutMs });
    for (const sentence of await this.page.locator(notices).allInnerTexts()) {
      throw new Error(sentence);
    }
  }

  /** @param {FileToGive | string} file */
  async openPicture(file) {
    await this.choose('choose-picture', file);
    await this.page.locator('#copy:enabled').waitFor();
    await this.rowCount((n) => n > 0);
  }

  /** Waits for a number of rows. @param {(n: number) => boolean} fits */
  async rowCount(fits) {
    const rows = this.page.locator('#rows tr');
    for (let i = 0; !fits(await rows.count()); i++) {
      if (i === 200) throw new Error(`${await rows.count()} rows do not fit ${fits}`);
      await this.page.waitForTimeout(50);
    }
  }

  /** The sentence that is shown; waits for one that matches. @param {RegExp} [text] */
  async alert(text = /./) {
    const alert = this.page.getByRole('alert').filter({ hasText: text });
    await alert.waitFor();
    return (await alert.innerText()).trim();
  }

  /** What is drawn over the picture. */
  overlay() {
    return this.page.evaluate(() => {
      const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('#overlay'));
      return canvas.toDataURL();
    });
  }

  overlayIsPainted() {
    return this.page.evaluate(() => {
      const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('#overlay'));
      const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data;
      return pixels?.some((value) => value > 0) ?? false;
    });
  }

  /** Every stop of the tab key, from the first to the first again. */
  async tabThrough() {
    const stops = [];
    await this.page.evaluate(() => document.body.focus());
    for (let i = 0; i < 80; i++) {
      await this.page.keyboard.press('Tab');
      const stop = await this.page.evaluate(() => {
        const at = document.activeElement ?? document.body;
        const { outlineStyle, outlineWidth } = getComputedStyle(at);
        const outlined = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1;
        const text = at.getAttribute('aria-label') ?? at.textContent?.trim() ?? '';
        return { tag: at.tagName, id: at.id, text, outlined };
      });
      if (stop.tag === 'BODY') break;
      stops.push(stop);
    }
    return stops;
  }

  /** Elements that reach over the sides of the window. */
  stickingOut() {
    return this.page.evaluate(() =>
      [...document.querySelectorAll('body *')]
        .filter((one) => one.checkVisibility() && !one.closest('.hidden, .skip, dialog, [popover]'))
        .filter((one) => {
          const { left, right } = one.getBoundingClientRect();
          return left < -1 || right > innerWidth + 1;
        })
        .map((one) => `${one.tagName} ${one.id} ${one.className}`),
    );
  }

  /** @param {FileToGive[]} files */
  async drop(files) {
    const data = await this.#transfer(files);
    await this.page.dispatchEvent('#stage', 'drop', { dataTransfer: data });
  }

  /** @param {FileToGive} file */
  async paste(file) {
    const data = await this.#transfer([file]);
    await this.page.evaluate((clipboardData) => {
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
    }, data);
  }

  /** @param {FileToGive[]} files */
  #transfer(files) {
    const plain = files.map(({ name, mimeType, buffer }) => ({
      name,
      type: mimeType,
      bytes: [...buffer],
    }));
    return this.page.evaluateHandle((list) => {
      const data = new DataTransfer();
      for (const { name, type, bytes } of list)
        data.items.add(new File([new Uint8Array(bytes)], name, { type }));
      return data;
    }, plain);
  }

  /** A second of moving shapes. @returns {Promise<FileToGive>} */
  async recordVideo() {
    const bytes = await this.page.evaluate(async () => {
      const canvas = document.createElement('canvas');
      canvas.width = 160;
      canvas.height = 120;
      const context = canvas.getContext('2d');
      const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: 'video/webm' });
      /** @type {Blob[]} */
      const parts = [];
      recorder.ondataavailable = ({ data }) => parts.push(data);
      recorder.start();
      for (let i = 0; i < 20; i++) {
        if (context) context.fillStyle = `hsl(${i * 40} 80% 50%)`;
        context?.fillRect(i * 6, i * 3, 60, 40);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      recorder.stop();
      await new Promise((resolve) => {
        recorder.onstop = resolve;
      });
      return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
    });
    return { name: 'shapes.webm', mimeType: 'video/webm', buffer: Buffer.from(bytes) };
  }

  /** As if another tab came to the front, or went. @param {boolean} hidden */
  hide(hidden) {
    return this.page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  }
}

/**
 * The page with its model, which must complain of nothing and ask nobody else.
 * @param {import('playwright-core').Browser} browser
 * @param {Parameters<typeof DemoPage.open>[1]} options
 * @param {(demo: DemoPage) => Promise<void>} body
 */
export async function inDemo(browser, options, body) {
  const demo = await DemoPage.open(browser, { embedded: true, ...options });
  try {
    await demo.page.locator('#stage.ready').waitFor();
    await body(demo);
    assert.deepEqual(demo.complaints, [], 'nothing in the console');
    assert.deepEqual(demo.strangers, [], 'no request leaves the origin');
  } finally {
    await demo.close();
  }
}
