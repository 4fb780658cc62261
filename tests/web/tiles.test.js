// Tiles of large pictures: small things are found where the whole picture shows them too small, each once.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import bwip from 'bwip-js/node';
import codes from '../../web/src/codes.js';
import { Detector } from '../../web/src/index.js';
import { decodeImage } from '../../web/src/reading/read-node.js';
import { dataPath, without } from '../support/test-data.js';

const PAGE = { width: 2480, height: 3508 }; // A4 at 300 dpi
const AT = { x: 1750, y: 2990 };
const SCALE = 6; // pixels a module

/** @typedef {{x: number, y: number, width: number, height: number}} Rect */

/** An empty page with a QR code on it, and where that is. */
async function page() {
  const drawn = await bwip.toBuffer({
    bcid: 'qrcode',
    text: 'https://example.com/a',
    scale: SCALE,
    backgroundcolor: 'ffffff',
  });
  const code = await decodeImage(new Uint8Array(drawn));
  const data = new Uint8ClampedArray(PAGE.width * PAGE.height * 4).fill(255);
  for (let row = 0; row < code.height; row++) {
    const line = code.data.subarray(row * code.width * 4, (row + 1) * code.width * 4);
    data.set(line, ((AT.y + row) * PAGE.width + AT.x) * 4);
  }
  return { picture: { data, ...PAGE }, place: { ...AT, width: code.width, height: code.height } };
}

/** Intersection over union. @param {Rect} a @param {Rect} b */
function overlap(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const both = Math.max(0, width) * Math.max(0, height);
  return both / (a.width * a.height + b.width * b.height - both);
}

describe('tiles', () => {
  /** @type {Detector} */ let detector;
  /** @type {Awaited<ReturnType<typeof page>>} */ let drawn;
  before(async () => {
    drawn = await page();
    detector = await Detector.open(codes, { threads: 1 });
  });
  after(() => detector.close());

  test('find a small code on a large page, once, where it was drawn', async () => {
    const small = { data: new Uint8ClampedArray(500 * 400 * 4).fill(255), width: 500, height: 400 };
    const pictures = [drawn.picture, small];
    const whole = await detector.detect(pictures);
    const tiled = await detector.detect(pictures, { tiles: 'auto' });
    const { boxes, width, height, times } = tiled[0];
    assert.deepEqual(
      boxes.map(({ name }) => name),
      ['qr_code'],
    );
    assert.ok(overlap(boxes[0], drawn.place) > 0.8, JSON.stringify(boxes));
    assert.deepEqual({ width, height }, PAGE);
    assert.ok(times.run > 2 * whole[0].times.run, 'the times are of all tiles');
    assert.ok(Math.abs(times.pixels + times.prep + times.run + times.post - times.total) < 1e-6);
    assert.deepEqual(tiled[1].boxes, whole[1].boxes);
  });

  test('are as many as are asked for; none, and one, are the whole picture', async () => {
    const { boxes } = await detector.detect(drawn.picture);
    for (const tiles of /** @type {const} */ (['none', undefined, { columns: 1, rows: 1 }]))
      assert.deepEqual((await detector.detect(drawn.picture, { tiles })).boxes, boxes);
    const tiles = { columns: 3, rows: 4, overlap: 0.3 };
    const found = await detector.detect(drawn.picture, { tiles });
    assert.ok(found.boxes.some((box) => box.name === 'qr_code' && overlap(box, drawn.place) > 0.8));
  });

  for (const [tiles, sentence] of /** @type {[any, RegExp][]} */ ([
    ['all', /^tiles is "auto", "none" or \{columns, rows, overlap\}, not the string "all"\.$/],
    [3, /not the number 3\.$/],
    [null, /not null\.$/],
    [{}, /^tiles\.columns is a whole number, not undefined\.$/],
    [{ columns: 2, rows: 1.5 }, /^tiles\.rows is a whole number, not the number 1\.5\.$/],
    [{ columns: 2, rows: 2, overlap: '0.2' }, /^tiles\.overlap is a number, not the string/],
    [{ columns: 2, rows: 2, size: 9 }, /^There is no "size" in tiles/],
    [{ columns: 33, rows: 2 }, /^33 columns and 2 rows of tiles were asked for; 1 to 32/],
    [{ columns: 2, rows: 0 }, /^2 columns and 0 rows/],
    [{ columns: 2, rows: 2, overlap: 0.6 }, /^The overlap of tiles is 0\.6; 0 to 0\.5 is/],
  ]))
    test(`refuses ${JSON.stringify(tiles)}`, async () => {
      const picture = { data: new Uint8ClampedArray(64), width: 4, height: 4 };
      const message = sentence;
      await assert.rejects(detector.detect(picture, { tiles }), {
        code: 'WISP_ERR_ARGUMENT',
        message,
      });
    });

  /**
   * The one code on each, and about where it is, as the eye sees it: left, top, width, height; how many boxes are let
   * pass. The slip is not much larger than its bars, and the model takes it for more of them.
   */
  for (const [file, name, x, y, width, height, boxed] of /** @type {const} */ ([
    ['a4-300dpi-qr20mm.jpg', 'qr_code', 1758, 3000, 152, 155, 1],
    ['a4-300dpi-code39.jpg', 'linear', 1392, 212, 578, 136, 1],
    ['photo-slip.jpg', 'linear', 1455, 1025, 285, 120, 3],
  ]))
    test(`${file} shows its code best and nothing elsewhere`, {
      skip: without(`troubles/${file}`),
    }, async () => {
      const { boxes } = await detector.detect(dataPath(`troubles/${file}`), { tiles: 'auto' });
      assert.ok(boxes.length >= 1 && boxes.length <= boxed, JSON.stringify(boxes));
      for (const box of boxes) {
        assert.equal(box.name, name);
        assert.ok(overlap(box, { x, y, width, height }) > 0, JSON.stringify(boxes));
      }
      assert.ok(overlap(boxes[0], { x, y, width, height }) > 0.6, JSON.stringify(boxes));
    });
});
