// Makes the sample pictures of the demo anew, in web/demo/samples:  node tests/demo/demo-samples.js
// The scenes are HTML in tests/samples, looked at from aside by CSS, with codes from bwip-js: no photograph is needed.

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import bwip from 'bwip-js/node';
import { openBrowser } from './demo-page.js';

const FOLDER = fileURLToPath(new URL('../../web/demo/samples', import.meta.url));
const SCENES = ['parcel', 'trip', 'kitchen'];
const SIZE = { width: 1200, height: 800 };
const QUALITY = 0.86;
const SMALL = { width: 180, height: 120, quality: 0.36 }; // for the buttons

/** Puts the codes into a scene. @param {import('playwright-core').Page} page */
async function drawCodes(page) {
  for (const image of await page.locator('img[data-code]').all()) {
    const [bcid, text, options] = await image.evaluate((element) =>
      ['code', 'text', 'options'].map((name) => element.getAttribute(`data-${name}`) ?? ''),
    );
    const svg = bwip.toSVG({ bcid, text, scale: 4, ...JSON.parse(options || '{}') });
    const source = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
    await image.evaluate(async (element, src) => {
      if (!(element instanceof HTMLImageElement)) return;
      element.src = src;
      await element.decode();
    }, source);
  }
}

/**
 * Runs in a page: pictures side by side, as one file.
 * @param {{pngs: string[], width: number, height: number, quality: number}} given size of each
 */
async function toWebp({ pngs, width, height, quality }) {
  const canvas = new OffscreenCanvas(width * pngs.length, height);
  for (const [i, png] of pngs.entries()) {
    const blob = await (await fetch(`data:image/png;base64,${png}`)).blob();
    const size = { resizeWidth: width, resizeHeight: height };
    const bitmap = await createImageBitmap(blob, { ...size, resizeQuality: 'high' });
    canvas.getContext('2d')?.drawImage(bitmap, i * width, 0);
  }
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality });
  return [...new Uint8Array(await blob.arrayBuffer())];
}

const browser = await openBrowser();
const page = await browser.newPage({ viewport: SIZE });
/** @type {Record<string, string>} */
const pngs = {};
for (const name of SCENES) {
  await page.goto(new URL(`../samples/${name}.html`, import.meta.url).href);
  await drawCodes(page);
  pngs[name] = (await page.screenshot()).toString('base64');
}
await page.goto('about:blank');
const files = [
  ...SCENES.map((name) => ({ name, given: { pngs: [pngs[name]], ...SIZE, quality: QUALITY } })),
  { name: 'small', given: { pngs: Object.values(pngs), ...SMALL } },
];
for (const { name, given } of files) {
  const bytes = await page.evaluate(toWebp, given);
  await writeFile(`${FOLDER}/${name}.webp`, Buffer.from(bytes));
  console.log(`web/demo/samples/${name}.webp  ${bytes.length} bytes`);
}
await browser.close();
