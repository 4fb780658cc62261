// Checkpoints of PyTorch in the press: the float network finds what that of the export finds, in the same boxes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Detector } from '../../web/src/index.js';
import { Press } from '../../web/src/press.js';
import { makePicture } from '../support/fixtures.js';
import { dataPath, without } from '../support/test-data.js';
import { tinyPt } from '../support/tiny-pt.js';

/** @typedef {import('../../web/src/detect/engine.js').Box} Box */

/** @param {Box} a @param {Box} b */
function overlap(a, b) {
  const w = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const h = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const both = Math.max(0, w) * Math.max(0, h);
  return both / (a.width * a.height + b.width * b.height - both);
}

/** @param {import('../../web/src/press.js').ModelSource | Uint8Array} model @param {string} picture */
async function floatBoxes(model, picture) {
  const press = await Press.open(model, { threads: 1 });
  const { boxes } = await press.detect(dataPath(picture), { confidence: 0.05 });
  await press.close();
  return boxes;
}

for (const picture of ['images/bus.jpg', 'images/zidane.jpg']) {
  test(`yolov5n.pt finds on ${picture} what its export finds`, {
    skip: without('models/yolov5n.pt', 'models/yolov5n_640.onnx', picture),
  }, async () => {
    const [boxes, due] = [
      await floatBoxes(dataPath('models/yolov5n.pt'), picture),
      await floatBoxes(dataPath('models/yolov5n_640.onnx'), picture),
    ];
    assert.ok(due.length >= 5);
    assert.equal(boxes.length, due.length);
    for (const [i, box] of boxes.entries()) {
      assert.equal(box.label, due[i].label);
      assert.ok(Math.abs(box.score - due[i].score) < 0.002, `${box.score}, ${due[i].score}`);
      assert.ok(overlap(box, due[i]) > 0.99, `box ${i}`);
    }
  });
}

test('v5lite-s.pt finds the bus and its passengers', {
  skip: without('models/v5lite-s.pt', 'images/bus.jpg'),
}, async () => {
  const boxes = await floatBoxes(dataPath('models/v5lite-s.pt'), 'images/bus.jpg');
  const sure = boxes.filter(({ score }) => score > 0.4).map(({ name }) => name);
  assert.deepEqual(sure.sort(), ['bus', 'person', 'person', 'person']);
});

for (const version of /** @type {const} */ (['v3', 'v5', 'v6', 'v7', 'lite'])) {
  test(`a tiny checkpoint of ${version} is pressed and opens`, async () => {
    const checkpoint = tinyPt({ version }, (model) => ({ model, opt: { imgsz: 64 } }));
    const opened = await Press.open(checkpoint, { threads: 1 });
    const pictures = [1, 2, 3].map((seed) => makePicture({ seed }));
    for (const picture of pictures) await opened.observe(picture);
    await opened.quantise();
    const detector = await Detector.open(await opened.pack(), { threads: 1 });
    const options = { confidence: 0.001, maxDetections: 1 };
    const [[float], [integer]] = [
      (await opened.detect(pictures[0], options)).boxes,
      (await detector.detect(pictures[0], options)).boxes,
    ];
    assert.deepEqual(detector.info.classes, ['fox', 'owl']);
    assert.ok(Math.abs(integer.score - float.score) < 0.05, `${integer.score} ${float.score}`);
    await Promise.all([opened.close(), detector.close()]);
  });
}
