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
import { randomGraph } from '../../web/src/graph/random-graph.js';
import { RandomNumbers } from '../../web/src/graph/random-numbers.js';
import { importOnnx } from '../../web/src/import/onnx.js';
import { Detector } from '../../web/src/index.js';
import { drawScene } from '../../web/src/picture/scene.js';
import { pressRandom } from '../../web/src/pressing/random-press.js';
import { runWisp } from '../cli/command.js';

/** As the table of the YOLOv5 family gives them, in units. */
const PARAMETERS = { yolov5n: 1_867_405, yolov5s: 7_225_885 };

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
        (sum, { weight, bias }) => sum + weight.length + (bias?.length ?? 0),
        0,
      );
      assert.equal(count, due, name);
      assert.deepEqual(
        graph.heads.map(({ stride }) => stride),
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
        'There is no random network "yolov4"; there is yolov5n, yolov5s, yolov5m, yolov5l, yolov5x.',
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

describe('the ONNX file for the peers', () => {
  test('is the same network to the importer, anchors and strides too', () => {
    const graph = randomGraph('yolov5n', { size: { width: 96, height: 64 } });
    const read = importOnnx(writeOnnx(graph));
    assert.deepEqual(read.input, graph.input);
    assert.deepEqual(read.classes, graph.classes);
    assert.equal(read.nodes.length, graph.nodes.length);
    assert.deepEqual(
      convolutions(read).map(({ weight, bias, pad, stride }) => ({ weight, bias, pad, stride })),
      convolutions(graph).map(({ weight, bias, pad, stride }) => ({ weight, bias, pad, stride })),
    );
    for (const [i, { stride, anchors }] of read.heads.entries()) {
      assert.equal(stride, graph.heads[i].stride);
      anchors.flat().forEach((side, k) => {
        assert.ok(Math.abs(side - graph.heads[i].anchors.flat()[k]) < 1e-3);
      });
    }
  });
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

test('random numbers are spread as they should be', () => {
  const numbers = new RandomNumbers(3);
  const values = Array.from({ length: 20_000 }, () => numbers.normal());
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length - mean ** 2;
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05, `${mean}, ${variance}`);
  const shares = Array.from({ length: 20_000 }, () => numbers.uniform());
  assert.ok(shares.every((value) => value >= 0 && value < 1));
});
