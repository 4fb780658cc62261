// The Detector in Node: every kind of model and picture, every build, every option.

import assert from 'node:assert/strict';
import { createReadStream, openAsBlob } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { chooseVariant } from '../../web/src/detect/variant.js';
import { Detector } from '../../web/src/index.js';
import { makeModel, makePicture } from '../support/fixtures.js';
import { model, openSite, picture, png } from '../support/site.js';

const options = { confidence: 0.2 };

/** @type {Awaited<ReturnType<typeof openSite>>} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site.close());

const inFolder = (/** @type {string} */ name) => path.join(site.folder, name);

/** Opens, detects in the picture, closes. @param {any} from @param {any} [opening] */
async function boxesOf(from, opening) {
  const detector = await Detector.open(from, opening);
  try {
    return (await detector.detect(picture, options)).boxes;
  } finally {
    await detector.close();
  }
}

describe('a model may be', () => {
  /** @type {import('../../web/src/index.js').Box[]} */ let expected;
  before(async () => {
    expected = await boxesOf(model);
    assert.ok(expected.length > 5, 'the random model finds something');
  });

  /** @type {Record<string, () => any>} */
  const kinds = {
    'a path': () => inFolder('tiny.wisp'),
    'a file: URL': () => pathToFileURL(inFolder('tiny.wisp')),
    'a file: address': () => pathToFileURL(inFolder('tiny.wisp')).href,
    'an http: address': () => `${site.url}/tiny.wisp`,
    'an http: URL': () => new URL(`${site.url}/tiny.wisp`),
    'a Blob': () => new Blob([model]),
    'an ArrayBuffer': () => model.buffer,
    'a Buffer inside a larger one': () => Buffer.concat([Buffer.alloc(3), model]).subarray(3),
    'a Response': () => fetch(`${site.url}/tiny.wisp`),
    'a ReadableStream': () => new Blob([model]).stream(),
    'a Node stream': () => createReadStream(inFolder('tiny.wisp'), { highWaterMark: 1000 }),
    'pieces of 1 byte': async function* () {
      for (const byte of model) yield Uint8Array.of(byte);
    },
  };
  for (const [kind, make] of Object.entries(kinds)) {
    test(kind, async () => assert.deepEqual(await boxesOf(await make()), expected));
  }

  test('kept by its owner', () => assert.equal(model.length, model.buffer.byteLength));
});

describe('a picture may be', () => {
  /** @type {Detector} */ let detector;
  before(async () => {
    detector = await Detector.open(model, { threads: 1 });
  });
  after(() => detector.close());

  /** @type {Record<string, () => any>} */
  const kinds = {
    'a path': () => inFolder('picture.png'),
    'a file: URL': () => pathToFileURL(inFolder('picture.png')),
    'an http: address': () => `${site.url}/picture.png`,
    'a Buffer': () => Buffer.from(png),
    'an ArrayBuffer': () => png.buffer,
    'a Blob': () => new Blob([png], { type: 'image/png' }),
    'a Blob that lies in a file': () => openAsBlob(inFolder('picture.png')),
    'a File of one': async () => new File([await openAsBlob(inFolder('picture.png'))], 'a.png'),
    '{data, width, height}': () => picture,
    'clamped data': () => ({ ...picture, data: new Uint8ClampedArray(picture.data) }),
    'data inside a larger buffer': () => {
      const data = Buffer.concat([Buffer.alloc(5), picture.data]).subarray(5);
      return { ...picture, data };
    },
  };
  for (const [kind, make] of Object.entries(kinds)) {
    test(kind, async () => {
      const { times, ...result } = await detector.detect(await make(), options);
      const { times: _, ...expected } = await detector.detect(picture, options);
      assert.deepEqual(result, expected);
      const { pixels, prep, run, post, total } = times;
      assert.ok(Math.abs(pixels + prep + run + post - total) < 1e-6);
    });
  }

  test('changed by its owner right after the call', async () => {
    const mine = { ...picture, data: picture.data.slice() };
    const going = detector.detect(mine, options);
    mine.data.fill(0);
    const { boxes } = await detector.detect(picture, options);
    assert.deepEqual((await going).boxes, boxes);
  });

  test('pixels after others of the same size, and the caller keeps both', async () => {
    const size = { width: 96, height: 80 };
    const [first, second] = [4, 5].map((seed) => makePicture({ seed, ...size }));
    const bytes = Uint8Array.from(second.data);
    const fresh = JSON.stringify((await detector.detect(second, options)).boxes);
    for (let i = 0; i < 3; i++) {
      await detector.detect(first, options);
      assert.equal(JSON.stringify((await detector.detect(second, options)).boxes), fresh);
    }
    assert.deepEqual(Uint8Array.from(second.data), bytes);
  });

  test('1 × 1 pixel, or long and thin', async () => {
    for (const [width, height] of [
      [1, 1],
      [1, 700],
      [3000, 2],
    ]) {
      const result = await detector.detect(makePicture({ width, height }), options);
      assert.deepEqual([result.width, result.height], [width, height]);
      for (const { x, y, width: w, height: h } of result.boxes) {
        assert.ok(x >= 0 && y >= 0 && x + w <= width && y + h <= height);
      }
    }
  });
});

describe('every build and thread count gives the same bytes', () => {
  const size = { width: 160, height: 96 };
  const pictures = [1, 2, 3].map((seed) => makePicture({ seed, width: 90 * seed, height: 120 }));
  /** @type {string} */ let expected;

  /** @param {any} opening */
  async function detectAll(opening) {
    const detector = await Detector.open(makeModel({ density: 0.7 }), { size, ...opening });
    const wanted = { confidence: 0.02, multiLabel: true };
    const results = await detector.detect(pictures, wanted);
    const tiles = { columns: 3, rows: 2 };
    results.push(...(await detector.detect(pictures, { ...wanted, tiles })));
    const { info } = detector;
    await detector.close();
    return { info, boxes: JSON.stringify(results.map(({ boxes }) => boxes)) };
  }

  before(async () => {
    ({ boxes: expected } = await detectAll({ variant: 'wisp', threads: 1 }));
    assert.ok(expected.length > 1000);
  });

  const relaxed = chooseVariant({ threads: 1, cores: 1 }).variant === 'wisp-relaxed';
  const variants = /** @type {const} */ (['wisp', 'wisp-mt', 'wisp-relaxed', 'wisp-relaxed-mt']);
  for (const variant of variants) {
    for (const threads of variant.endsWith('-mt') ? [1, 2, 4] : [1]) {
      const skip = variant.includes('relaxed') && !relaxed && 'relaxed SIMD is missing or wrong';
      test(`${variant}, ${threads} thread(s)`, { skip }, async () => {
        const { info, boxes } = await detectAll({ variant, threads });
        assert.equal(boxes, expected);
        assert.equal(info.variant, variant);
        assert.equal(info.threads, threads);
        assert.deepEqual([info.width, info.height], [160, 96]);
      });
    }
  }

  for (const [kernels, name] of [
    ['narrow', 'relaxed'],
    ['fused', 'relaxed-fused'],
  ]) {
    const skip = !relaxed && 'relaxed SIMD is missing or wrong';
    test(`${kernels} kernels, which plain SIMD has not`, { skip }, async () => {
      const { info, boxes } = await detectAll({ variant: 'wisp-relaxed', kernels });
      assert.equal(boxes, expected);
      assert.equal(info.kernels, name);
      await assert.rejects(detectAll({ variant: 'wisp', kernels }), {
        code: 'WISP_ERR_ARGUMENT',
        message: /need relaxed SIMD/,
      });
    });
  }

  test('kernels that nobody knows are refused', async () => {
    await assert.rejects(detectAll({ kernels: 'quick' }), {
      code: 'WISP_ERR_ARGUMENT',
      message: /"auto", "narrow" or "fused", not the string "quick"/,
    });
  });

  test('pixel blocks of 1', async () => {
    const boxes = await boxesOf(makeModel({ block: 1, density: 1 }), { threads: 1 });
    assert.deepEqual(await boxesOf(makeModel({ block: 1, density: 1 }), { threads: 2 }), boxes);
  });
});

describe('options', () => {
  /** @type {Detector} */ let detector;
  before(async () => {
    detector = await Detector.open(makeModel({ classes: ['cat', 'dog', 'fox'] }), { threads: 1 });
  });
  after(() => detector.close());

  test('info says what runs', () => {
    const { variant, reason, classes, memory, provenance, layers, width, height } = detector.info;
    assert.match(variant, /^wisp(-relaxed)?$/);
    assert.match(reason, /one thread: as asked for/);
    assert.deepEqual(classes, ['cat', 'dog', 'fox']);
    assert.deepEqual(provenance, { source: 'random' });
    assert.deepEqual([width, height], [64, 64]);
    assert.ok(memory > 0 && memory < 64 << 20);
    assert.equal(layers.length, 15);
    assert.ok(layers[0].blocksPresent < layers[0].blocks);
  });

  test('classes by name or index', async () => {
    const all = await detector.detect(picture, { ...options, maxDetections: 30000, iou: 1 });
    for (const wanted of [['dog'], [1], ['dog', 1]]) {
      const some = await detector.detect(picture, {
        ...options,
        classes: wanted,
        maxDetections: 30000,
        iou: 1,
      });
      const dogs = all.boxes.filter(({ name }) => name === 'dog');
      assert.ok(dogs.length > 0 && dogs.length < all.boxes.length);
      assert.deepEqual(some.boxes, dogs);
    }
    assert.deepEqual((await detector.detect(picture, { classes: [] })).boxes, []);
    const again = await detector.detect(picture, { ...options, maxDetections: 30000, iou: 1 });
    assert.deepEqual(again.boxes, all.boxes); // a filter lasts for one call
  });

  test('thresholds', async () => {
    const { boxes } = await detector.detect(picture, { confidence: 0.4 });
    assert.ok(boxes.every(({ score }) => score > 0.4));
    assert.ok(boxes.every(({ score }, i) => i === 0 || score <= boxes[i - 1].score));
    const three = await detector.detect(picture, { confidence: 0.4, maxDetections: 3 });
    assert.deepEqual(three.boxes, boxes.slice(0, 3));
    const loose = await detector.detect(picture, { confidence: 0.1, iou: 1 });
    const tight = await detector.detect(picture, { confidence: 0.1, iou: 0.1 });
    assert.ok(loose.boxes.length > tight.boxes.length);
    const low = { confidence: 0.05 };
    const aware = await detector.detect(picture, low);
    const agnostic = await detector.detect(picture, { ...low, classAgnostic: true });
    assert.ok(agnostic.boxes.length < aware.boxes.length);
    const many = await detector.detect(picture, { ...low, multiLabel: true });
    assert.ok(many.boxes.length > aware.boxes.length);
  });

  test('a batch is its pictures one by one', async () => {
    const pictures = [1, 2, 3, 4].map((seed) => makePicture({ seed, width: 40 * seed }));
    const batch = await detector.detect(pictures, options);
    for (const [i, one] of pictures.entries()) {
      assert.deepEqual(batch[i].boxes, (await detector.detect(one, options)).boxes);
    }
    assert.deepEqual(await detector.detect([]), []);
  });
});
