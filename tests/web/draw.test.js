// Boxes drawn on canvases: colours, places of labels, and the pixels themselves in Chromium.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { chromium as findChromium } from '../../tools/places.mjs';
import { startServer } from '../../tools/serve.mjs';
import { draw } from '../../web/src/draw.js';
import { classColour, INK } from '../../web/src/drawing/colours.js';
import { placeLabels } from '../../web/src/drawing/labels.js';
import { maskRects } from '../../web/src/drawing/masks.js';
import { makeRandom } from '../support/fixtures.js';

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

/** @typedef {import('../../web/src/drawing/labels.js').Rect} Rect */

test("a mask's rectangles are its pixels, of bitmaps and of run lengths", () => {
  const random = makeRandom(20261129);
  for (let i = 0; i < 50; i++) {
    const [width, height] = [1 + Math.floor(random() * 9), 1 + Math.floor(random() * 9)];
    const share = random();
    const data = Uint8Array.from({ length: width * height }, () => Number(random() < share));
    const place = { x: i % 3, y: i % 4 };
    const size = { width: width + place.x + 1, height: height + place.y };
    const counts = [0];
    for (let at = 0; at < size.width * size.height; at++) {
      const [x, y] = [Math.floor(at / size.height) - place.x, (at % size.height) - place.y];
      const bit = x >= 0 && x < width && y >= 0 ? data[y * width + x] : 0;
      if ((counts.length - 1) % 2 !== bit) counts.push(0);
      counts[counts.length - 1]++;
    }
    const forms = [
      { ...place, width, height, data },
      { size: /** @type {[number, number]} */ ([size.height, size.width]), counts },
    ];
    for (const mask of forms) {
      const seen = new Uint8Array(width * height);
      for (const rect of maskRects(mask))
        for (let y = rect.y; y < rect.y + rect.height; y++)
          for (let x = rect.x; x < rect.x + rect.width; x++)
            seen[(y - place.y) * width + x - place.x]++;
      assert.deepEqual(seen, data);
    }
  }
});

test('draw fills each mask in the colour of its class, mirrored with its box', () => {
  /** @type {any[]} */
  const filled = [];
  const ignore = () => {};
  const context = new Proxy(
    { canvas: { width: 40, height: 20 }, rects: /** @type {number[][]} */ ([]), fillStyle: '' },
    {
      get: (pen, name) => {
        if (name === 'beginPath') return () => pen.rects.splice(0);
        if (name === 'rect') return (/** @type {number[]} */ ...rect) => pen.rects.push(rect);
        if (name === 'fill') return () => filled.push([pen.fillStyle, [...pen.rects]]);
        if (name === 'measureText') return () => ({ width: 5 });
        return Reflect.get(pen, name) ?? ignore;
      },
    },
  );
  const mask = { x: 2, y: 3, width: 2, height: 1, data: Uint8Array.of(1, 1) };
  const box = { x: 2, y: 3, width: 2, height: 1, score: 0.5, label: 4, name: 'a', mask };
  draw(/** @type {any} */ (context), { boxes: [box], width: 20, height: 10 }, { mirrored: true });
  assert.deepEqual(filled[0], [classColour(4), [[32, 6, 4, 2]]]);
});

test('a label says the number that a Tracker gave the box', () => {
  /** @type {string[]} */
  const said = [];
  const context = new Proxy(
    { canvas: { width: 400, height: 200 } },
    {
      get: (pen, name) => {
        if (name === 'fillText') return (/** @type {string} */ text) => said.push(text);
        if (name === 'measureText') return () => ({ width: 5 });
        return Reflect.get(pen, name) ?? (() => {});
      },
      set: () => true,
    },
  );
  const box = { x: 100, y: 60, width: 50, height: 40, score: 0.5, label: 4, name: 'fox' };
  const boxes = [
    { ...box, id: 7 },
    { ...box, x: 200, id: null },
    { ...box, x: 300 },
  ];
  draw(/** @type {any} */ (context), { boxes, width: 400, height: 200 });
  assert.deepEqual(said.filter((text) => text !== '50%').sort(), ['fox', 'fox', 'fox 7']);
});

/** @param {Rect} a @param {Rect} b */
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

test('a label covers no small thing while there is a free place', () => {
  const area = { width: 400, height: 300 };
  const [large, small] = [
    { x: 50, y: 100, width: 120, height: 90 },
    { x: 60, y: 84, width: 10, height: 10 },
  ];
  const size = { width: 60, height: 20 };
  const [place] = placeLabels([large, small], [size, size], area);
  assert.deepEqual(place, { x: 110, y: 80, ...size });
});

test('draw names what it was given in place of a context or a result', () => {
  const code = { code: 'WISP_ERR_ARGUMENT' };
  const context = /** @type {any} */ ({ fillText() {} });
  const result = { boxes: [], width: 1, height: 1 };
  assert.throws(() => draw(/** @type {any} */ (null), result), { ...code, message: /getContext/ });
  assert.throws(() => draw(context, /** @type {any} */ ([])), { ...code, message: /this Array/ });
});

const SKIP = findChromium() ? false : 'no Chromium here: node tools/setup.mjs sets one up';

describe('in Chromium', { skip: SKIP }, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
  before(async () => {
    server = await startServer({ port: 0 });
    browser = await chromium.launch({
      executablePath: findChromium(),
      args: ['--no-sandbox', '--disable-gpu'],
    });
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  /**
   * Colours of points of a canvas of 200 × 100 after a box has been drawn, of a source of 400 × 400.
   * @param {import('../../web/src/draw.js').DrawOptions} options
   * @param {[x: number, y: number][]} points
   */
  async function drawn(options, points) {
    const page = await browser.newPage();
    await page.goto(String(new URL('/web/demo/favicon.svg', server.url)));
    const colours = await page.evaluate(
      async ([options, points]) => {
        const { draw } = await import(String(new URL('/web/src/draw.js', location.href)));
        const context = new OffscreenCanvas(200, 100).getContext('2d');
        if (!context) throw new Error('no context');
        const box = { x: 80, y: 160, width: 120, height: 160, label: 3, name: 'bus', score: 0.75 };
        draw(context, { boxes: [box], width: 400, height: 400 }, options);
        return points.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data]);
      },
      /** @type {const} */ ([options, points]),
    );
    await page.close();
    return colours.map(([r, g, b, a]) =>
      a ? `#${[r, g, b].map((v) => v.toString(16).padStart(2, '0')).join('')}` : 'clear',
    );
  }

  test('a box has the colour of its class, at the size of the canvas', async () => {
    const colour = classColour(3);
    const edges = /** @type {[number, number][]} */ ([
      [41, 60], // left: 80 / 2
      [98, 60], // right: 200 / 2
      [70, 78], // below: 320 / 4
      [70, 60],
      [150, 60],
    ]);
    const [left, right, below, within, beside] = await drawn({ unit: 1 }, edges);
    assert.deepEqual([left, right, below], [colour, colour, colour]);
    assert.deepEqual([within, beside], ['clear', 'clear']);
  });

  test('a mirrored one stands on the other side', async () => {
    const options = { unit: 1, mirrored: true };
    const [left, right] = await drawn(options, [
      [101, 60],
      [158, 60],
    ]);
    assert.deepEqual([left, right], [classColour(3), classColour(3)]);
  });
});
