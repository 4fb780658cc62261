// What CodeReader reads: codes drawn by bwip-js, under Node and in Chromium.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import bwip from 'bwip-js/node';
import { chromium } from 'playwright-core';
import { chromium as findChromium } from '../../tools/places.mjs';
import { startServer } from '../../tools/serve.mjs';
import { CodeReader as PageReader } from '../../web/src/code-reader.js';
import { CodeReader } from '../../web/src/code-reader-node.js';
import codes from '../../web/src/codes.js';
import { Detector } from '../../web/src/index.js';
import { decodeImage } from '../../web/src/reading/read-node.js';

const PAPER = 640; // pixels a side
const QR = 'https://example.com/a-code-that-is-read';

/**
 * @typedef {object} Drawn
 * @property {string} bcid
 * @property {string} text
 * @property {number} x
 * @property {number} y
 * @property {object} [more] for bwip-js
 */

/** Paper with codes on it. @param {Drawn[]} drawn @param {number} [ground] grey of the paper */
async function paper(drawn, ground = 255) {
  const data = new Uint8Array(PAPER * PAPER * 4).fill(ground);
  for (let i = 3; i < data.length; i += 4) data[i] = 255;
  for (const { bcid, text, x, y, more } of drawn) {
    const png = await bwip.toBuffer({ bcid, text, scale: 5, backgroundcolor: 'ffffff', ...more });
    const code = await decodeImage(new Uint8Array(png));
    for (let row = 0; row < code.height; row++) {
      const line = code.data.subarray(row * code.width * 4, (row + 1) * code.width * 4);
      data.set(line, ((y + row) * PAPER + x) * 4);
    }
  }
  return { data, width: PAPER, height: PAPER };
}

const qr = { bcid: 'qrcode', text: QR, x: 200, y: 180 };
const linear = {
  bcid: 'code128',
  text: 'WISP-128',
  x: 120,
  y: 420,
  more: { scale: 3, height: 20 },
};

/** @param {import('../../web/src/code-reader.js').Code[]} found */
const texts = (found) => found.flatMap(({ text }) => text ?? []).sort();

/** @type {Detector} */
let detector;
/** @type {CodeReader} */
let reader;
before(async () => {
  detector = await Detector.open(codes, { threads: 1 });
  reader = await CodeReader.open({ detector });
});
after(() => detector?.close());

test('a code has its text, bytes, format, corners and box, in pixels of the source', async () => {
  const result = await reader.read(await paper([qr]));
  assert.equal(result.width, PAPER);
  const [{ text, bytes, format, corners, box, name, score, readable }] = result.codes;
  assert.deepEqual([text, format, name, readable], [QR, 'QRCode', 'qr_code', true]);
  assert.equal(new TextDecoder().decode(bytes ?? undefined), QR);
  assert.ok(score > 0.5 && box.width > 100);
  const side = 29 * 10; // version 3, of which a module has two points of 5 pixels
  const truth = [
    [200, 180],
    [200 + side, 180],
    [200 + side, 180 + side],
    [200, 180 + side],
  ];
  assert.equal(corners?.length, 4);
  for (const [i, { x, y }] of (corners ?? []).entries())
    assert.ok(Math.hypot(x - truth[i][0], y - truth[i][1]) < 12, `corner ${i}: ${x}, ${y}`);
});

test('a turned code keeps the order of its own corners', async () => {
  const turned = await paper([{ ...qr, more: { rotate: 'R' } }]);
  const [{ text, corners }] = (await reader.read(turned)).codes;
  assert.equal(text, QR);
  const [upperLeft, upperRight] = corners ?? [];
  assert.ok(upperLeft.x > 400 && upperLeft.y < 250, 'turned clockwise by a quarter');
  assert.ok(upperRight.x > 400 && upperRight.y > 400);
});

test('bars light on dark are read, which the decoder alone does not', async () => {
  const light = { backgroundcolor: '000000', barcolor: 'ffffff', scale: 3, height: 40 };
  const picture = await paper([{ ...linear, y: 250, more: light }], 0);
  assert.deepEqual(texts((await reader.read(picture, { confidence: 0.1 })).codes), ['WISP-128']);
});

test('two codes in one picture are both read; without one there is none', async () => {
  const both = await paper([{ ...qr, y: 60, more: { scale: 4 } }, linear]);
  assert.deepEqual(texts((await reader.read(both)).codes), ['WISP-128', QR]);
  assert.deepEqual((await reader.read(await paper([]))).codes, []);
});

test('only the formats that are asked for are read; what is none is refused', async () => {
  const both = await paper([{ ...qr, y: 60, more: { scale: 4 } }, linear]);
  const { codes: found } = await reader.read(both, { formats: ['Code128'] });
  assert.deepEqual(texts(found), ['WISP-128']);
  for (const formats of [['NoFormat'], /** @type {any} */ ('QRCode')])
    await assert.rejects(reader.read(both, { formats }), {
      code: 'WISP_ERR_ARGUMENT',
      message: /formats/,
    });
});

test('a transparent picture is what it looks like on white', async () => {
  const picture = await paper([qr]);
  for (let i = 0; i < picture.data.length; i += 4)
    if (picture.data[i] > 128) picture.data.fill(0, i, i + 4);
  assert.deepEqual(texts((await reader.read(picture)).codes), [QR]);
});

test('what is found and can not be read is said to be so', async () => {
  const picture = await paper([qr]);
  for (let y = 300; y < 400; y++)
    picture.data.fill(255, (y * PAPER + 270) * 4, (y * PAPER + 400) * 4);
  const { codes: found } = await reader.read(picture);
  assert.ok(found.length > 0);
  for (const { text, bytes, format, corners, readable } of found)
    assert.deepEqual([text, bytes, format, corners, readable], [null, null, null, null, false]);
});

test('a followed code is read once, keeps its number, and its corners go with it', async () => {
  let decoded = 0;
  const zxing = await import('zxing-wasm/reader');
  const counting = await CodeReader.open({
    detector,
    zxing: {
      prepareZXingModule: zxing.prepareZXingModule,
      readBarcodes: (picture, options) => {
        decoded++;
        return zxing.readBarcodes(picture, options);
      },
    },
  });
  const seen = [];
  for (let i = 0; i < 8; i++) {
    const { codes: found } = await counting.follow(
      await paper([{ ...qr, x: 200 + 4 * i }]),
      i / 20,
    );
    seen.push(found[0]);
  }
  assert.equal(decoded, 1);
  assert.deepEqual([seen[0].id, seen[0].text], [null, null]);
  for (const { id, text } of seen.slice(1)) assert.deepEqual([id, text], [1, QR]);
  const left = seen.map(({ corners }) => corners?.[0].x ?? 0);
  assert.ok(Math.abs(left[7] - left[1] - 24) < 12, `${left[1]} → ${left[7]}`);
});

test('another code in the place of one that was read is read too', async () => {
  const follower = await CodeReader.open({ detector });
  const said = [];
  for (let i = 0; i < 20; i++) {
    const text = i < 8 ? QR : QR.replace('a-code', 'b-code');
    const { codes: found } = await follower.follow(await paper([{ ...qr, text }]), i / 10);
    said.push(found[0].text);
  }
  assert.deepEqual([...new Set(said)], [null, QR, QR.replace('a-code', 'b-code')]);
});

test('what the model does not find is read from the whole picture', async () => {
  const blind = await CodeReader.open({
    detector: /** @type {any} */ ({
      detect: async () => ({ boxes: [], width: PAPER, height: PAPER }),
    }),
  });
  const [{ text, name, score, box, readable }] = (await blind.read(await paper([qr]))).codes;
  assert.deepEqual([text, name, score, readable], [QR, 'qr_code', 0, true]);
  assert.ok(Math.hypot(box.x - 200, box.y - 180) < 12 && Math.abs(box.width - 290) < 12);
});

test('one attempt a frame, and longer rests between them as they fail', async () => {
  const zxing = await import('zxing-wasm/reader');
  /** @type {number[]} */
  const decoded = [];
  let now = 0;
  const box = { x: 100, y: 100, width: 300, height: 300, score: 0.9, label: 0, name: 'qr_code' };
  const failing = await CodeReader.open({
    detector: /** @type {any} */ ({
      detect: async () => ({ boxes: [box], width: PAPER, height: PAPER }),
    }),
    zxing: {
      prepareZXingModule: zxing.prepareZXingModule,
      readBarcodes: async () => {
        decoded.push(now);
        return [];
      },
    },
  });
  const blank = await paper([]);
  const whys = [];
  for (; now < 6; now = Math.round((now + 0.1) * 10) / 10)
    whys.push((await failing.follow(blank, now)).codes[0].why);
  const attempts = 6; // near, upright, larger, farther, and light on dark
  assert.ok(
    decoded.every((at, i) => i === 0 || at > decoded[i - 1]),
    'one a frame',
  );
  const gaps = decoded.slice(1).map((at, i) => at - decoded[i]);
  const rests = gaps.filter((gap) => gap > 0.15).map((gap) => Math.round(gap * 10));
  assert.ok(rests.length >= 3 && rests.every((rest, i) => i === 0 || rest >= rests[i - 1]));
  assert.deepEqual([whys[0], whys[2]], ['not yet', 'not yet']);
  assert.equal(whys.at(-1), 'too faint');
  assert.ok(decoded.length < 5 * attempts + 1, `${decoded.length}`);
});

test('bad options and an aborted signal are refused; a missing decoder is named', async () => {
  await assert.rejects(PageReader.open({ detector }), {
    code: 'WISP_ERR_ARGUMENT',
    message: /zxingWasm/,
  });
  await assert.rejects(reader.read('no-such.png'), { name: 'WispError' });
  await assert.rejects(reader.read(await paper([]), { signal: AbortSignal.abort() }), {
    name: 'AbortError',
  });
  const lost = await CodeReader.open({ detector, zxingWasm: '/no/such.wasm' });
  await assert.rejects(lost.read(await paper([qr])), {
    code: 'WISP_ERR_FETCH',
    message: /such\.wasm/,
  });
});

const executablePath = findChromium();
describe('in Chromium', { skip: executablePath ? false : 'no Chromium' }, () => {
  /** @type {import('playwright-core').Browser} */
  let browser;
  /** @type {{url: string, close: () => Promise<void>}} */
  let server;
  before(async () => {
    server = await startServer({ port: 0 });
    browser = await chromium.launch({ executablePath });
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  test('a page reads blobs, canvases and raw pixels, and asks nobody else', async () => {
    const page = await browser.newPage();
    /** @type {string[]} */
    const strangers = [];
    const { origin } = new URL(server.url);
    page.on('request', (request) => {
      const address = request.url();
      if (!address.startsWith(origin) && /^http/.test(address)) strangers.push(address);
    });
    await page.goto(server.url.replace(/[^/]*$/, 'style.css'));
    const png = await bwip.toBuffer({
      bcid: 'qrcode',
      text: QR,
      scale: 6,
      padding: 20,
      backgroundcolor: 'ffffff',
    });
    const found = await page.evaluate(readInPage, [...png]);
    assert.deepEqual(await page.evaluate(readInWorker, [...png]), {
      text: QR,
      refused: 'WISP_ERR_ARGUMENT',
      lost: 'WISP_ERR_CRASH',
    });
    assert.deepEqual(found, { blob: [QR], canvas: [QR], raw: [QR], followed: [1, QR] });
    assert.deepEqual(strangers, []);
    await page.close();
  });
});

/** In the page. @param {number[]} png */
async function readInPage(png) {
  const address = (/** @type {string} */ place) => new URL(place, location.origin).href;
  const { CodeReader: Reader } = await import(address('/dist/web/code-reader.js'));
  const reader = await Reader.open({
    zxing: await import(address('/vendor/zxing-wasm/es/reader/index.js')),
    zxingWasm: '/vendor/zxing-wasm/reader/zxing_reader.wasm',
    threads: 1,
  });
  const blob = new Blob([new Uint8Array(png)]);
  const bitmap = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  context?.drawImage(bitmap, 0, 0);
  const raw = context?.getImageData(0, 0, bitmap.width, bitmap.height);
  const read = async (/** @type {any} */ source) =>
    (await reader.read(source)).codes.map((/** @type {{text: string}} */ { text }) => text);
  const result = { blob: await read(blob), canvas: await read(canvas), raw: await read(raw) };
  await reader.follow(canvas, 0);
  const [{ id, text }] = (await reader.follow(canvas, 0.05)).codes;
  await reader.close();
  return { ...result, followed: [id, text] };
}

/** In the page: decoded by a worker of its own. @param {number[]} png */
async function readInWorker(png) {
  const address = (/** @type {string} */ place) => new URL(place, location.origin).href;
  const { CodeReader: Reader } = await import(address('/dist/web/code-reader.js'));
  const code = `import { serveCodes } from '${address('/dist/web/code-worker.js')}';
    const zxing = () => import('${address('/vendor/zxing-wasm/es/reader/index.js')}');
    serveCodes({ zxing, zxingWasm: '${address('/vendor/zxing-wasm/reader/zxing_reader.wasm')}' });`;
  const open = (/** @type {string} */ text) => {
    const file = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
    const worker = new Worker(file, { type: 'module' });
    return { worker, reading: Reader.open({ worker, threads: 1 }) };
  };
  const picture = new Blob([new Uint8Array(png)]);
  const { worker, reading } = open(code);
  const reader = await reading;
  const [{ text }] = (await reader.read(picture)).codes;
  const codeOf = (/** @type {{code: string}} */ { code }) => code;
  const refused = await reader.read(picture, { formats: ['NoFormat'] }).catch(codeOf);
  await reader.close();
  worker.terminate();
  const broken = open('await 0; onmessage = () => { throw new Error("gone"); };');
  const lost = await (await broken.reading).read(picture).catch(codeOf);
  await (await broken.reading).close();
  broken.worker.terminate();
  return { text, refused, lost };
}
