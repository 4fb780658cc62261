// The parts of the demo that need no browser: label places, colours, words, kinds of files.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../../tools/serve.mjs';
import { cameraSentence } from '../../web/demo/camera-sentences.js';
import { classColour, INK } from '../../web/demo/colours.js';
import { kindOf } from '../../web/demo/intake.js';
import { placeLabels } from '../../web/demo/labels.js';
import { bytes, plural, sentence, stem, summary } from '../../web/demo/sentences.js';
import { makeRandom } from '../support/fixtures.js';

test('the server goes on, whatever it is asked', async () => {
  const { url, close } = await startServer({ port: 0 });
  try {
    assert.equal((await fetch(`${new URL(url).origin}//`)).status, 404);
    assert.equal((await fetch(new URL('/web/demo/index.html', url))).status, 200);
  } finally {
    await close();
  }
});

/** Relative luminance as WCAG 2 defines it. @param {string} colour #rrggbb */
function luminance(colour) {
  const [r, g, b] = [1, 3, 5]
    .map((i) => Number.parseInt(colour.slice(i, i + 2), 16) / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** @param {string} a @param {string} b */
function contrast(a, b) {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

test('every class has a colour of its own on which dark ink is easy to read', () => {
  const colours = Array.from({ length: 200 }, (_, label) => classColour(label));
  assert.equal(new Set(colours).size, colours.length);
  assert.equal(classColour(7), colours[7]);
  for (const colour of colours) {
    assert.match(colour, /^#[0-9a-f]{6}$/);
    assert.ok(contrast(colour, INK) >= 7, `${colour} on ${INK}: ${contrast(colour, INK)}`);
  }
});

/** @param {import('../../web/demo/labels.js').Rect} a @param {import('../../web/demo/labels.js').Rect} b */
function overlap(a, b) {
  const w = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const h = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(0, w) * Math.max(0, h);
}

test('a label stands above its box, and inside it at the upper edge of the picture', () => {
  const area = { width: 400, height: 300 };
  const size = { width: 60, height: 20 };
  const [above] = placeLabels([{ x: 50, y: 100, width: 80, height: 90 }], [size], area);
  assert.deepEqual(above, { x: 50, y: 80, ...size });
  const [inside] = placeLabels([{ x: 50, y: 4, width: 80, height: 90 }], [size], area);
  assert.deepEqual(inside, { x: 50, y: 4, ...size });
});

test('labels stay in the picture and hardly hide each other, however many boxes there are', () => {
  const seed = 20261122;
  const random = makeRandom(seed);
  const area = { width: 640, height: 480 };
  for (const n of [1, 2, 20, 300]) {
    const boxes = Array.from({ length: n }, () => {
      const width = 4 + random() * 300;
      const height = 4 + random() * 300;
      return { x: random() * (640 - width), y: random() * (480 - height), width, height };
    });
    const sizes = boxes.map(() => ({ width: 40 + Math.round(random() * 80), height: 20 }));
    const places = placeLabels(boxes, sizes, area);
    assert.equal(places.length, n);
    assert.ok(places[0], 'the best box always has its label');
    const shown = places.filter((place) => place !== null);
    for (const [i, place] of shown.entries()) {
      assert.ok(place.x >= 0 && place.x + place.width <= area.width, `seed ${seed}`);
      assert.ok(place.y >= 0 && place.y + place.height <= area.height, `seed ${seed}`);
      const hidden = shown.slice(0, i).reduce((sum, other) => sum + overlap(place, other), 0);
      assert.ok(hidden <= 0.2 * place.width * place.height, `seed ${seed}, label ${i}`);
    }
  }
});

test('a summary counts in words', () => {
  const named = (/** @type {string} */ names) => names.split(',').map((name) => ({ name }));
  assert.equal(summary([]), 'Nothing found');
  assert.equal(summary(named('bus,person,person,person')), '3 persons, 1 bus');
  assert.equal(summary(named('a,b,c,d,e,f')), '1 a, 1 b, 1 c, 1 d, 1 e, 1 f');
  assert.equal(summary(named('a,a,b,c,d,e,f,g')), '2 as, 1 b, 1 c, 1 d, 1 e and 2 other kinds');
});

test('class names have plurals', () => {
  const known = {
    person: 'persons',
    bus: 'buses',
    'wine glass': 'wine glasses',
    knife: 'knives',
    sheep: 'sheep',
    scissors: 'scissors',
    skis: 'skis',
    toothbrush: 'toothbrushes',
    couch: 'couches',
    mouse: 'mice',
    'teddy bear': 'teddy bears',
    toy: 'toys',
    berry: 'berries',
  };
  for (const [one, many] of Object.entries(known)) assert.equal(plural(one), many);
});

test('errors are sentences', () => {
  assert.equal(sentence(new Error('It broke')), 'It broke.');
  assert.equal(sentence(new Error('It broke.')), 'It broke.');
  assert.equal(sentence('late'), 'late.');
  for (const name of ['NotAllowedError', 'NotFoundError', 'NotReadableError', 'SomethingElse']) {
    assert.match(cameraSentence(name), /camera.*\.$/is);
  }
});

test('sizes and names are short', () => {
  assert.deepEqual(
    [bytes(812), bytes(27_100), bytes(1_904_000), bytes(14_230_000)],
    ['812 bytes', '27 kB', '1.90 MB', '14.2 MB'],
  );
  assert.deepEqual(['a/b/net.v2.wisp', 'net', '.wisp'].map(stem), ['net.v2', 'net', '.wisp']);
});

test('files are known by their bytes, then by their types', async () => {
  /** @param {string} begins @param {string} [type] */
  const sort = async (begins, type) =>
    (await kindOf(new File([Uint8Array.from(begins, (one) => one.charCodeAt(0))], 'x', { type })))
      .sort;
  assert.equal(await sort('WISP\x01'), 'model');
  assert.equal(await sort('\x08\x07\x12\x07pytorch', 'application/octet-stream'), 'network');
  assert.equal(await sort('\xff\xd8\xff\xe0', ''), 'picture');
  assert.equal(await sort('<svg xmlns=', 'image/svg+xml'), 'picture');
  assert.equal(await sort('\0\0\x01\0', 'image/x-icon'), 'picture');
  assert.equal(await sort('\0\0\0\x20ftypisom'), 'video');
  assert.equal(await sort('\0\0\x01\xba', 'video/mpeg'), 'video');
  assert.equal(await sort('note', 'text/plain'), 'other');
});
