// TFLite files to float graphs: in real numbers and integers, decoded in pixels and in shares, and what is refused.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as flatbuffers from 'flatbuffers';
import { writeTflite } from '../../bench/peers/tflite/file.js';
import { TfliteWriter } from '../../bench/peers/tflite/writer.js';
import { randomGraph } from '../../web/src/graph/random-graph.js';
import { importOnnx } from '../../web/src/import/onnx.js';
import { importTflite } from '../../web/src/import/tflite.js';
import { requireSound } from '../support/sound-graph.js';
import { dataPath, without } from '../support/test-data.js';
import { tinyTflite } from '../support/tiny-tflite.js';
import { ANCHORS } from '../support/tiny-yolo.js';

/** @typedef {import('../../web/src/graph/float-graph.js').FloatGraph} FloatGraph */

/** Which nodes read which, as text. @param {FloatGraph} graph */
function shapeOf({ nodes }) {
  const places = new Map(nodes.map(({ output }, place) => [output, place]));
  return nodes.map(({ op, inputs }) => `${op}(${inputs.map((id) => places.get(id))})`).join(' ');
}

/**
 * The largest difference of two networks' weights, as a share of the largest weight of a convolution.
 * @param {FloatGraph} graph @param {FloatGraph} due
 */
function difference(graph, due) {
  assert.ok(shapeOf(graph) === shapeOf(due), shapeOf(graph));
  let most = 0;
  for (const [i, node] of graph.nodes.entries()) {
    const other = due.nodes[i];
    if (node.op !== 'conv' || other.op !== 'conv') continue;
    for (const key of /** @type {const} */ (['pad', 'stride', 'kernel', 'groups']))
      assert.deepEqual(node[key], other[key], node.name);
    const largest = other.weight.reduce((max, w) => Math.max(max, Math.abs(w)), 0);
    node.weight.forEach((w, k) => (most = Math.max(most, Math.abs(w - other.weight[k]) / largest)));
    assert.equal(node.bias?.length, other.bias?.length);
  }
  return most;
}

const graph = randomGraph('yolov5n', { size: 64 });

for (const [quantised, most] of /** @type {[boolean, number][]} */ ([
  [false, 2 ** -10],
  [true, 0.51 / 127],
]))
  test(`a network with weights in ${quantised ? 'integers, a scale a channel' : '16 bits'} imports`, () => {
    const read = importTflite(writeTflite(graph, flatbuffers, { quantised }));
    requireSound(read);
    assert.ok(difference(read, graph) <= most);
    assert.deepEqual(read.input, graph.input);
    assert.equal(read.classes.length, graph.classes.length);
    assert.deepEqual(read.source, { format: 'TFLite', producer: 'wisp bench' });
    assert.equal(read.remarks?.length, Number(quantised));
    for (const [i, { stride, anchors }] of read.heads.entries()) {
      assert.equal(stride, graph.heads[i].stride);
      anchors.flat().forEach((side, k) => {
        assert.ok(Math.abs(side - graph.heads[i].anchors.flat()[k]) <= (quantised ? 0.5 : 1e-3));
      });
    }
  });

test("boxes in shares of the picture, anchors in either order: YOLOv5's anchors and strides", () => {
  for (const byAnchor of [false, true]) {
    const { heads, classes } = importTflite(tinyTflite({ byAnchor }));
    assert.deepEqual(
      heads.map(({ anchors }) => anchors),
      ANCHORS,
    );
    assert.deepEqual(
      heads.map(({ stride }) => stride),
      [8, 16, 32],
    );
    assert.deepEqual(classes, ['class0', 'class1']);
  }
});

test('and where all numbers have 16 bits, of which no share of a picture is exact', () => {
  const { heads } = importTflite(tinyTflite({ half: true, size: 96 }));
  const found = heads.map(({ anchors, stride }) => ({ anchors, stride }));
  const due = ANCHORS.map((anchors, i) => ({ anchors, stride: 8 << i }));
  assert.deepEqual(found, due);
});

test('classes are named by the metadata behind the file, a dict, a list or JSON', () => {
  const texts = {
    'meta.txt': "{'stride': 32, 'names': {0: 'cat', 1: \"dog's\"}}",
    'temp_meta.txt': "{'stride': 32, 'names': ['cat', \"dog's\"]}",
    'metadata.json': '{"stride": 32, "names": {"0": "cat", "1": "dog\'s"}, "batch": 1}',
  };
  for (const [named, text] of Object.entries(texts))
    assert.deepEqual(importTflite(tinyTflite({ named, text })).classes, ['cat', "dog's"], named);
  const other = tinyTflite({ named: 'labels.txt', text: 'cat\ndog' });
  assert.deepEqual(importTflite(other).classes, ['class0', 'class1']);
});

/** A file of one operator. @param {(writer: TfliteWriter, picture: number) => number} write */
function fileOf(write, shape = [1, 64, 64, 3]) {
  const writer = new TfliteWriter(flatbuffers);
  const picture = writer.tensor('float', shape);
  return writer.finish(picture, write(writer, picture));
}

test('what is no YOLOv5 is refused where it differs', () => {
  const unsupported = (/** @type {Uint8Array} */ bytes, /** @type {RegExp} */ message) =>
    assert.throws(() => importTflite(bytes), { code: 'WISP_ERR_UNSUPPORTED', message });
  unsupported(
    tinyTflite({ wrong: true }),
    /16 pixels apart on 8×8 cells, which doesn't fill the 64×64 input/,
  );
  const copy = (/** @type {TfliteWriter} */ w, /** @type {number} */ x) =>
    w.operator('sigmoid', [x], w.tensor('float', [1, 64, 64, 3]), { isInt8: false });
  unsupported(fileOf(copy), /No output comes from a convolution/);
  unsupported(
    fileOf(copy, [1, 3, 64, 64]),
    /Input "t0" is 1×3×64×64; a YOLOv5 in TFLite reads 1×height×width×3/,
  );
});

test('a Buffer is read as other bytes are', () => {
  const { heads } = importTflite(Buffer.from(tinyTflite()));
  assert.equal(heads.length, 3);
});

test('a damaged or cut file is refused with a code, wherever it is', () => {
  const file = tinyTflite();
  for (let end = 0; end < file.length; end += 97)
    assert.throws(
      () => importTflite(file.slice(0, end)),
      /** @param {any} error */ (error) => {
        assert.match(error.code ?? String(error), /^WISP_ERR_/);
        return true;
      },
    );
});

test('the official YOLOv5n in integers has the weights of its ONNX file, by half a step', {
  skip: without('models/yolov5n-int8.tflite'),
}, () => {
  const read = importTflite(readFileSync(dataPath('models/yolov5n-int8.tflite')));
  const due = importOnnx(readFileSync(dataPath('models/yolov5n_640.onnx')));
  assert.ok(difference(read, due) <= 0.51 / 127);
  assert.deepEqual(read.heads, due.heads);
});
