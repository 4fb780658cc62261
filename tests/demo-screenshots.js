// Renews the pictures of the demo in docs/:  node tests/demo-screenshots.js MODEL.wisp
// They show a street drawn by program, with what the model really finds there.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DemoPage, openBrowser } from './demo-page.js';

const DOCS = fileURLToPath(new URL('../docs', import.meta.url));
const DESKTOP = { viewport: { width: 1440, height: 900 } };
const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};

/** @type {{file: string, context: import('playwright-core').BrowserContextOptions, empty?: boolean}[]} */
const SHOTS = [
  { file: 'demo-desktop.png', context: { ...DESKTOP, colorScheme: 'light' } },
  { file: 'demo-desktop-dark.png', context: { ...DESKTOP, colorScheme: 'dark' } },
  { file: 'demo-empty.png', context: { ...DESKTOP, colorScheme: 'light' }, empty: true },
  { file: 'demo-phone.png', context: { ...PHONE, colorScheme: 'dark' } },
];

/** @param {import('playwright-core').Browser} browser @param {string} picture */
async function drawScene(browser, picture) {
  const demo = await DemoPage.open(browser);
  await demo.page.route('**/demo-scene.js', (route) =>
    route.fulfill({ path: fileURLToPath(new URL('demo-scene.js', import.meta.url)) }),
  );
  const bytes = await demo.page.evaluate(async () => {
    const { drawStreet } = await import(new URL('demo-scene.js', location.href).href);
    const canvas = new OffscreenCanvas(1200, 800);
    drawStreet(canvas.getContext('2d'), canvas.width, canvas.height);
    return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
  });
  await writeFile(picture, Buffer.from(bytes));
  await demo.close();
}

/** @param {DemoPage} demo @param {string} model @param {string} picture */
async function fill(demo, model, picture) {
  await demo.openModel(model);
  await demo.openPicture(picture);
  const measure = demo.page.locator('#measure');
  await measure.click();
  await demo.page.waitForTimeout(12_000);
  await measure.blur();
  await demo.page.mouse.move(0, 0);
  await demo.page.waitForTimeout(500);
}

const [model] = process.argv.slice(2);
if (!model) {
  console.error('node tests/demo-screenshots.js MODEL.wisp');
  process.exit(2);
}
const folder = await mkdtemp(path.join(tmpdir(), 'wisp-shots-'));
const picture = path.join(folder, 'street.png');
const browser = await openBrowser();
await drawScene(browser, picture);
for (const { file, context, empty } of SHOTS) {
  const demo = await DemoPage.open(browser, { context });
  if (!empty) await fill(demo, model, picture);
  await demo.page.screenshot({ path: path.join(DOCS, file) });
  console.log(path.join('docs', file));
  await demo.close();
}
await browser.close();
await rm(folder, { recursive: true });
