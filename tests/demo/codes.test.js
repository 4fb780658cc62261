// Reading codes from boxes: the part of the picture that the decoder gets, its answers, and what may become a link.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import bwip from 'bwip-js/node';
import { codeOf, fileOf, linkOf, visible } from '../../web/demo/code-text.js';
import { CODE_NAMES, labelOf, nameOfClass, unreadable } from '../../web/demo/sentences.js';
import { greyOf, scaled } from '../../web/src/code-pixels.js';
import { answerTo, attemptsAt, readCode, regionOf, wishFor } from '../../web/src/code-reading.js';
import { whyUnread } from '../../web/src/code-unread.js';
import { fromUpright, turnIn, upright } from '../../web/src/code-upright.js';
import { decodeImage } from '../../web/src/reading/read-node.js';
import { decoder } from './code-pictures.js';

/** @type {import('../../web/src/code-reading.js').Decode} */
let decode;
before(async () => {
  decode = await decoder();
});

/** Each class with a bwip-js name and a text. @type {Record<string, [bcid: string, text: string, format: string]>} */
const CODES = {
  qr_code: ['qrcode', 'https://example.com/a', 'QR code'],
  micro_qr: ['microqrcode', 'BOX 17', 'Micro QR'],
  rmqr: ['rectangularmicroqrcode', 'SHELF 4', 'rMQR'],
  data_matrix: ['datamatrix', 'ROOM 12', 'Data Matrix'],
  aztec: ['azteccode', 'SEAT 7A', 'Aztec'],
  pdf417: ['pdf417', 'A LONGER LINE', 'PDF417'],
  maxicode: ['maxicode', 'MAXI', 'MaxiCode'],
  linear: ['ean13', '4012345678901', 'EAN-13'],
};
/** What bwip-js asks for. @type {Record<string, object>} */
const SHAPES = { ean13: { height: 10 }, rectangularmicroqrcode: { version: 'R11x43' } };
const PAPER = 500; // pixels a side

/**
 * White paper with codes on it, and their boxes.
 * @param {[bcid: string, text: string, x: number, y: number][]} codes
 * @param {number} [scale] pixels a module
 */
async function paper(codes, scale = 3) {
  const picture = {
    data: new Uint8ClampedArray(PAPER * PAPER * 4).fill(255),
    width: PAPER,
    height: PAPER,
  };
  const boxes = [];
  for (const [bcid, text, x, y] of codes) {
    const size = { scale, ...SHAPES[bcid] };
    const png = await bwip.toBuffer({ bcid, text, backgroundcolor: 'ffffff', ...size });
    const { data, width, height } = await decodeImage(new Uint8Array(png));
    for (let row = 0; row < height; row++) {
      const line = data.subarray(row * width * 4, (row + 1) * width * 4);
      picture.data.set(line, ((y + row) * PAPER + x) * 4);
    }
    boxes.push({ x, y, width, height });
  }
  return { picture, boxes };
}

/**
 * @param {import('../../web/src/code-reading.js').Pixels} picture
 * @param {import('../../web/src/code-reading.js').Rect} box
 */
async function readAt(picture, box) {
  const reading = await readCode(decode, picture, box);
  return reading && codeOf(/** @type {any} */ (reading));
}

test('every class that the page knows is read from its box', async () => {
  assert.deepEqual(Object.keys(CODES), Object.keys(CODE_NAMES));
  for (const [name, [bcid, text, format]] of Object.entries(CODES)) {
    const { picture, boxes } = await paper([[bcid, text, 60, 60]]);
    assert.deepEqual(await readAt(picture, boxes[0]), { text, format, binary: false }, name);
  }
});

test('a code as small as two pixels a module is read', async () => {
  const { picture, boxes } = await paper([['qrcode', 'small', 100, 100]], 1);
  assert.equal((await readAt(picture, boxes[0]))?.text, 'small');
});

test('of two codes side by side, the one in the box is read', async () => {
  const { picture, boxes } = await paper([
    ['qrcode', 'left', 40, 60],
    ['qrcode', 'right', 185, 60],
    ['ean13', '4012345678901', 40, 215],
  ]);
  const texts = [];
  for (const box of boxes) texts.push((await readAt(picture, box))?.text);
  assert.deepEqual(texts, ['left', 'right', '4012345678901']);
});

test('where there is no code, nothing is read', async () => {
  const { picture } = await paper([['qrcode', 'far away', 300, 300]]);
  assert.equal(await readAt(picture, { x: 20, y: 20, width: 80, height: 80 }), null);
});

test('bytes that are no text are shown as bytes', async () => {
  const { picture, boxes } = await paper([['qrcode', '\xff\xd8\x00\x01\xfe', 60, 60]]);
  const code = await readAt(picture, boxes[0]);
  assert.equal(code?.binary, true);
  assert.match(code?.text ?? '', /^([0-9a-f]{2} )+[0-9a-f]{2}$/);
});

test('the region has a margin, in whole pixels, and ends where the picture does', () => {
  const picture = { width: 640, height: 480 };
  const middle = regionOf({ x: 100.4, y: 100.6, width: 100, height: 40 }, picture);
  assert.deepEqual(middle, { x: 75, y: 75, width: 151, height: 91 });
  assert.deepEqual(regionOf({ x: -5, y: 0, width: 700, height: 480 }, picture), {
    x: 0,
    y: 0,
    ...picture,
  });
  const tiny = regionOf({ x: 300, y: 200, width: 2, height: 2 }, picture);
  assert.deepEqual(tiny, { x: 292, y: 192, width: 18, height: 18 });
});

test('large regions are made smaller; small ones larger, then wider, when the first try fails', () => {
  const picture = { width: 4000, height: 4000 };
  const tries = (/** @type {number} */ side, isSure = true) =>
    attemptsAt({ x: 1900, y: 1900, width: side, height: 100 }, picture, isSure)
      .filter(({ inverted }) => !inverted)
      .map(({ region, scale }) => [region.width, scale]);
  assert.deepEqual(tries(1600), [
    [2400, 0.5],
    [3700, 1200 / 3700],
  ]);
  assert.deepEqual(tries(200), [
    [300, 1],
    [300, 2],
    [300, 2],
    [600, 1],
    [600, 2],
  ]);
  assert.deepEqual(tries(100), [
    [150, 1],
    [150, 3],
    [150, 3],
    [300, 1],
    [300, 2],
  ]);
  assert.deepEqual(tries(100, false), [
    [150, 1],
    [300, 1],
  ]);
});

test('by how much a code is turned is known from its edges', async () => {
  const { picture, boxes } = await paper([['pdf417', 'A TURNED LINE', 150, 200]]);
  const level = greyOf(picture, { x: 0, y: 0, width: PAPER, height: PAPER });
  for (const degrees of [-40, -17, 0, 8, 30]) {
    const turn = (degrees * Math.PI) / 180;
    const around = { x: boxes[0].x - 70, y: boxes[0].y - 70, width: 350, height: 250 };
    const turned = upright(level, around, -turn, 1);
    const found = turnIn(turned, { x: 0, y: 0, width: 350, height: 250 });
    assert.ok(Math.abs(found - turn) < 0.03, `${degrees}°: ${(found * 180) / Math.PI}°`);
  }
});

test('a place in what was turned upright is found again in the picture', () => {
  const data = new Uint8Array(100 * 80);
  data[30 * 100 + 60] = 255;
  const part = { x: 20, y: 10, width: 70, height: 50 };
  const turned = upright({ data, width: 100, height: 80 }, part, 0.4, 3);
  const at = turned.data.indexOf(Math.max(...turned.data));
  const place = { x: (at % turned.width) + 0.5, y: Math.floor(at / turned.width) + 0.5 };
  const { x, y } = fromUpright(place, part, 0.4, 3);
  assert.ok(Math.hypot(x - 60.5, y - 30.5) < 0.4, `${x}, ${y}`);
});

test('a small code that is aslant is read, which the decoder alone does not', async () => {
  const text = 'SMALL AND ASLANT';
  const { picture, boxes } = await paper([['pdf417', text, 120, 200]]);
  const all = { x: 0, y: 0, width: PAPER, height: PAPER };
  const level = upright(greyOf(picture, all), all, -0.25, 1); // turned about the middle
  const { data, width, height } = scaled(level, 0.5);
  const small = { data: new Uint8ClampedArray(width * height * 4).fill(255), width, height };
  for (const [i, grey] of data.entries()) small.data.fill(grey, i * 4, i * 4 + 3);
  const [middle, centre] = [boxes[0].x + boxes[0].width / 2, boxes[0].y + boxes[0].height / 2];
  const { x, y } = fromUpright({ x: middle, y: centre }, all, 0.25, 1);
  const [across, down] = [0.6 * boxes[0].width, 0.8 * boxes[0].width * 0.5];
  const box = { x: x / 2 - across / 2, y: y / 2 - down / 2, width: across, height: down };
  const [alone, ...others] = attemptsAt(box, small);
  const read = async (/** @type {import('../../web/src/code-reading.js').Attempt[]} */ attempts) =>
    (await answerTo(decode, wishFor(small, box, attempts))).readings;
  assert.deepEqual(await read([alone]), []);
  const [reading] = await read(others);
  assert.equal(reading.text, text);
  const [left, right] = [reading.corners[0], reading.corners[1]];
  assert.ok(Math.abs(Math.atan2(right.y - left.y, right.x - left.x) - 0.25) < 0.05);
});

test('of what is light on dark only that is tried which the decoder does not try by itself', () => {
  const picture = { width: 4000, height: 4000 };
  const tried = attemptsAt({ x: 1900, y: 1900, width: 300, height: 100 }, picture);
  const inverted = tried.filter((attempt) => attempt.inverted);
  assert.equal(inverted.length, 2);
  for (const { how } of inverted) {
    assert.equal(how.tryInvert, false);
    assert.deepEqual(how.formats, ['AllLinear', 'PDF417', 'MaxiCode']);
  }
});

test('a code that is larger than its box is read with more around it', async () => {
  const { picture, boxes } = await paper([
    ['qrcode', 'https://example.com/larger-than-its-box', 150, 150],
  ]);
  const { x, y, width, height } = boxes[0];
  const middle = {
    x: x + width * 0.3,
    y: y + height * 0.3,
    width: width * 0.4,
    height: height * 0.4,
  };
  assert.equal((await readAt(picture, middle))?.text, 'https://example.com/larger-than-its-box');
});

test('only addresses of the web become links', () => {
  const link = (/** @type {string} */ text, binary = false) =>
    linkOf({ text, format: 'QR code', binary });
  assert.equal(link('https://example.com/a?b=c'), 'https://example.com/a?b=c');
  assert.equal(link('HTTP://EXAMPLE.COM'), 'http://example.com/');
  for (const text of [
    'javascript:alert(1)',
    'data:text/html,<script>',
    'file:///etc/passwd',
    'WIFI:S:home;;',
    'see https://example.com',
    'https://example.com and more',
    'https://',
    '',
  ])
    assert.equal(link(text), null, text);
  assert.equal(link('https://example.com', true), null);
});

test('control characters are made visible, names of classes readable', () => {
  assert.equal(visible('a\x1db\nc\0'), 'a␝b\nc␀');
  assert.equal(nameOfClass('linear'), 'bar code');
  assert.equal(nameOfClass('toString'), 'toString');
});

test('what a code says is saved under an ending that programs know', async () => {
  const saved = async (/** @type {string} */ text, binary = false) => {
    const { name, file } = fileOf({ text, format: 'QR code', binary }, new Uint8Array([1, 2]));
    return [name, binary ? (await file.bytes()).join() : await file.text()];
  };
  assert.deepEqual(await saved('plain'), ['code.txt', 'plain']);
  assert.equal((await saved('BEGIN:VCARD\nEND:VCARD'))[0], 'code.vcf');
  assert.equal((await saved('BEGIN:VCALENDAR'))[0], 'code.ics');
  assert.deepEqual(await saved('01 02', true), ['code.bin', '1,2']);
});

test('at a box stands what was read in it, or its class', () => {
  const at = (/** @type {string} */ text, binary = false) =>
    labelOf({ name: 'qr_code', code: { text, format: 'QR code', binary } });
  assert.equal(at(' two\n words '), 'two words');
  assert.equal(at('x'.repeat(40)), `${'x'.repeat(27)}…`);
  assert.deepEqual(
    [at('00 ff', true), at(''), labelOf({ name: 'linear' })],
    ['QR code', 'QR code', 'bar code'],
  );
});

test('why a code was not read: cut off, too small, too faint or blurred', () => {
  const size = { width: 200, height: 200 };
  /** @param {(x: number, y: number) => number} level */
  const grey = (level) => {
    const data = new Uint8ClampedArray(200 * 200 * 4).fill(255);
    for (let i = 0; i < 200 * 200; i++)
      data.fill(level(i % 200, Math.floor(i / 200)), i * 4, i * 4 + 3);
    return greyOf({ data, ...size }, { x: 0, y: 0, ...size });
  };
  const stripes = grey((x) => (x % 8 < 4 ? 20 : 230));
  const why = (/** @type {any} */ box, picture = stripes) =>
    whyUnread(picture, { x: 0, y: 0, ...size }, box, size);
  const box = { x: 40, y: 40, width: 120, height: 100 };
  assert.equal(why(box), null);
  for (const edge of [{ x: 0 }, { y: 1 }, { x: 80 }, { y: 99 }])
    assert.equal(why({ ...box, ...edge }), 'cut off');
  assert.equal(why({ ...box, width: 30, height: 40 }), 'too small');
  assert.equal(
    why(
      box,
      grey((x) => (x % 8 < 4 ? 100 : 120)),
    ),
    'too faint',
  );
  assert.equal(
    why(
      box,
      grey((x) => 128 + 100 * Math.sin(x / 8)),
    ),
    'blurred',
  );
  for (const reason of ['cut off', 'too small', 'too faint', 'blurred', null])
    assert.match(unreadable(reason), /^Not readable.*\. [A-Z].*\.$/);
});
