// Picture files under Node: every format with the pixels that Pillow makes of it, upright, whole, within limits.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Detector } from '../../web/src/index.js';
import { decodeImage } from '../../web/src/reading/read-node.js';
import { encodePng, makePicture } from '../support/fixtures.js';
import { encodePpm } from '../support/netpbm.js';
import { expected, fileNamed, laidOn, names, onItsSide, turned } from '../support/picture-files.js';
import { model } from '../support/site.js';

/** @param {Uint8Array | Uint8ClampedArray} bytes */
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @param {Uint8Array} file @param {RegExp} sentence */
const refuses = (file, sentence) =>
  assert.rejects(decodeImage(file), { code: 'WISP_ERR_SOURCE', message: sentence });

describe('has the pixels of Pillow', () => {
  for (const name of names.filter((one) => !one.endsWith('.avif')))
    test(name, async () => {
      const { width, height, sha256: hash } = expected[name];
      const picture = await decodeImage(fileNamed(name));
      assert.deepEqual([picture.width, picture.height], [width, height]);
      assert.equal(sha256(laidOn(picture).data), hash);
    });

  // libavif's own conversion from YUV, where Pillow and Chromium have libyuv's
  for (const [name, most] of /** @type {const} */ ([
    ['avif-444.avif', 3],
    ['avif-alpha.avif', 3],
  ]))
    test(`${name}, within some levels of the picture that was drawn`, async () => {
      const drawn = await decodeImage(fileNamed('png-rgb.png'));
      const picture = await decodeImage(fileNamed(name));
      assert.deepEqual([picture.width, picture.height], [drawn.width, drawn.height]);
      const [seen, meant] = [picture.data, drawn.data].map((data) =>
        [...data].filter((_, i) => i % 4 < 3),
      );
      const mean = seen.reduce((sum, byte, i) => sum + Math.abs(byte - meant[i]), 0) / seen.length;
      assert.ok(mean < most, `${mean} levels apart`);
    });

  test('PPM', async () => {
    const drawn = makePicture();
    assert.deepEqual([...(await decodeImage(encodePpm(drawn))).data], [...drawn.data]);
  });
});

describe('stands upright', () => {
  for (const name of ['jpeg-444.jpg', 'png-rgba.png', 'webp-lossless.webp'])
    for (let turn = 1; turn <= 8; turn++)
      test(`${name}, orientation ${turn}`, async () => {
        const stored = await decodeImage(fileNamed(name));
        const picture = await decodeImage(onItsSide(fileNamed(name), turn));
        const { data, ...size } = turned(stored, turn);
        assert.deepEqual({ width: picture.width, height: picture.height }, size);
        assert.equal(sha256(picture.data), sha256(data));
      });
});

describe('a JPEG that ends early', () => {
  test('is read where only its end marker is missing', async () => {
    for (const name of [
      'jpeg-420.jpg',
      'jpeg-progressive.jpg',
      'jpeg-cmyk.jpg',
      'jpeg-restarts.jpg',
    ]) {
      const file = fileNamed(name);
      for (const missing of [1, 2]) {
        const { data } = await decodeImage(file.subarray(0, -missing));
        assert.equal(
          sha256(data),
          sha256((await decodeImage(file)).data),
          `${name} without ${missing}`,
        );
      }
    }
  });

  test('is refused with the share that is missing, wherever it was cut', async () => {
    const file = fileNamed('jpeg-420.jpg');
    let last = 0;
    for (let length = file.length - 3; length > 700; length -= 7) {
      const { message } = await decodeImage(file.subarray(0, length)).then(
        () => assert.fail(`${length} bytes were read`),
        (error) => error,
      );
      const [, share] = /^It breaks off: (\d+) % of its rows are missing\./.exec(message) ?? [];
      assert.ok(Number(share) >= last && Number(share) <= 100, `${length}: ${message}`);
      last = Number(share);
    }
    assert.ok(last > 90);
  });

  test('is refused in the middle of a progressive scan', async () => {
    const file = fileNamed('jpeg-progressive.jpg');
    await refuses(file.subarray(0, file.length - 100), /breaks off: \d+ % of its rows/);
  });
});

describe('refuses', () => {
  test('what is no picture, or one of a kind that it names', async () => {
    const text = (/** @type {string} */ letters) => Buffer.from(letters.padEnd(64, '\0'), 'latin1');
    await refuses(new Uint8Array(), /^It is an empty file, no picture/);
    await refuses(text('%PDF-1.7'), /^It is a PDF, no picture; JPEG, PNG/);
    await refuses(
      text('\0\0\0\x18ftypheic\0\0\0\0mif1heic'),
      /HEIC picture.*Convert it to JPEG; an iPhone/,
    );
  });

  test('half of each format', async () => {
    for (const name of names.filter((one) => !/^(jpeg|avif)|film/.test(one))) {
      const file = fileNamed(name);
      await refuses(
        file.subarray(0, file.length >> 1),
        /picture is damaged or of a kind|breaks off/,
      );
    }
  });

  test('a size beyond maxPixels or 32768, before anything is decoded', async () => {
    for (const name of names.filter((one) => !/film|part/.test(one))) {
      const file = fileNamed(name);
      await assert.rejects(decodeImage(file, 61 * 43 - 1), {
        code: 'WISP_ERR_SOURCE',
        message: 'Its 61 × 43 pixels are too many: maxPixels is 2622.',
      });
      assert.equal((await decodeImage(file, 61 * 43)).width, 61);
    }
    const wide = Buffer.from(encodePng({ data: new Uint8Array(4), width: 1, height: 1 }));
    wide.writeUInt32BE(40000, 16);
    await refuses(wide, /Its 40000 × 1 pixels are too many: sides up to 32768/);
  });

  test('a size that its bytes can not fill, without memory for it', async () => {
    for (const [name, at, wide] of /** @type {const} */ ([
      ['jpeg-420.jpg', 163, 30000],
      ['gif-plain.gif', 7, 30000],
    ])) {
      const file = Buffer.from(fileNamed(name));
      if (name.startsWith('jpeg')) {
        const frame = file.indexOf(Buffer.from([0xff, 0xc0]));
        file.writeUInt16BE(wide, frame + 7);
        file.writeUInt16BE(3000, frame + 5);
      } else {
        file.writeUInt16LE(wide, 6);
        file.writeUInt16LE(3000, 8);
      }
      await refuses(file, /its bytes are too few for its size/);
      assert.ok(at > 0);
    }
  });
});

describe('a Detector', () => {
  /** @type {Detector} */ let detector;
  before(async () => {
    detector = await Detector.open(model, { threads: 1 });
  });
  after(() => detector.close());

  const low = { confidence: 0.1 };
  /** @param {any} source @param {import('../../web/src/index.js').DetectOptions} [options] */
  const boxesIn = async (source, options) =>
    JSON.stringify((await detector.detect(source, { ...low, ...options })).boxes);

  test('lays what is transparent on white, or on another background', async () => {
    for (const name of [
      'png-rgba.png',
      'webp-alpha.webp',
      'gif-clear.gif',
      'png-key.png',
      'png-palette.png',
    ]) {
      const picture = await decodeImage(fileNamed(name));
      for (const [background, ground] of /** @type {const} */ ([
        [undefined, [255, 255, 255]],
        ['#1a9C03', [0x1a, 0x9c, 0x03]],
      ])) {
        const opaque = await boxesIn(laidOn(picture, [...ground]));
        assert.ok(opaque.length > 200);
        assert.equal(await boxesIn(fileNamed(name), { background }), opaque, name);
        assert.equal(await boxesIn(picture, { background }), opaque, `${name} as pixels`);
      }
    }
  });

  test('names the file, or the place in the batch', async () => {
    const half = fileNamed('png-rgb.png').subarray(0, 300);
    const named = (/** @type {any} */ source, /** @type {RegExp} */ message, options = {}) =>
      assert.rejects(detector.detect(source, options), { code: 'WISP_ERR_SOURCE', message });
    await named(new File([half], 'half.png'), /^half\.png: It breaks off: some/);
    await named(half, /^The picture: It breaks off/);
    const good = makePicture({ width: 8, height: 8 });
    await named([good, half], /^Picture 2 of 2: It breaks off/);
    await named([good, good, 42], /^Picture 3 of 3: A picture is/);
    await named([good, makePicture({ width: 9, height: 9 })], /^Picture 2 of 2: Its 9 × 9/, {
      maxPixels: 64,
    });
    await named([good, { ...good, width: 7 }], /^Picture 2 of 2: 256 bytes are no 7 × 8/);
  });

  test('refuses options that mean nothing', async () => {
    const picture = makePicture();
    for (const background of ['white', '#fff', 0xffffff, null])
      await assert.rejects(detector.detect(picture, /** @type {any} */ ({ background })), {
        code: 'WISP_ERR_ARGUMENT',
        message: /background is a colour such as "#ffffff"/,
      });
    for (const maxPixels of [0, -1, Number.NaN, '9'])
      await assert.rejects(detector.detect(picture, /** @type {any} */ ({ maxPixels })), {
        code: 'WISP_ERR_ARGUMENT',
        message: /maxPixels is a number from 1 on/,
      });
  });
});
