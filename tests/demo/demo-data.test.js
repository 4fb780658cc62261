// The demo with the official network: pressed in the page, it finds what is on bus.jpg and before a webcam.

import assert from 'node:assert/strict';
import { mkdtemp, open as openFile, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium as findChromium } from '../../tools/places.mjs';
import { decodeImage } from '../../web/src/reading/read-node.js';
import { dataPath, without } from '../support/test-data.js';
import { DemoPage, openBrowser } from './demo-page.js';

const ONNX = dataPath('models/yolov5n_640.onnx');
const BUS = dataPath('images/bus.jpg');
const FACE = dataPath('images/zidane.jpg');
const CALIBRATION = dataPath('coco/calib');
const PICTURES = 16;

const SKIP = findChromium()
  ? without('models/yolov5n_640.onnx', 'images/bus.jpg', 'images/zidane.jpg', 'coco/calib')
  : 'no Chromium here: node tools/setup.mjs sets one up';

/** What the float network finds on bus.jpg at 640×480: name, score, left, top, right, bottom. */
const EXPECTED = /** @type {const} */ ([
  ['person', 0.872, 55, 398, 212, 890],
  ['person', 0.799, 682, 369, 811, 883],
  ['person', 0.796, 217, 409, 345, 866],
  ['person', 0.497, 0, 577, 72, 893],
  ['bus', 0.491, 24, 229, 810, 785],
]);

/**
 * A video of one picture, again and again.
 * @param {string} file
 * @param {{data: Uint8ClampedArray, width: number, height: number}} picture both sides even
 */
async function writeY4m(file, { data, width, height }) {
  const luma = new Uint8Array(width * height);
  const [blue, red] = [new Uint8Array(luma.length / 4), new Uint8Array(luma.length / 4)];
  for (let i = 0; i < luma.length; i++) {
    const [r, g, b] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    luma[i] = 16 + (65.74 * r + 129.06 * g + 25.06 * b) / 256; // BT.601
    const [x, y] = [i % width, Math.floor(i / width)];
    if (x % 2 || y % 2) continue;
    const at = (y / 2) * (width / 2) + x / 2;
    blue[at] = 128 + (-37.95 * r - 74.49 * g + 112.44 * b) / 256;
    red[at] = 128 + (112.44 * r - 94.15 * g - 18.29 * b) / 256;
  }
  const video = await openFile(file, 'w');
  await video.write(`YUV4MPEG2 W${width} H${height} F20:1 Ip A1:1 C420mpeg2\n`);
  for (let frame = 0; frame < 4; frame++) {
    await video.write('FRAME\n');
    for (const plane of [luma, blue, red]) await video.write(plane);
  }
  await video.close();
}

/**
 * @param {{x: number, y: number, width: number, height: number}} a
 * @param {readonly [number, number, number, number]} corners of the other
 */
function overlap(a, [left, top, right, bottom]) {
  const w = Math.max(0, Math.min(a.x + a.width, right) - Math.max(a.x, left));
  const h = Math.max(0, Math.min(a.y + a.height, bottom) - Math.max(a.y, top));
  return (w * h) / (a.width * a.height + (right - left) * (bottom - top) - w * h);
}

describe('the official network', { skip: SKIP }, () => {
  /** @type {Awaited<ReturnType<typeof openBrowser>>} */
  let browser;
  /** @type {string} */
  let folder;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'wisp-demo-'));
    const camera = path.join(folder, 'camera.y4m');
    await writeY4m(camera, await decodeImage(await readFile(FACE)));
    browser = await openBrowser({ camera });
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  test('is pressed in the page, kept, and finds what is there', { timeout: 240_000 }, async () => {
    const demo = await DemoPage.open(browser);
    const { page } = demo;
    await demo.choose('choose-model', ONNX);
    assert.ok(await page.getByRole('button', { name: 'Press', exact: true }).isDisabled());
    const names = (await readdir(CALIBRATION)).sort().slice(0, PICTURES);
    await demo.choose(
      'choose-calibration',
      names.map((name) => path.join(CALIBRATION, name)),
    );
    await demo.press(200_000);

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'yolov5n_640.wisp');
    const file = path.join(folder, 'yolov5n_640.wisp');
    await download.saveAs(file);

    await demo.openPicture(BUS);
    await findsTheBus(demo);
    await seesThroughTheCamera(demo);
    assert.deepEqual(demo.complaints, []);
    await demo.close();
    await opensAgain(browser, file);
  });
});

/** @param {DemoPage} demo */
async function findsTheBus({ page }) {
  assert.equal(await page.locator('#summary').innerText(), '4 persons, 1 bus');
  await page.getByRole('button', { name: 'Copy JSON' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  const { boxes } = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  for (const [name, score, ...corners] of EXPECTED) {
    const found = boxes.find(
      (/** @type {any} */ box) => box.name === name && overlap(box, corners) >= 0.9,
    );
    assert.ok(found, `${name} at ${corners} is not among ${JSON.stringify(boxes)}`);
    assert.ok(Math.abs(found.score - score) < 0.1, `${name} ${found.score}, expected ${score}`);
  }
}

/** @param {DemoPage} demo */
async function seesThroughTheCamera({ page }) {
  await page.locator('.bar').getByRole('button', { name: 'Webcam' }).click();
  await page.waitForFunction(() =>
    /2 persons/.test(document.querySelector('#summary')?.textContent ?? ''),
  );
  await page.waitForFunction(() => Number(document.querySelector('#rate')?.textContent) > 0);
}

/** @param {import('playwright-core').Browser} browser @param {string} file */
async function opensAgain(browser, file) {
  const demo = await DemoPage.open(browser);
  await demo.openModel(file);
  await demo.openPicture(BUS);
  assert.equal(await demo.page.locator('#summary').innerText(), '4 persons, 1 bus');
  await demo.close();
}
