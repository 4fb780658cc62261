// Networks with random weights: the shape of the real ones, blocks that are exactly zero, a handful of boxes.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import * as flatbuffers from 'flatbuffers';
import { writeTflite } from '../../bench/peers/tflite/file.js';
import { readScales } from '../../bench/peers/tflite/scales.js';
import { writeOnnx } from '../../web/src/export/onnx-graph.js';
import { zeroBlocks } from '../../web/src/graph/block-mask.js';
import { boxHeads } from '../../web/src/graph/head-forms.js';
import { randomGraph } from '../../web/src/graph/random-graph.js';
import { RandomNumbers } from '../../web/src/graph/random-numbers.js';
import { importOnnx } from '../../web/src/import/onnx.js';
import { Detector } from '../../web/src/index.js';
import { drawScene } from '../../web/src/picture/scene.js';
import { Press } from '../../web/src/press.js';
import { pressRandom } from '../../web/src/pressing/random-press.js';
import { runWisp } from '../cli/command.js';

/**
 * Weights and biases once batch norms are folded: as the table of the YOLOv5 family gives them, and YOLOv5 itself of
 * yolov5s-seg.pt; as Ultralytics counts them, less the 16 that weigh bins; those of YOLOv5-Lite's models/*.yaml, g's by
 * its deployed blocks.
 */
const PARAMETERS = {
  yolov5n: 1_867_405,
  yolov5s: 7_225_885,
  yolov5nu: 2_649_184,
  yolov8n: 3_151_888,
  'yolov5s-seg': 7_611_485,
  'v5lite-e': 779_669,
  'v5lite-s': 1_640_629,
  'v5lite-c': 4_579_805,
  'v5lite-g': 5_390_365,
};

/** @param {import('../../web/src/graph/float-graph.js').FloatGraph} graph */
function convolutions({ nodes }) {
  return nodes.flatMap((node) => (node.op === 'conv' ? [node] : []));
}

/** Share of the 1×4 blocks that are zero. @param {import('../../web/src/graph/float-graph.js').Conv} conv */
function zeroShare({ weight, channels: [inputs, outputs], kernel }) {
  const taps = kernel[0] * kernel[1];
  let zeros = 0;
  for (let at = 0; at < weight.length; at += 4 * taps) {
    for (let tap = at; tap < at + taps; tap++) {
      zeros += Number([0, 1, 2, 3].every((lane) => weight[tap + lane * taps] === 0));
    }
  }
  return zeros / ((outputs * inputs * taps) / 4);
}

describe('a random network', () => {
  test('has as many parameters as the real one', () => {
    for (const [name, due] of Object.entries(PARAMETERS)) {
      const graph = randomGraph(name);
      const count = convolutions(graph).reduce(
        (sum, { weight, bias }) => sum + weight.filter(Boolean).length + (bias?.length ?? 0),
        0,
      ); // between a head's boxes and its classes are zeros
      assert.equal(count, due, name);
      assert.deepEqual(
        boxHeads(graph.heads).map(({ stride }) => stride),
        [8, 16, 32],
      );
    }
  });

  test('is the same for the same seed', () => {
    const [one, same, other] = [1, 1, 2].map((seed) => randomGraph('yolov5n', { seed }));
    assert.deepEqual(one, same);
    assert.notDeepEqual(convolutions(one)[0].weight, convolutions(other)[0].weight);
  });

  test('says what it could be instead', () => {
    assert.throws(() => randomGraph('yolov4'), {
      code: 'WISP_ERR_ARGUMENT',
      message:
        'There is no random network "yolov4"; there is yolov5n, yolov5s, yolov5m, yolov5l, yolov5x, yolov5nu, ' +
        'yolov5su, yolov5mu, yolov5lu, yolov5xu, yolov5n-seg, yolov5s-seg, yolov5m-seg, yolov5l-seg, yolov5x-seg, ' +
        'yolov8n, yolov8s, yolov8m, yolov8l, yolov8x, v5lite-e, v5lite-s, v5lite-c, v5lite-g, ultrafast.',
    });
    assert.throws(() => randomGraph('yolov5n', { size: 100 }), /multiples of 32, not 100 × 100/);
    assert.throws(() => zeroBlocks(randomGraph('yolov5n'), 1), /less than 1, not 1/);
  });

  test('has exactly the share of blocks zeroed, but not in the stem and the heads', () => {
    const dense = randomGraph('yolov5n');
    const before = structuredClone(dense);
    const sparse = zeroBlocks(dense, 0.75);
    assert.deepEqual(dense, before);
    const heads = new Set(sparse.heads.map(({ tensor }) => tensor));
    for (const conv of convolutions(sparse)) {
      const kept = conv.inputs[0] === 0 || heads.has(conv.output);
      assert.equal(zeroShare(conv), kept ? 0 : 0.75, conv.name);
    }
    assert.match(sparse.source.format, /75 % of the blocks zeroed at random, seed 1$/);
  });

  test('has that share of zeros in the file too, whose blocks lie within a tensor', async () => {
    const { bytes } = await pressRandom('v5lite-e', { sparsity: 0.5, size: 64, threads: 1 });
    const detector = await Detector.open(bytes, { threads: 1 });
    const { layers } = detector.info;
    await detector.close();
    const drawn = randomGraph('v5lite-e', { size: 64 });
    const [, , , first] = convolutions(drawn); // reads all of what the first unit's depthwise one gives
    assert.deepEqual([first.channels, first.groups], [[32, 60], 1]);
    const layer = layers[4];
    assert.deepEqual([layer.blocks, layer.blocksPresent], [480, 240]);
  });

  test('finds a handful of boxes once pressed, and says in the file what it is', async () => {
    const picture = drawScene(320, 180);
    const { bytes } = await pressRandom('yolov5n', {
      sparsity: 0.5,
      size: 160,
      picture,
      threads: 1,
    });
    const detector = await Detector.open(bytes, { threads: 1 });
    const { boxes } = await detector.detect(picture, { iou: 1, maxDetections: 30_000 });
    const { provenance, layers } = detector.info;
    await detector.close();
    assert.ok(boxes.length >= 5 && boxes.length <= 300, `${boxes.length} boxes`);
    assert.match(provenance.source.format, /^random weights in the shape of yolov5n/);
    assert.equal(provenance.purpose, 'for measuring speed; it finds nothing');
    assert.equal(layers[1].blocksPresent, layers[1].blocks / 2);
    assert.equal(layers[0].blocksPresent, layers[0].blocks);
  });
});

test('wisp press --random writes it, and reads no model', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wisp-random-'));
  const words = ['press', '--random', 'yolov5n', '--sparsity', '0.75', '--size', '64'];
  const made = await runWisp([...words, '-o', 'speed.wisp'], { cwd: folder });
  const both = await runWisp([...words, 'best.onnx'], { cwd: folder });
  const useless = await runWisp([...words, '--bits', '6'], { cwd: folder });
  const size = statSync(path.join(folder, 'speed.wisp'), { throwIfNoEntry: false })?.size ?? 0;
  rmSync(folder, { recursive: true });
  assert.match(made.stderr, /^speed\.wisp: \d+ kB of random weights; it finds nothing\n$/);
  assert.ok(size > 500_000 && size < 800_000, `${size} bytes`);
  assert.equal(both.code, 2);
  assert.match(both.stderr, /--random draws a network, so best\.onnx is not read/);
  assert.equal(useless.code, 2);
  assert.match(useless.stderr, /'--random <name>' cannot be used with option '--bits <n>'/);
});

/** Of each way to spell a part of a network. */
const KINDS = [
  ...['yolov5n', 'yolov5n-seg', 'yolov5nu', 'yolov8n'],
  ...['v5lite-e', 'v5lite-s', 'v5lite-c', 'v5lite-g', 'ultrafast'],
];

describe('the ONNX file for the peers', () => {
  for (const name of KINDS) {
    test(`of ${name} is the same network to the importer, heads and strides too`, () => {
      const graph = randomGraph(name, { size: { width: 96, height: 64 } });
      const read = importOnnx(writeOnnx(graph));
      assert.deepEqual(read.input, graph.input);
      assert.deepEqual(read.classes, graph.classes);
      assert.equal(read.nodes.length, graph.nodes.length);
      const told = (/** @type {import('../../web/src/graph/float-graph.js').FloatGraph} */ one) =>
        convolutions(one)
          .map(({ weight, bias, pad, stride, groups }) => ({ weight, bias, pad, stride, groups }))
          .sort((a, b) => a.weight[0] - b.weight[0]);
      assert.deepEqual(told(read), told(graph));
      for (const [i, { kind, stride, anchors, masks }] of read.heads.entries()) {
        assert.equal(kind, graph.heads[i].kind);
        assert.equal(stride, graph.heads[i].stride);
        assert.equal(masks, graph.heads[i].masks);
        anchors.flat().forEach((side, k) => {
          assert.ok(Math.abs(side - graph.heads[i].anchors.flat()[k]) < 1e-3);
        });
      }
    });
  }

  for (const name of ['yolov5nu', 'v5lite-e', 'v5lite-c']) {
    test(`of ${name} finds the same boxes`, async () => {
      const picture = drawScene(96, 64);
      const drawn = randomGraph(name, { size: { width: 96, height: 64 } });
      const all = { confidence: 0, iou: 1, maxDetections: 30_000 };
      const found = [];
      for (const graph of [drawn, importOnnx(writeOnnx(drawn))]) {
        const press = await Press.open(graph, { threads: 1 });
        found.push((await press.detect(picture, all)).boxes);
        await press.close();
      }
      const [due, read] = found;
      assert.ok(due.length > 100, `${due.length} boxes`);
      assert.equal(read.length, due.length);
      due.forEach(({ label, score, x, width }, i) => {
        assert.equal(read[i].label, label);
        for (const [a, b] of [
          [score, read[i].score],
          [x, read[i].x],
          [width, read[i].width],
        ])
          assert.ok(Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(b)), `box ${i}: ${a}, ${b}`);
      });
    });
  }
});

test('the .tflite files for the peers tell how they are quantised', () => {
  const graph = randomGraph('yolov5n', { size: 64 });
  const [real, integer] = [false, true].map((quantised) =>
    writeTflite(graph, flatbuffers, { quantised }),
  );
  for (const bytes of [real, integer]) {
    assert.equal(Buffer.from(bytes.subarray(4, 8)).toString(), 'TFL3');
  }
  assert.deepEqual(readScales(real, flatbuffers), { input: null, output: null });
  const { input, output } = readScales(integer, flatbuffers);
  assert.deepEqual([input?.scale, input?.zero, output], [Math.fround(1 / 255), 0, null]);
  assert.throws(() => readScales(new Uint8Array(64), flatbuffers), /this is no \.tflite file/);
  assert.ok(integer.length < 0.65 * real.length, `${integer.length} of ${real.length} bytes`);
});

test('no .tflite file is written of what the writer has no operator for', () => {
  const refusals = /** @type {const} */ ([
    ['yolov5nu', /with heads without anchors; give its own file/],
    ['yolov5n-seg', /with masks; give its own file/],
    ['v5lite-c', /with (depthwise convolutions|hardswish); give its own file/],
  ]);
  for (const [name, sentence] of refusals)
    assert.throws(() => writeTflite(randomGraph(name, { size: 64 }), flatbuffers), sentence);
});

test('random numbers are spread as they should be', () => {
  const numbers = new RandomNumbers(3);
  const values = Array.from({ length: 20_000 }, () => numbers.normal());
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length - mean ** 2;
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05, `${mean}, ${variance}`);
  const shares = Array.from({ length: 20_000 }, () => numbers.uniform());
  assert.ok(shares.every((value) => value >= 0 && value < 1));
});
