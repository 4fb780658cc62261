// YOLOv8's heads from an ONNX file to boxes: import, press, detect, against the formula computed here.

import assert from 'node:assert/strict';
import test from 'node:test';
import { writeOnnx } from '../../web/src/export/onnx-graph.js';
import { onlyClasses } from '../../web/src/graph/class-subset.js';
import { partHeads } from '../../web/src/graph/head-parts.js';
import { importOnnx } from '../../web/src/import/onnx.js';
import { Detector } from '../../web/src/index.js';
import { drawScene } from '../../web/src/picture/scene.js';
import { Press } from '../../web/src/press.js';
import { CLASSES, STRIDES, tinyAnchorFree } from '../support/tiny-anchor-free.js';

const picture = drawScene();
const all = { confidence: 0.001, iou: 1, maxDetections: 30_000, multiLabel: true };

test('an export without anchors becomes heads of one convolution, its halves convolutions of their own', () => {
  const graph = importOnnx(tinyAnchorFree());
  assert.deepEqual(graph.classes, ['a', 'b', 'c']);
  assert.deepEqual(
    graph.heads.map(({ kind, stride, anchors }) => [kind, stride, anchors]),
    STRIDES.map((stride) => ['yolov8', stride, [[stride, stride]]]),
  );
  assert.ok(graph.nodes.every(({ op }) => op !== 'select'));
  for (const { tensor } of graph.heads) {
    const node = graph.nodes.find(({ output }) => output === tensor);
    assert.deepEqual(node?.op === 'conv' && node.channels, [32, 64 + CLASSES]);
  }
  const some = onlyClasses(graph, ['c']);
  const node = some.nodes.find(({ output }) => output === some.heads[0].tensor);
  assert.deepEqual(node?.op === 'conv' && node.channels, [32, 65]);
});

test('what decodes otherwise is refused', () => {
  assert.throws(
    () => importOnnx(tinyAnchorFree({ firstBin: 3 })),
    /doesn't decode boxes as YOLOv8|pixels apart/,
  );
});

test('pressed as floats it goes into an ONNX file again, boxes and classes apart', async () => {
  const press = await Press.open(tinyAnchorFree(), { threads: 1 });
  await press.observe(picture);
  await press.quantise();
  const left = await press.network();
  await press.close();
  const parts = partHeads(left);
  for (const { boxes, classes } of parts.heads) {
    const shapes = [boxes, classes].map((tensor) => {
      const node = parts.nodes.find(({ output }) => output === tensor);
      return node?.op === 'conv' && node.channels;
    });
    assert.deepEqual(shapes, [
      [16, 64],
      [16, CLASSES],
    ]);
  }
  const again = importOnnx(writeOnnx(left));
  assert.deepEqual(again.classes, left.classes);
  for (const [i, { tensor, stride }] of again.heads.entries()) {
    assert.equal(stride, left.heads[i].stride);
    const [due, found] = [left.nodes, again.nodes].map((nodes, k) =>
      nodes.find(({ output }) => output === (k === 0 ? left.heads[i].tensor : tensor)),
    );
    assert.ok(due?.op === 'conv' && found?.op === 'conv');
    assert.deepEqual([found.weight, found.bias], [due.weight, due.bias]);
  }
});

test('pressed, it finds the same with any number of threads, and above a threshold what it finds without', async () => {
  const press = await Press.open(tinyAnchorFree(), { threads: 1 });
  await press.observe(picture);
  await press.quantise();
  const bytes = await press.pack();
  await press.close();
  const one = await Detector.open(bytes, { threads: 1 });
  const two = await Detector.open(bytes, { threads: 2 });
  try {
    const { boxes } = await one.detect(picture, all);
    assert.ok(boxes.length > 100, `${boxes.length} boxes`);
    assert.deepEqual((await two.detect(picture, all)).boxes, boxes);
    for (const confidence of [0.02, 0.05, 0.1, 0.3, 0.6]) {
      const due = boxes.filter(({ score }) => score > confidence);
      assert.deepEqual((await one.detect(picture, { ...all, confidence })).boxes, due);
    }
  } finally {
    await one.close();
    await two.close();
  }
});
