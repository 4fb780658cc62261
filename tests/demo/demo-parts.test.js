// The parts of the demo that need no browser: words, kinds of files.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../../tools/serve.mjs';
import { cameraSentence } from '../../web/demo/camera-sentences.js';
import { kindOf } from '../../web/demo/intake.js';
import { bytes, finds, plural, sentence, stem, summary } from '../../web/demo/sentences.js';

test('the server goes on, whatever it is asked', async () => {
  const { url, close } = await startServer({ port: 0 });
  try {
    assert.equal((await fetch(`${new URL(url).origin}//`)).status, 404);
    assert.equal((await fetch(new URL('/web/demo/index.html', url))).status, 200);
  } finally {
    await close();
  }
});

test('a summary counts in words', () => {
  const named = (/** @type {string} */ names) => names.split(',').map((name) => ({ name }));
  assert.equal(summary([]), 'Nothing found');
  assert.equal(summary(named('bus,person,person,person')), '3 persons, 1 bus');
  assert.equal(summary(named('a,b,c,d,e,f')), '1 a, 1 b, 1 c, 1 d, 1 e, 1 f');
  assert.equal(summary(named('a,a,b,c,d,e,f,g')), '2 as, 1 b, 1 c, 1 d, 1 e and 2 other kinds');
});

test('what a model finds is a sentence', () => {
  const many = Array.from({ length: 80 }, (_, i) => `thing ${i}`);
  assert.equal(finds(['fox']), 'This model finds fox.');
  assert.match(finds(many), /80 kinds of things: thing 0, thing 1, thing 2, thing 3 and so on\.$/);
  assert.match(
    finds(['class0', 'class1']),
    /2 kinds of things, for which its file has no names\.$/,
  );
  assert.match(finds(['qr_code', 'linear']), /bar codes and 2D codes, and reads them\.$/);
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
