// Networks of other structures than YOLOv5's own: narrow ones of odd widths, YOLOv5-Lite's shuffled units. What the
// integers find lies near what the float network finds, cell by cell.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { writeOnnx } from '../../web/src/export/onnx-graph.js';
import { importOnnx } from '../../web/src/import/onnx.js';
import { Detector } from '../../web/src/index.js';
import { Press } from '../../web/src/press.js';
import { makePicture } from '../support/fixtures.js';
import { dataPath, without } from '../support/test-data.js';
import { tinyYolo } from '../support/tiny-yolo.js';

/**
 * @typedef {import('../../web/src/graph/float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('../../web/src/picture/picture.js').PictureSource} PictureSource
 */

/** Every cell of every anchor of the best class, however unlikely. */
const ALL = { confidence: 0, iou: 1, maxDetections: 30_000 };

/** Tiny anchors: no box is clipped at the picture's edge, and its size tells its logits. @param {FloatGraph} graph */
function withTinyAnchors(graph) {
  const heads = graph.heads.map((head) => ({
    ...head,
    anchors: head.anchors.map(() => /** @type {[number, number]} */ ([1, 1])),
  }));
  return { ...graph, heads };
}

/**
 * How far each box of the float network is from the next of the pressed one: centre and size in pixels of the
 * input, and the score.
 * @param {FloatGraph} graph
 * @param {PictureSource[]} pictures
 * @param {PictureSource} judged
 * @param {number} [size]
 */
async function distances(graph, pictures, judged, size) {
  const press = await Press.open(withTinyAnchors(graph), { size, threads: 2 });
  for (const picture of pictures) await press.observe(picture);
  await press.quantise({ ranging: 'min-max' }); // nothing is clipped: it is the structure that is judged
  const detector = await Detector.open(await press.pack(), { threads: 2 });
  const whole = { ...ALL, rect: false }; // as the float network
  const found = [await press.detect(judged, ALL), await detector.detect(judged, whole)];
  await Promise.all([press.close(), detector.close()]);
  const scale = Math.min(press.info.width / found[0].width, press.info.height / found[0].height);
  const [float, integer] = found.map(({ boxes }) =>
    boxes.map(({ x, y, width, height, score }) => {
      const [w, h] = [width * scale, height * scale];
      return [x * scale + w / 2, y * scale + h / 2, w, h, score];
    }),
  );
  assert.ok(float.length > 200);
  assert.equal(float.length, integer.length);
  const rows = byRow(integer);
  return float.map((box) => nearest(box, rows)).sort((a, b) => a - b);
}

const ROW = 4; // pixels

/** Boxes by the height of their centres. @param {number[][]} boxes */
function byRow(boxes) {
  /** @type {Map<number, number[][]>} */
  const rows = new Map();
  for (const box of boxes) {
    const row = Math.floor(box[1] / ROW);
    rows.set(row, [...(rows.get(row) ?? []), box]);
  }
  return rows;
}

/** @param {number[]} box @param {Map<number, number[][]>} rows */
function nearest(box, rows) {
  const row = Math.floor(box[1] / ROW);
  let best = ROW;
  for (const other of [-1, 0, 1].flatMap((by) => rows.get(row + by) ?? [])) {
    best = Math.min(best, Math.max(...box.map((value, i) => Math.abs(value - other[i]))));
  }
  return best;
}

/** @param {number[]} sorted @param {{median: number, most: number}} limits most: of 98 % */
function requireNear(sorted, limits) {
  const median = sorted[sorted.length >> 1];
  const most = sorted[Math.floor(sorted.length * 0.98)];
  assert.ok(median < limits.median, `median ${median}, 98 % within ${most}`);
  assert.ok(most < limits.most, `98 % within ${most}`);
}

const calibration = (/** @type {number} */ count) =>
  readdirSync(dataPath('coco/calib'))
    .sort()
    .slice(0, count)
    .map((name) => path.join(dataPath('coco/calib'), name));

for (const shuffle of /** @type {const} */ (['Slice', 'Split'])) {
  test(`a tiny YOLOv5-Lite with ${shuffle} gives what the float network gives`, async () => {
    const graph = importOnnx(tinyYolo({ shuffle }));
    const pictures = [1, 2, 3, 4].map((seed) => makePicture({ seed }));
    requireNear(await distances(graph, pictures, pictures[0]), { median: 0.15, most: 0.5 });
  });
}

for (const gate of /** @type {const} */ (['hardsigmoid', 'silu'])) {
  test(`a tiny YOLOv5 with squeeze-and-excitation by ${gate} gives what the float network gives`, async () => {
    const graph = importOnnx(tinyYolo({ squeeze: { mean: 'GlobalAveragePool', gate } }));
    const pictures = [1, 2, 3, 4].map((seed) => makePicture({ seed }));
    requireNear(await distances(graph, pictures, pictures[0]), { median: 0.15, most: 0.5 });
  });
}

for (const what of /** @type {const} */ (['transposed', 'padded'])) {
  test(`a tiny YOLOv5 with a ${what} map gives what the float network gives`, async () => {
    const graph = importOnnx(tinyYolo({ [what]: true }));
    const pictures = [1, 2, 3, 4].map((seed) => makePicture({ seed }));
    requireNear(await distances(graph, pictures, pictures[0]), { median: 0.15, most: 0.8 });
  });
}

/** How far one list of numbers is from another, by its own size. @param {Float32Array} a @param {Float32Array} b */
function apart(a, b) {
  const size = (/** @type {(value: number, i: number) => number} */ of) =>
    Math.sqrt(a.reduce((sum, value, i) => sum + of(value, i) ** 2, 0));
  return (
    size((value, i) => value - b[i]) /
    Math.max(
      size((value) => value),
      1e-6,
    )
  );
}

for (const options of /** @type {const} */ ([
  { shuffle: 'Slice' },
  { shuffle: 'Split', focus: true },
  { transposed: true },
  { padded: true },
])) {
  const what = Object.keys(options).join(', ');
  test(`the weights of a tiny YOLOv5 with ${what} come back as floats, also as ONNX`, async () => {
    const graph = importOnnx(tinyYolo(options));
    const press = await Press.open(graph, { threads: 1 });
    await press.observe(makePicture());
    await press.quantise({ rounding: 'nearest' });
    const network = await press.network();
    await press.close();
    const read = importOnnx(writeOnnx(network));
    const convolutions = (/** @type {FloatGraph} */ { nodes }) =>
      nodes.flatMap((node) => (node.op === 'conv' ? [node] : []));
    const [due, left, again] = [graph, network, read].map(convolutions);
    assert.equal(left.length, due.length);
    assert.equal(again.length, due.length);
    for (const [i, { name, weight, bias }] of due.entries()) {
      const [by, shift] = [apart(weight, left[i].weight), apart(weight, again[i].weight)];
      assert.ok(by < 0.05 && shift === by, `${name}: ${by}, ${shift}`);
      const biases = left[i].bias;
      if (bias && biases) assert.ok(apart(bias, biases) < 0.1, `${name}: ${biases}`);
    }
  });
}

test('channels that a shuffle leaves out cost nothing', async () => {
  const press = await Press.open(importOnnx(tinyYolo({ shuffle: 'Slice' })), { threads: 1 });
  await press.observe(makePicture());
  await press.quantise();
  const detector = await Detector.open(await press.pack(), { threads: 1 });
  const { layers } = detector.info;
  await Promise.all([press.close(), detector.close()]);
  const half = layers.find(({ channelsIn, channelsOut }) => channelsIn === 8 && channelsOut === 4);
  assert.deepEqual([half?.blocks, half?.blocksPresent], [8, 4]);
  assert.equal(layers.filter(({ operation }) => operation === 'depthwise').length, 1);
});

for (const [name, size, limits] of /** @type {[string, number | undefined, any][]} */ ([
  ['channel_pruned_128', undefined, { median: 0.03, most: 0.5 }],
  ['v5lite-e_640_fp32', 320, { median: 0.5, most: 3 }],
  ['v5lite-s_640_fp32', 320, { median: 0.5, most: 3 }],
])) {
  const model = `models/${name}.onnx`;
  test(`${name} runs within the error of quantisation`, {
    skip: without(model, 'coco/calib', 'images'),
  }, async () => {
    const graph = importOnnx(readFileSync(dataPath(model)));
    const sorted = await distances(graph, calibration(12), dataPath('images/bus.jpg'), size);
    requireNear(sorted, limits);
  });
}

for (const [name, size, settings] of /** @type {[string, number, any][]} */ ([
  ['channel_pruned_128', 128, { sparsity: 0.3 }],
  ['v5lite-e_640_fp32', 160, { sparsity: 0.3 }],
  ['v5lite-e_640_fp32', 160, { bits: 'auto' }],
])) {
  const model = `models/${name}.onnx`;
  test(`${name} takes ${JSON.stringify(settings)}`, {
    skip: without(model, 'coco/calib'),
  }, async () => {
    const press = await Press.open(dataPath(model), { threads: 1, size });
    for (const picture of calibration(6)) await press.observe(picture);
    const { layers } = await press.quantise(settings);
    const detector = await Detector.open(await press.pack(), { threads: 1 });
    await Promise.all([press.close(), detector.close()]);
    const sum = (/** @type {(layer: any) => number} */ of) =>
      layers.reduce((all, layer) => all + of(layer), 0);
    const share = sum(({ zeroBlocks }) => zeroBlocks) / sum(({ blocks }) => blocks);
    if (settings.sparsity) assert.ok(share > 0.25 && share < 0.4, `${share} of the blocks`);
    else assert.ok(layers.some(({ bits }) => bits < 7) && layers.some(({ bits }) => bits === 7));
  });
}
