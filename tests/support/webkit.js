// WebKit, Safari's engine, through plain WebDriver calls (WebKitGTK's MiniBrowser in a virtual display).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { which } from '../../tools/command.mjs';
import { miniBrowser } from '../../tools/places.mjs';

const DRIVER = which('WebKitWebDriver');
const DISPLAY = which('Xvfb');
const MINI_BROWSER = miniBrowser();
const START_MS = 60_000;
const PORT = 4700 + (process.pid % 200);

/** Why tests are skipped where there is none. */
export const NO_WEBKIT =
  DRIVER && DISPLAY && MINI_BROWSER
    ? false
    : 'no WebKit here: apt-get install webkit2gtk-driver xvfb';

/** Asks until it is so. @param {() => boolean | Promise<boolean>} condition */
async function until(condition) {
  const limit = Date.now() + START_MS;
  while (!(await condition())) {
    assert.ok(Date.now() < limit, 'WebKit does not start');
    await sleep(50);
  }
}

export class WebKit {
  /** @type {import('node:child_process').ChildProcess[]} */
  #children = [];
  #session = '';

  /** @returns {Promise<WebKit>} to be closed, also where it is of no more use */
  static async start() {
    const webkit = new WebKit();
    try {
      await webkit.#start();
    } catch (error) {
      await webkit.close();
      throw error;
    }
    return webkit;
  }

  /** @param {URL} address */
  async open({ href }) {
    await this.#command('POST', '/url', { url: href });
  }

  /** Runs a function in the page. @param {Function} run @param {unknown} [argument] */
  async evaluate(run, argument) {
    const script = `const [argument, done] = arguments;
      (async () => (${run})(argument))().then(
        (value) => done({ value }), (error) => done({ error: String(error) }));`;
    const body = { script, args: [argument] };
    const { value, error } = await this.#command('POST', '/execute/async', body);
    if (error) throw new Error(error);
    return value;
  }

  async close() {
    if (this.#session) await this.#command('DELETE', '').catch(() => {});
    for (const child of this.#children) child.kill();
  }

  /** @param {string} method @param {string} address @param {object} [body] @returns {Promise<any>} */
  async #command(method, address, body) {
    const init = { method, body: body && JSON.stringify(body) };
    const url = `http://127.0.0.1:${PORT}/session${this.#session}${address}`;
    const response = await fetch(url, init);
    const { value } = /** @type {any} */ (await response.json());
    if (!response.ok) throw new Error(`${value?.error}: ${value?.message}`);
    return value;
  }

  async #start() {
    const display = `:${PORT}`;
    const screen = [display, '-screen', '0', '1280x800x24'];
    this.#children.push(spawn(`${DISPLAY}`, screen, { stdio: 'ignore' }));
    const env = {
      ...process.env,
      DISPLAY: display,
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
      WEBKIT_DISABLE_COMPOSITING_MODE: '1',
      LIBGL_ALWAYS_SOFTWARE: '1',
    };
    await until(() => existsSync(`/tmp/.X11-unix/X${PORT}`));
    this.#children.push(spawn(`${DRIVER}`, [`--port=${PORT}`], { env, stdio: 'ignore' }));
    await until(() =>
      fetch(`http://127.0.0.1:${PORT}/status`).then(
        () => true,
        () => false,
      ),
    );
    const browser = { binary: MINI_BROWSER, args: ['--automation'] };
    const alwaysMatch = { 'webkitgtk:browserOptions': browser };
    const { sessionId } = await this.#command('POST', '', { capabilities: { alwaysMatch } });
    this.#session = `/${sessionId}`;
    await this.#command('POST', '/timeouts', { script: 30_000 });
  }
}
