// YOLOv5 that segments, from an ONNX file to masks: import, back to ONNX, press, detect.

import assert from 'node:assert/strict';
import test from 'node:test';
import { writeOnnx } from '../../web/src/export/onnx-graph.js';
import { onlyClasses } from '../../web/src/graph/class-subset.js';
import { importOnnx } from '../../web/src/import/onnx.js';
import { Detector } from '../../web/src/index.js';
import { drawScene } from '../../web/src/picture/scene.js';
import { Press } from '../../web/src/press.js';
import { ANCHORS, CLASSES, MASKS, tinyGraph } from '../support/tiny-segment.js';

/** @param {Uint8Array} onnx */
async function pressed(onnx) {
  const press = await Press.open(onnx, { threads: 1 });
  await press.observe(drawScene());
  await press.quantise();
  const bytes = await press.pack();
  return { press, bytes };
}

const options = { confidence: 0.3, iou: 0.45 };

test('an export that segments becomes heads with coefficients and prototypes, and goes back', () => {
  const graph = importOnnx(writeOnnx(tinyGraph()));
  assert.deepEqual(graph.classes, CLASSES);
  assert.deepEqual(
    graph.heads.map(({ kind, stride, anchors, masks }) => [kind, stride, anchors, masks]),
    [
      [undefined, 8, ANCHORS, MASKS],
      [undefined, 16, ANCHORS, MASKS],
      ['prototypes', 4, [], MASKS],
    ],
  );
  const again = importOnnx(writeOnnx(graph));
  const nameless = (/** @type {typeof graph} */ { nodes }) =>
    nodes.map(({ name, ...node }) => node);
  assert.deepEqual(nameless(again), nameless(graph));
  const some = onlyClasses(graph, ['b']);
  const node = some.nodes.find(({ output }) => output === some.heads[0].tensor);
  const due = tinyGraph();
  const whole = due.nodes.find(({ output }) => output === due.heads[0].tensor);
  assert.ok(node?.op === 'conv' && whole?.op === 'conv');
  assert.equal(node.channels[1], ANCHORS.length * (5 + 1 + MASKS));
  const of = (/** @type {Float32Array} */ weight, /** @type {number} */ row) =>
    weight.slice(row * 12, (row + 1) * 12);
  assert.deepEqual(of(node.weight, 6), of(whole.weight, 7)); // the first coefficient
});

test('an export that segments with a single scale has prototypes too', () => {
  const { heads, ...graph } = tinyGraph();
  const read = importOnnx(writeOnnx({ ...graph, heads: [heads[1], heads[2]] }));
  assert.deepEqual(
    read.heads.map(({ kind, stride, masks }) => [kind, stride, masks]),
    [
      [undefined, 16, MASKS],
      ['prototypes', 4, MASKS],
    ],
  );
});

test('bitmaps and run lengths say the same, boxes are those without masks, threads change nothing', async () => {
  const { press, bytes } = await pressed(writeOnnx(tinyGraph()));
  await press.close();
  const one = await Detector.open(bytes, { threads: 1 });
  const two = await Detector.open(bytes, { threads: 2 });
  try {
    assert.equal(one.info.masks, MASKS);
    const picture = drawScene();
    const plain = await one.detect(picture, options);
    const bitmaps = await one.detect(picture, { ...options, masks: 'bitmap' });
    const [lengths] = await two.detect([picture, picture], { ...options, masks: 'rle' });
    assert.ok(plain.boxes.length > 0 && plain.boxes.every((box) => box.mask === undefined));
    let set = 0;
    for (const [i, { mask, ...box }] of bitmaps.boxes.entries()) {
      assert.deepEqual(box, plain.boxes[i]);
      assert.ok(mask && 'data' in mask);
      set += mask.data.reduce((sum, bit) => sum + bit, 0);
      assert.deepEqual(lengths.boxes[i].mask, runLengths(mask, plain));
    }
    assert.ok(set > 0);
    const tiles = { columns: 2, rows: 1 };
    const tiled = await one.detect(picture, { ...options, masks: 'bitmap', tiles });
    const lines = await two.detect(picture, { ...options, masks: 'rle', tiles });
    const bare = await two.detect(picture, { ...options, tiles });
    assert.ok(tiled.boxes.length > 0);
    for (const [i, { mask, ...box }] of tiled.boxes.entries()) {
      assert.deepEqual(box, bare.boxes[i]);
      assert.ok(mask && 'data' in mask);
      assert.deepEqual(lines.boxes[i].mask, runLengths(mask, plain));
    }
  } finally {
    await one.close();
    await two.close();
  }
});

test("the float network's masks are much like those in integers", async () => {
  const { press, bytes } = await pressed(writeOnnx(tinyGraph()));
  const detector = await Detector.open(bytes, { threads: 1 });
  try {
    const picture = drawScene();
    const all = { confidence: 0, iou: 1, masks: /** @type {const} */ ('bitmap') };
    const real = await press.detect(picture, { ...all, rect: false });
    const integer = await detector.detect(picture, { ...all, rect: false });
    assert.equal(real.boxes.length, integer.boxes.length);
    const area = (/** @type {typeof integer.boxes} */ boxes) =>
      boxes.reduce(
        (sum, { mask }) =>
          sum + (mask && 'data' in mask ? mask.data.reduce((a, b) => a + b, 0) : 0),
        0,
      );
    const [a, b] = [area(real.boxes), area(integer.boxes)];
    assert.ok(Math.abs(a - b) < 0.1 * a, `${a} and ${b} pixels`);
  } finally {
    await press.close();
    await detector.close();
  }
});

test('a model without masks says so', async () => {
  const graph = tinyGraph();
  const channels = ANCHORS.length * (5 + CLASSES.length);
  const heads = graph.heads.slice(0, 2).map(({ tensor, stride, anchors }) => {
    const node = graph.nodes.find(({ output }) => output === tensor);
    assert.ok(node?.op === 'conv');
    node.weight = node.weight.slice(0, 12 * channels);
    node.bias = node.bias?.slice(0, channels) ?? null;
    node.channels = [12, channels];
    return { tensor, stride, anchors };
  });
  const { press, bytes } = await pressed(writeOnnx({ ...graph, heads }));
  await press.close();
  const detector = await Detector.open(bytes, { threads: 1 });
  try {
    assert.equal(detector.info.masks, 0);
    await assert.rejects(detector.detect(drawScene(), { masks: 'rle' }), /finds boxes only/);
  } finally {
    await detector.close();
  }
});

/**
 * A bitmap as COCO counts it: column after column of the whole picture.
 * @param {import('../../web/src/wasm/boxes.js').Bitmap} mask
 * @param {{width: number, height: number}} picture
 */
function runLengths({ x, y, width, height, data }, picture) {
  const counts = [0];
  let value = 0;
  for (let at = 0; at < picture.width * picture.height; at++) {
    const [column, row] = [Math.floor(at / picture.height) - x, (at % picture.height) - y];
    const isInside = column >= 0 && column < width && row >= 0 && row < height;
    const bit = isInside ? data[row * width + column] : 0;
    if (bit !== value) counts.push(0);
    value = bit;
    counts[counts.length - 1]++;
  }
  return { size: [picture.height, picture.width], counts };
}
