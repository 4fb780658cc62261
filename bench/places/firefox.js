// A page in a headless Firefox, driven by Puppeteer over WebDriver BiDi.

import { importPackage } from '../peers/peers.js';

/** @param {import('./place.js').Setting} setting @returns {Promise<import('./place.js').Place>} */
export async function openFirefox({ url, program, say }) {
  const { default: puppeteer } = await importPackage('puppeteer-core', say);
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: program,
    headless: true,
    protocolTimeout: 600_000,
  });
  const page = await browser.newPage();
  await page.goto(url);
  await page.waitForFunction(() => Reflect.has(globalThis, 'lanes'));
  return {
    name: 'firefox',
    version: (await browser.version()).replace('/', ' '),
    flags: [],
    call: (verb, ...values) =>
      page.evaluate(
        (/** @type {string} */ method, /** @type {any[]} */ rest) =>
          Reflect.get(globalThis, 'lanes')[method](...rest),
        verb,
        values,
      ),
    close: () => browser.close(),
  };
}
