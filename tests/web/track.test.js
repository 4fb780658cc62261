// Things that keep their numbers through a video whose truth is known: it is drawn here, box by box.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tracker } from '../../web/src/track.js';
import { makeRandom } from '../support/fixtures.js';

const NAMES = ['person', 'bus'];
const FPS = 20;

/** @param {number} x @param {number} y @param {object} [more] */
const box = (x, y, more = {}) => {
  const made = { x, y, width: 40, height: 60, score: 0.8, label: 0, ...more };
  return { ...made, name: NAMES[made.label] };
};

/**
 * @param {Tracker} tracker
 * @param {number} frames
 * @param {(frame: number) => ReturnType<typeof box>[]} scene
 * @returns {(number | null)[][]} the numbers, frame by frame
 */
const run = (tracker, frames, scene) =>
  Array.from({ length: frames }, (_, i) => tracker.update(scene(i), i / FPS).map(({ id }) => id));

/** The numbers that one place of the list had. @param {(number | null)[][]} ids @param {number} place */
const idsAt = (ids, place) => [...new Set(ids.map((frame) => frame[place]))];

test('things that move keep their numbers; a number comes with the third frame', () => {
  const tracker = new Tracker();
  const scene = (/** @type {number} */ i) => [
    box(10 + 8 * i, 50),
    box(700 - 9 * i, 300, { label: 1 }),
  ];
  const ids = run(tracker, 60, scene);
  assert.deepEqual(ids.slice(0, 3), [
    [null, null],
    [null, null],
    [1, 2],
  ]);
  assert.deepEqual(idsAt(ids.slice(2), 0), [1]);
  assert.deepEqual(idsAt(ids.slice(2), 1), [2]);
  assert.deepEqual(tracker.counts, [
    { label: 0, name: 'person', count: 1 },
    { label: 1, name: 'bus', count: 1 },
  ]);
});

test('two that cross each other go on as themselves, of one class and of two', () => {
  for (const label of [0, 1]) {
    const tracker = new Tracker();
    const scene = (/** @type {number} */ i) => [box(6 * i, 100), box(360 - 6 * i, 104, { label })];
    const ids = run(tracker, 60, scene);
    assert.deepEqual(idsAt(ids.slice(2), 0), [1]);
    assert.deepEqual(idsAt(ids.slice(2), 1), [2]);
  }
});

test('boxes that tremble and come in another order keep their numbers', () => {
  const random = makeRandom(20261129);
  const tracker = new Tracker();
  const tremble = () => 8 * (random() - 0.5);
  const truth = new Map();
  for (let i = 0; i < 100; i++) {
    const all = [0, 1, 2, 3, 4].map((k) => ({
      k,
      one: box(100 * k + 3 * i + tremble(), 80 * k + tremble()),
    }));
    all.sort(() => random() - 0.5);
    const ids = tracker.update(
      all.map(({ one }) => one),
      i / FPS,
    );
    all.forEach(({ k }, at) => {
      if (i < 2) return;
      truth.set(k, (truth.get(k) ?? new Set()).add(ids[at].id));
    });
  }
  assert.deepEqual(
    [...truth.values()].map((ids) => ids.size),
    [1, 1, 1, 1, 1],
  );
  assert.equal(tracker.counts[0].count, 5);
});

test('a thing that is hidden for a while is known again where it should be by then', () => {
  const scene = (/** @type {number} */ i) => (i >= 20 && i < 34 ? [] : [box(10 + 8 * i, 50)]);
  assert.deepEqual(run(new Tracker(), 50, scene).at(-1), [1], '112 pixels further on');
  assert.deepEqual(run(new Tracker({ keepSeconds: 0.5 }), 50, scene).at(-1), [2]);
});

test('things are followed where a frame takes longer than those out of sight are kept', () => {
  const tracker = new Tracker();
  const ids = [0, 3, 6, 9].map((seconds) => tracker.update([box(50, 50)], seconds)[0].id);
  assert.deepEqual(ids, [null, null, 1, 1]);
  tracker.update([], 12);
  assert.equal(tracker.update([box(50, 50)], 15)[0].id, null, 'it was out of sight for too long');
});

test('what flickers is not counted', () => {
  const tracker = new Tracker();
  const scene = (/** @type {number} */ i) => [
    box(10, 50),
    ...(i % 3 ? [box(500, 200, { label: 1 })] : []),
  ];
  run(tracker, 60, scene);
  assert.deepEqual(tracker.counts, [{ label: 0, name: 'person', count: 1 }]);
  const eager = new Tracker({ hits: 1 });
  assert.deepEqual(
    run(eager, 1, () => [box(10, 50)]),
    [[1]],
  );
});

test('weak boxes continue a thing and begin none', () => {
  const weak = { score: 0.15 };
  const scene = (/** @type {number} */ i) => [
    box(10 + 4 * i, 50, i > 5 ? weak : {}),
    box(500, 50, weak),
  ];
  const ids = run(new Tracker(), 40, scene);
  assert.deepEqual(ids.at(-1), [1, null]);
  assert.deepEqual(run(new Tracker({ confidence: 0.1 }), 40, scene).at(-1), [1, 2]);
});

test('a strong box finds its thing before a weak one that lies better', () => {
  const tracker = new Tracker();
  run(tracker, 5, () => [box(100, 100)]);
  const [weak, strong] = tracker.update([box(100, 100, { score: 0.2 }), box(110, 100)], 5 / FPS);
  assert.deepEqual([weak.id, strong.id], [null, 1]);
});

test('another class is another thing', () => {
  const tracker = new Tracker();
  run(tracker, 5, () => [box(100, 100)]);
  assert.equal(tracker.update([box(100, 100, { label: 1 })], 5 / FPS)[0].id, null);
});

test('a video that starts again has new things; the same frame again changes nothing', () => {
  const tracker = new Tracker();
  for (let i = 0; i < 9; i++) assert.deepEqual(tracker.update([box(9, 9)], 1)[0].id, null);
  tracker.update([box(9, 9)], 2);
  assert.equal(tracker.update([box(9, 9)], 2.1)[0].id, 1);
  assert.equal(tracker.update([box(9, 9)], 0)[0].id, null);
  tracker.update([box(9, 9)], 0.1);
  assert.equal(tracker.update([box(9, 9)], 0.2)[0].id, 2);
});

test('boxes go through whole, and those of the caller stay as they are', () => {
  const given = Object.freeze(box(10, 20, { mask: { size: [1, 1], counts: [1] } }));
  const [{ id, ...rest }] = new Tracker({ hits: 1 }).update(Object.freeze([given]), 0);
  assert.equal(id, 1);
  assert.deepEqual(rest, given);
  assert.deepEqual(new Tracker().update([], 0), []);
});

test('what is wrong has a sentence', () => {
  const tracker = new Tracker();
  const any = /** @type {any} */ ({});
  const cases = /** @type {[() => unknown, RegExp][]} */ ([
    [
      () => new Tracker(/** @type {any} */ ({ patience: 3 })),
      /no "patience" in a tracker's options; there is iou, /,
    ],
    [() => new Tracker({ iou: 1.5 }), /^iou is 0 … 1, not the number 1\.5\.$/],
    [() => new Tracker({ hits: any }), /^hits is 1 … 1000, not this Object\.$/],
    [() => tracker.update(any, 0), /takes the boxes of a result of detect, not this Object\.$/],
    [() => tracker.update([any], 0), /not this Object\.$/],
    [() => tracker.update([], Number.NaN), /time of the frame in seconds, not the number NaN\.$/],
    [() => tracker.update([], any.missing), /not undefined\.$/],
  ]);
  for (const [call, message] of cases) assert.throws(call, { code: 'WISP_ERR_ARGUMENT', message });
});
