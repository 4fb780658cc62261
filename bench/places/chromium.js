// A page in a headless Chromium, driven by Playwright.

import { importPackage } from '../peers/peers.js';

const FLAGS = [
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @param {import('./place.js').Setting} setting @returns {Promise<import('./place.js').Place>} */
export async function openChromium({ url, program, v8Flags, say }) {
  const { chromium } = await importPackage('playwright-core', say);
  const flags = [
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ...FLAGS,
    ...(v8Flags.length > 0 ? [`--js-flags=${v8Flags.join(' ')}`] : []),
  ];
  const browser = await chromium.launch({ executablePath: program, args: flags });
  const page = await browser.newPage();
  await page.goto(url);
  await page.waitForFunction(() => Reflect.has(globalThis, 'lanes'));
  return {
    name: 'chromium',
    version: `Chromium ${browser.version()}`,
    flags,
    call: (verb, ...values) =>
      page.evaluate(
        (/** @type {[string, any[]]} */ [method, rest]) =>
          Reflect.get(globalThis, 'lanes')[method](...rest),
        /** @type {[string, any[]]} */ ([verb, values]),
      ),
    close: () => browser.close(),
  };
}
