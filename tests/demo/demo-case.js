// A test of the demo page in Chromium: the page opened and closed around it, and what each has at hand.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium as findChromium } from '../../tools/places.mjs';
import { encodePng, makeModel, makePicture } from '../support/fixtures.js';
import { DemoPage, openBrowser } from './demo-page.js';

const SKIP = findChromium() ? false : 'no Chromium here: node tools/setup.mjs sets one up';

export const CLASSES = ['person', 'bus', 'stop sign'];
export const MODEL = {
  name: 'random.wisp',
  mimeType: '',
  buffer: Buffer.from(makeModel({ classes: CLASSES, height: 128, width: 128 })),
};
export const PICTURE = {
  name: 'scene.png',
  mimeType: 'image/png',
  buffer: Buffer.from(encodePng(makePicture({ width: 160, height: 120 }))),
};

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let browser;
before(async () => {
  if (!SKIP) browser = await openBrowser();
});
after(() => browser?.close());

/** @param {string} name @param {(demo: DemoPage) => Promise<void>} body @param {object} [options] */
export function demoTest(name, body, options) {
  test(name, { skip: SKIP }, async () => {
    const demo = await DemoPage.open(browser, options);
    try {
      await body(demo);
      assert.deepEqual(demo.complaints, [], 'nothing in the console');
      assert.deepEqual(demo.strangers, [], 'no request leaves the origin');
    } finally {
      await demo.close();
    }
  });
}
