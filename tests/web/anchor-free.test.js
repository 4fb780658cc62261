// YOLOv8's heads from an ONNX file to boxes: import, press, detect, against the formula computed here.

import assert from 'node:assert/strict';
import test from 'node:test';
import { OnnxWriter } from '../../web/src/export/onnx-writer.js';
import { onlyClasses } from '../../web/src/graph/class-subset.js';
import { RandomNumbers } from '../../web/src/graph/random-numbers.js';
import { importOnnx } from '../../web/src/import/onnx.js';
import { Detector } from '../../web/src/index.js';
import { drawScene } from '../../web/src/picture/scene.js';
import { Press } from '../../web/src/press.js';

const SIZE = 64;
const STRIDES = [8, 16];
const CLASSES = 3;

/** A stem, a C2f's halves with an addition, two scales; the decoding as Ultralytics' export.py spells it. */
function tinyOnnx({ task = 'detect', firstBin = 0 } = {}) {
  const numbers = new RandomNumbers(5);
  const writer = new OnnxWriter();
  writer.input('images', [1, 3, SIZE, SIZE]);
  const conv = (/** @type {string} */ x, from = 0, to = 0, side = 1, stride = 1, bias = 0) => {
    const spread = 1.8 / Math.sqrt(from * side * side);
    const weight = Array.from({ length: to * from * side * side }, () => spread * numbers.normal());
    const biases = Array.from({ length: to }, () => bias + 0.3 * numbers.normal());
    const parts = [writer.reals(weight, [to, from, side, side]), writer.reals(biases)];
    const edge = side >> 1;
    return writer.node('Conv', [x, ...parts], {
      kernel_shape: [side, side],
      strides: [stride, stride],
      pads: [edge, edge, edge, edge],
    });
  };
  const silu = (/** @type {string} */ x) => writer.node('Mul', [x, writer.node('Sigmoid', [x])]);
  const stem = silu(conv(silu(conv('images', 3, 8, 3, 4)), 8, 16, 3, 2));
  const halves = ['half0', 'half1'];
  writer.node('Split', [stem, writer.integers([8, 8])], { axis: 1 }, halves);
  const added = writer.node('Add', ['half1', silu(conv('half1', 8, 8, 3))]);
  const fine = silu(conv(writer.node('Concat', [...halves, added], { axis: 1 }), 24, 16));
  const coarse = silu(conv(fine, 16, 16, 3, 2));
  const flat = (/** @type {string} */ x, /** @type {number} */ channels) =>
    writer.node('Reshape', [x, writer.integers([1, channels, -1])]);
  const branch = (/** @type {number} */ channels, /** @type {number} */ bias) =>
    [fine, coarse].map((x) =>
      flat(conv(silu(conv(x, 16, 16, 3)), 16, channels, 1, 1, bias), channels),
    );
  const sides = writer.node('Concat', branch(64, 0), { axis: 2 });
  const logits = writer.node('Concat', branch(CLASSES, -3), { axis: 2 });
  const bins = writer.node('Reshape', [sides, writer.integers([1, 4, 16, -1])]);
  const chances = writer.node(
    'Softmax',
    [writer.node('Transpose', [bins], { perm: [0, 2, 1, 3] })],
    {
      axis: 1,
    },
  );
  const counting = Array.from({ length: 16 }, (_, bin) => bin || firstBin);
  const mean = writer.node('Conv', [chances, writer.reals(counting, [1, 16, 1, 1])]);
  const distances = writer.node('Reshape', [mean, writer.integers([1, 4, -1])]);
  const cells = STRIDES.flatMap((stride) =>
    Array.from({ length: (SIZE / stride) ** 2 }, (_, i) => ({
      x: (i % (SIZE / stride)) + 0.5,
      y: Math.floor(i / (SIZE / stride)) + 0.5,
      stride,
    })),
  );
  const places = writer.reals(
    [...cells.map(({ x }) => x), ...cells.map(({ y }) => y)],
    [1, 2, cells.length],
  );
  const cut = (/** @type {number} */ from) =>
    writer.node('Slice', [distances, ...[from, from + 2, 1].map((n) => writer.integers([n]))]);
  const low = writer.node('Sub', [places, cut(0)]);
  const high = writer.node('Add', [places, cut(2)]);
  const centre = writer.node('Div', [writer.node('Add', [low, high]), writer.reals([2], [])]);
  const boxes = writer.node('Concat', [centre, writer.node('Sub', [high, low])], { axis: 1 });
  const steps = writer.reals(
    cells.map(({ stride }) => stride),
    [1, cells.length],
  );
  const scaled = writer.node('Mul', [boxes, steps]);
  writer.output('output0', [1, 4 + CLASSES, cells.length]);
  writer.node('Concat', [scaled, writer.node('Sigmoid', [logits])], { axis: 1 }, ['output0']);
  return writer.finish({ names: "{0: 'a', 1: 'b', 2: 'c'}", task });
}

const picture = drawScene();
const all = { confidence: 0.001, iou: 1, maxDetections: 30_000, multiLabel: true };

test('an export without anchors becomes heads of one convolution, its halves convolutions of their own', () => {
  const graph = importOnnx(tinyOnnx());
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

test('what decodes otherwise or does something else is refused by name', () => {
  assert.throws(
    () => importOnnx(tinyOnnx({ firstBin: 3 })),
    /doesn't decode boxes as YOLOv8|pixels apart/,
  );
  assert.throws(() => importOnnx(tinyOnnx({ task: 'segment' })), /another task, "segment"/);
});

test('pressed, it finds the same with any number of threads, and above a threshold what it finds without', async () => {
  const press = await Press.open(tinyOnnx(), { threads: 1 });
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
