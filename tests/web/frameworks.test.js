// A Detector and a Press in the state of real frameworks, which hand out Proxies of what they hold.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { produce } from 'immer';
import { observable } from 'mobx';
import { reactive, ref, shallowRef } from 'vue';
import { Detector } from '../../web/src/index.js';
import { Press } from '../../web/src/press.js';
import { model, picture } from '../support/site.js';
import { tinyYolo } from '../support/tiny-yolo.js';

/** @type {Detector} */ let detector;
/** @type {Press} */ let press;
/** @type {unknown} */ let expected;
const options = { confidence: 0.2 };
before(async () => {
  detector = await Detector.open(model, { threads: 1 });
  press = await Press.open(tinyYolo(), { threads: 1 });
  expected = (await detector.detect(picture, options)).boxes;
});
after(async () => {
  await detector.close();
  await press.close();
});

/** Each: what a program reads back after it has put a value there. @type {Record<string, (value: any) => any>} */
const places = {
  "Vue's ref": (value) => ref(value).value,
  "Vue's ref, in an object": (value) => ref({ value }).value.value,
  "Vue's reactive": (value) => reactive({ value }).value,
  "Vue's shallowRef": (value) => shallowRef(value).value,
  "MobX's observable": (value) => observable({ value }).value,
  "MobX's observable box": (value) => observable.box(value).get(),
  "Immer's produce": (value) => produce({ value, n: 0 }, (draft) => void draft.n++).value,
};

for (const [name, hold] of Object.entries(places))
  test(name, async () => {
    const held = { detector: hold(detector), press: hold(press) };
    assert.deepEqual((await held.detector.detect(picture, options)).boxes, expected);
    assert.deepEqual(held.detector.info.classes, detector.info.classes);
    assert.ok((await held.press.observe(picture)) >= 1);
    assert.deepEqual(held.press.info.classes, press.info.classes);
  });

test('in a draft of Immer, while it is made', () => {
  const state = produce({ detector, names: /** @type {readonly string[]} */ ([]) }, (draft) => {
    draft.names = [...draft.detector.info.classes];
  });
  assert.deepEqual(state.names, detector.info.classes);
});
