// What servers, aborts and callers' own functions do at the wrong moment: a sentence, and the next call works.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Detector } from '../../web/src/index.js';
import { press } from '../../web/src/press.js';
import { makePicture } from '../support/fixtures.js';
import { model, openSite, picture } from '../support/site.js';
import { tinyYolo } from '../support/tiny-yolo.js';

const options = { confidence: 0.2 };

/** @type {Awaited<ReturnType<typeof openSite>>} */
let site;
/** @type {Detector} */
let detector;
before(async () => {
  site = await openSite();
  detector = await Detector.open(model, { threads: 1 });
});
after(async () => {
  await detector.close();
  site.close();
});

test('a server that closes its connections gives its model all the same', async () => {
  for (let i = 0; i < 3; i++) {
    const opened = await Detector.open(`${site.url}/closing.wisp`, { threads: 1 });
    await opened.close();
  }
});

test("a picture that nobody waits for any more stands in no one's way", {
  timeout: 10_000,
}, async () => {
  const signal = AbortSignal.timeout(100);
  await assert.rejects(detector.detect(`${site.url}/never.png`, { signal }), {
    name: 'TimeoutError',
  });
  const { boxes } = await detector.detect(picture, options);
  assert.ok(boxes.length > 5);
  for (let i = 0; i < 100 && site.openRequests() > 0; i++) await sleep(10);
  assert.equal(site.openRequests(), 0);
});

test('of many large pictures some are in memory at once, and each has its own boxes', async () => {
  const one = makePicture({ width: 2400, height: 1600 });
  const other = makePicture({ seed: 2, width: 1600, height: 2400 });
  const pictures = [one, one, other, other, one, other];
  const alone = [];
  for (const each of pictures) alone.push((await detector.detect(each, options)).boxes);
  const together = await detector.detect(pictures, options);
  assert.notDeepEqual(alone[0], alone[2]);
  assert.deepEqual(
    together.map(({ boxes }) => boxes),
    alone,
  );
});

const mine = new Error('mine');

for (const phase of ['engine', 'model', 'warmup'])
  test(`an onProgress that throws at "${phase}" ends the opening with what it threw`, async () => {
    const onProgress = (/** @type {{phase: string}} */ progress) => {
      if (progress.phase === phase) throw mine;
    };
    await assert.rejects(Detector.open(model, { onProgress }), mine);
  });

for (const phase of ['import', 'load', 'fold', 'observe', 'quantise', 'pack'])
  test(`an onProgress that throws at "${phase}" ends the press with what it threw`, async () => {
    const onProgress = (/** @type {{phase: string}} */ progress) => {
      if (progress.phase === phase) throw mine;
    };
    await assert.rejects(press(tinyYolo(), { pictures: [picture], onProgress }), mine);
  });

for (const [name, pictures, sentence] of /** @type {[string, any, RegExp][]} */ ([
  ['a path', 'photos/a.jpg', /a list of pictures, not the string "photos\/a.jpg"/],
  ['bytes', new Uint8Array(9), /a list of pictures, not this Uint8Array/],
  ['null', null, /a list of pictures, not null/],
]))
  test(`the press takes no ${name} for its pictures`, async () => {
    await assert.rejects(press(tinyYolo(), { pictures }), sentence);
  });

test('what only "auto" or an array can have is refused without', async () => {
  const some = [picture];
  await assert.rejects(
    press(tinyYolo(), { pictures: some, targetLoss: 1, sparsity: 0.3 }),
    /A target loss finds the share of zeros/,
  );
  await assert.rejects(
    press(tinyYolo(), { pictures: some[Symbol.iterator](), channels: 0.1 }),
    /an array/,
  );
  await assert.rejects(press(tinyYolo(), { pictures: some, classes: ['none'] }), {
    name: 'WispError',
    code: 'WISP_ERR_ARGUMENT',
  });
});
