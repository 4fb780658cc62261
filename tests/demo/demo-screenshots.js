// Renews the pictures of the demo in docs/:  node tests/demo/demo-screenshots.js
// They show the sample pictures, with what the model that comes with the page really finds there.

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DemoPage, openBrowser } from './demo-page.js';

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));
const DESKTOP = { viewport: { width: 1280, height: 860 } };
const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};
const [PARCEL, TRIP] = [0, 1];

/**
 * @typedef {object} Shot
 * @property {string} file
 * @property {import('playwright-core').BrowserContextOptions} context
 * @property {number} [sample] none: the page as it opens
 */

/** @type {Shot[]} */
const SHOTS = [
  { file: 'demo-desktop.png', context: { ...DESKTOP, colorScheme: 'light' }, sample: TRIP },
  { file: 'demo-desktop-dark.png', context: { ...DESKTOP, colorScheme: 'dark' }, sample: PARCEL },
  { file: 'demo-empty.png', context: { ...DESKTOP, colorScheme: 'light' } },
  { file: 'demo-phone.png', context: { ...PHONE, colorScheme: 'dark' }, sample: TRIP },
];

/** @param {import('playwright-core').Page} page @param {number} sample */
async function show(page, sample) {
  await page.locator('#samples .sample').nth(sample).click();
  await page.locator('#codes .content').first().waitFor();
  const measure = page.locator('#measure');
  await measure.click();
  await page.waitForFunction(() => Number(document.querySelector('#rate')?.textContent) > 0);
  await page.waitForTimeout(6000); // all turns of the measurement
  await measure.blur();
  await page.mouse.move(0, 0);
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(500);
}

const browser = await openBrowser();
for (const { file, context, sample } of SHOTS) {
  const demo = await DemoPage.open(browser, { context, embedded: true });
  await demo.page.locator('#stage.ready').waitFor();
  await demo.page.locator('#loading').waitFor({ state: 'hidden' });
  if (sample !== undefined) await show(demo.page, sample);
  await demo.page.waitForLoadState('networkidle');
  await demo.page.screenshot({ path: path.join(DOCS, file) });
  console.log(path.join('docs', file));
  await demo.close();
}
await browser.close();
