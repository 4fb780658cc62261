// ONNX files as tools leave them: in another order, in two files, quantised, without decoding, with more behind it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { filesBeside, importOnnx } from '../../web/src/import/onnx.js';
import { importFrom } from '../../web/src/pressing/press-source.js';
import { makeRandom } from '../support/fixtures.js';
import { FLOAT } from '../support/onnx-builder.js';
import { QUANTISERS, quantisedYolo } from '../support/quantised-yolo.js';
import { dataPath, without } from '../support/test-data.js';
import { tinyAnchorFree } from '../support/tiny-anchor-free.js';
import { ANCHORS, tinyYolo, tinyYoloBuilder } from '../support/tiny-yolo.js';

/**
 * @typedef {import('../support/onnx-builder.js').OnnxBuilder} OnnxBuilder
 * @typedef {import('../support/onnx-builder.js').Node} Node
 * @typedef {import('../../web/src/graph/float-graph.js').FloatGraph} FloatGraph
 */

const plain = importOnnx(tinyYolo());

/** What doesn't depend on what nodes are called. @param {FloatGraph} graph */
const shapeOf = ({ nodes, heads, input, classes }) => ({
  nodes: nodes.map(({ op, inputs, output }) => ({ op, inputs, output })),
  heads,
  input,
  classes,
});

/** @param {string} name @param {ArrayLike<number>} bytes */
const fileOf = (name, bytes) => new File([Uint8Array.from(bytes)], name);

/** @param {() => unknown} act @param {string} code @param {RegExp} sentence */
const refuses = (act, code, sentence) => assert.throws(act, { code, message: sentence });

test('nodes may stand in any order, and give the same graph', () => {
  const random = makeRandom(5);
  const b = tinyYoloBuilder();
  b.nodes = b.nodes
    .map((node) => ({ node, place: random() }))
    .sort((x, y) => x.place - y.place)
    .map(({ node }) => node);
  assert.deepEqual(importOnnx(b.finish()), plain);
});

test('nodes that wait for each other are refused', () => {
  const b = tinyYoloBuilder();
  const [first, second] = b.nodes.filter(({ op }) => op === 'Sigmoid');
  first.inputs = second.outputs;
  refuses(() => importOnnx(b.finish()), 'WISP_ERR_FORMAT', /wait for each other/);
});

/** @param {Pick<FloatGraph, 'facts'>} graph @param {string} name */
const factOf = ({ facts }, name) => new Map(facts).get(name) ?? '';

test('a grid of cells that was built in tells the size that was left open', () => {
  assert.deepEqual(importOnnx(tinyYolo({ open: true, size: 96 })).input, { height: 96, width: 96 });
});

for (const finest of /** @type {const} */ ([4, 16]))
  test(`also where the finest of its scales has stride ${finest}`, () => {
    const { input, heads } = importOnnx(tinyYolo({ open: true, size: 192, finest }));
    assert.deepEqual(input, { height: 192, width: 192 });
    assert.deepEqual(
      heads.map(({ stride }) => stride),
      [finest, 2 * finest, 4 * finest],
    );
  });

test('a part of a shape may be asked for', () => {
  const b = tinyYoloBuilder();
  for (const node of b.nodes.filter(({ op }) => op === 'Transpose')) {
    const [x] = node.inputs;
    const size = b.node('Shape', [x], { start: 0, end: 4 });
    const added = b.nodes.pop();
    const front = b.node('Shape', [size]); // of a constant
    const last = b.nodes.pop();
    const whole = b.node('Concat', [
      size,
      b.node('Slice', [front, b.integers([9]), b.integers([9])]),
    ]);
    const [cut, joined] = b.nodes.splice(-2);
    joined.attributes.axis = 0;
    const rest = b.node('Shape', [x], { start: 4 });
    const end = b.nodes.pop();
    joined.inputs.push(rest);
    const same = b.node('Reshape', [x, whole]);
    const reshape = b.nodes.pop();
    node.inputs = [same];
    for (const one of [added, last, cut, end, joined, reshape])
      b.nodes.push(/** @type {Node} */ (one));
  }
  assert.deepEqual(shapeOf(importOnnx(b.finish())), shapeOf(plain));
});

test("the lists of tensors of torch's exporter are read", () => {
  const b = tinyYoloBuilder({ opset: 17 });
  b.nodes = b.nodes.flatMap((node) => {
    if (node.op !== 'Split') return [node];
    const list = `${node.outputs[0]} list`;
    const parts = node.outputs.map((output, i) => ({
      op: 'SequenceAt',
      inputs: [list, b.integers([i], [])],
      outputs: [output],
      attributes: {},
    }));
    return [{ ...node, op: 'SplitToSequence', outputs: [list] }, ...parts];
  });
  assert.deepEqual(shapeOf(importOnnx(b.finish())), shapeOf(plain));
});

test('what picks boxes behind the decoding is left out', () => {
  const b = tinyYoloBuilder();
  const [boxes] = b.outputs;
  const corners = b.node('Slice', [boxes, b.integers([0]), b.integers([4]), b.integers([2])]);
  const scores = b.node('ReduceMax', [boxes], { axes: [2] });
  b.outputs = [b.node('NonMaxSuppression', [corners, scores])];
  const { facts, ...graph } = importOnnx(b.finish());
  const { facts: _, ...due } = plain;
  assert.deepEqual(graph, due);
  assert.match(factOf({ facts }, 'left out'), /decoding of boxes.*NonMaxSuppression/);
});

test('what was understood of a file is told', () => {
  assert.deepEqual(plain.facts, [
    ['family', 'YOLOv5 or YOLOv5-Lite'],
    ['head', '3 scales, strides 8, 16, 32, 3 anchors each'],
    ['size', 'as exported; --size takes another'],
    ['left out', 'the decoding of boxes: wisp does it itself'],
  ]);
  const open = importOnnx(tinyYolo({ dynamic: true }));
  assert.match(factOf(open, 'size'), /left open/);
  const free = importOnnx(tinyAnchorFree());
  assert.match(factOf(free, 'family'), /^YOLOv5u or YOLOv8$/);
  assert.match(factOf(free, 'head'), /no anchors$/);
  assert.equal(factOf(importOnnx(tinyYolo({ raw: true })), 'left out'), '');
});

/* ---- weights in another file ---- */

/** The large constants of a network in files of their own. @param {(name: string) => string} place */
function apart(place) {
  const b = tinyYoloBuilder();
  /** @type {Record<string, number[]>} */
  const files = {};
  for (const [name, constant] of b.initializers) {
    if (constant.type !== FLOAT || constant.values.length < 50) continue;
    const location = place(name);
    files[location] ??= [];
    const bytes = new Uint8Array(Float32Array.from(constant.values).buffer);
    constant.outside = { location, offset: files[location].length, length: bytes.length };
    files[location].push(...bytes);
  }
  return { bytes: b.finish(), files };
}

test('weights beside the file are found, in one file or many', async () => {
  for (const place of [() => 'best.onnx.data', (/** @type {string} */ name) => `${name}.bin`]) {
    const { bytes, files } = apart(place);
    assert.deepEqual(filesBeside(bytes), Object.keys(files));
    const folder = mkdtempSync(path.join(tmpdir(), 'wisp-beside-'));
    try {
      writeFileSync(path.join(folder, 'best.onnx'), bytes);
      for (const [name, data] of Object.entries(files))
        writeFileSync(path.join(folder, name), Uint8Array.from(data));
      const { graph } = await importFrom(path.join(folder, 'best.onnx'), {});
      assert.deepEqual(graph, plain);
    } finally {
      rmSync(folder, { recursive: true });
    }
    const beside = Object.entries(files).map(([name, data]) => fileOf(name, data));
    const { graph } = await importFrom(fileOf('best.onnx', bytes), { beside });
    assert.deepEqual(graph, plain);
  }
});

test('a missing, short or distant file of weights is named', async () => {
  const { bytes, files } = apart(() => 'best.onnx.data');
  const alone = importFrom(fileOf('best.onnx', bytes), {});
  await assert.rejects(alone, {
    code: 'WISP_ERR_FETCH',
    message:
      /best\.onnx keeps its weights in a second file, best\.onnx\.data .*option beside.*one\.onnx/,
  });
  const short = fileOf('best.onnx.data', files['best.onnx.data'].slice(0, 999));
  await assert.rejects(importFrom(fileOf('best.onnx', bytes), { beside: [short] }), {
    code: 'WISP_ERR_TRUNCATED',
    message: /of "best\.onnx\.data", which has 999/,
  });
  for (const place of ['../best.data', '/etc/best.data', 'http://best.example/data', '..', '']) {
    const outside = importFrom(fileOf('best.onnx', apart(() => place).bytes), {});
    await assert.rejects(outside, {
      code: 'WISP_ERR_UNSUPPORTED',
      message: /no file in the same folder/,
    });
  }
});

/* ---- without decoding ---- */

/** @type {Record<string, (b: OnnxBuilder, logits: string[], sides: number[]) => string[]>} */
const UNDECODED = {
  'the convolutions themselves': (_, logits) => logits,
  'in reverse': (_, logits) => logits.toReversed(),
  'their sigmoids': (b, logits) => logits.map((x) => b.node('Sigmoid', [x])),
  'by anchors and cells': (b, logits, sides) => logits.map((x, i) => byBoxes(b, x, sides[i])),
  'all in one': (b, logits, sides) => {
    const flat = logits.map((x, i) =>
      b.node('Reshape', [byBoxes(b, x, sides[i]), b.integers([1, -1, 7])]),
    );
    return [b.node('Concat', flat, { axis: 1 })];
  },
};

/** @param {OnnxBuilder} b @param {string} x @param {number} side */
function byBoxes(b, x, side) {
  const split = b.node('Reshape', [x, b.integers([1, 3, 7, side, side])]);
  return b.node('Transpose', [split], { perm: [0, 1, 3, 4, 2] });
}

for (const [name, arrange] of Object.entries(UNDECODED))
  test(`heads that are not decoded get YOLOv5's anchors, or those named: ${name}`, () => {
    const b = tinyYoloBuilder({ raw: true });
    b.outputs = arrange(b, b.outputs, [8, 4, 2]);
    const { remarks, heads, ...rest } = importOnnx(b.finish());
    const { remarks: _, heads: due, ...same } = plain;
    const place = (/** @type {FloatGraph['heads']} */ list) =>
      list.map(({ stride, anchors }) => ({ stride, anchors }));
    assert.deepEqual(place(heads), place(due));
    assert.equal(rest.nodes.length, same.nodes.length);
    assert.match(remarks?.join() ?? '', /doesn't decode .* 10,13,16,30,33,23 30,61,.*\(--anchors/);
    const anchors = ANCHORS.map((list) => list.flat().map((size) => size / 2));
    const own = importOnnx(b.finish(), { anchors });
    assert.deepEqual(own.remarks, []);
    assert.deepEqual(
      own.heads.map((head) => head.anchors.flat()),
      anchors,
    );
  });

test('outputs that only resemble heads are refused', () => {
  const b = tinyYoloBuilder({ raw: true });
  b.outputs = b.outputs.map((x) => b.node('Exp', [x]));
  refuses(() => importOnnx(b.finish()), 'WISP_ERR_UNSUPPORTED', /no boxes as YOLOv5 decodes them/);
  const two = tinyYoloBuilder({ raw: true });
  refuses(
    () => importOnnx(two.finish(), { anchors: [[1, 2]] }),
    'WISP_ERR_UNSUPPORTED',
    /no boxes as YOLOv5 decodes them/,
  );
});

test('anchors that are none are refused', async () => {
  for (const anchors of [[[1, 2, 3]], [[]], [[1, -2]], [[1, NaN]]])
    await assert.rejects(importFrom(fileOf('best.onnx', tinyYolo()), { anchors }), {
      code: 'WISP_ERR_ARGUMENT',
      message: /lists of widths and heights/,
    });
});

/* ---- quantised ---- */

for (const name of Object.keys(QUANTISERS))
  test(`weights of a quantised file become real numbers again: ${name}`, () => {
    const graph = importOnnx(quantisedYolo(name, { opset: 13 }).finish());
    assert.deepEqual(shapeOf(graph), shapeOf(importOnnx(tinyYolo({ opset: 13 }))));
    assert.match(graph.remarks?.join() ?? '', /quantised already/);
    for (const [i, node] of graph.nodes.entries()) {
      const due = plain.nodes[i];
      if (node.op !== 'conv' || due.op !== 'conv') continue;
      const step = due.weight.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / 127;
      node.weight.forEach((w, k) => assert.ok(Math.abs(w - due.weight[k]) <= step * 0.51));
      node.bias?.forEach((v, k) =>
        assert.ok(Math.abs(v - (due.bias?.[k] ?? 0)) <= 0.03 * step + 1e-3),
      );
      assert.equal(node.bias?.length, due.bias?.length);
    }
  });

test('boxes that were rounded so far that no score is left are told', () => {
  const remarks = [0.1, 2.5].map((step) => {
    const b = quantisedYolo('QDQ', { opset: 13 });
    const [scale, zero] = [b.reals([step], []), b.byte(0)];
    const bytes = b.node('QuantizeLinear', [b.outputs[0], scale, zero]);
    b.outputs = [b.node('DequantizeLinear', [bytes, scale, zero])];
    return importOnnx(b.finish()).remarks ?? [];
  });
  assert.equal(remarks[0].length, 1);
  assert.match(remarks[1].join(), /boxes were rounded too, to steps of 2\.5, .*every score is 0/);
});

test("anchors that a quantiser has rounded are YOLOv5's own, or whole pixels", () => {
  for (const scale of [1, 0.5]) {
    const due = ANCHORS.map((list) =>
      list.map(([w, h]) => /** @type {[number, number]} */ ([w * scale, h * scale])),
    );
    const b = quantisedYolo('QDQ', { opset: 13, anchors: due });
    for (const { dims, values } of b.initializers.values())
      if (dims.length === 5 && dims[1] === 3 && dims[2] === 1) {
        const step = Math.max(...values) / 127;
        values.forEach((size, i) => (values[i] = Math.round(size / step) * step));
      }
    const found = importOnnx(b.finish()).heads.map((head) => head.anchors);
    if (scale === 1) assert.deepEqual(found, ANCHORS);
    else
      found
        .flat(2)
        .forEach((size, i) => assert.ok(Math.abs(size - due.flat(2)[i]) <= 2, `${size}`));
  }
});

const EXPORTS = ['d_dynamo', 'lite_e_end2end', 'q_dynamic_u8', 'q_static_default', 'q_static_qop'];
for (const name of EXPORTS)
  test(`${name}.onnx imports`, { skip: without(`exports/${name}.onnx`) }, async () => {
    const { graph } = await importFrom(dataPath(`exports/${name}.onnx`), {});
    assert.deepEqual(
      graph.heads.map((head) => head.anchors),
      ANCHORS,
    );
    const remarks = name.startsWith('q_static') ? 2 : name.startsWith('q_') ? 1 : 0;
    assert.equal(graph.remarks?.length, remarks);
  });
