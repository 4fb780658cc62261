// The ONNX importer: every spelling of a YOLOv5 gives the same graph, everything else its own sentence.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { writeOnnx } from '../../web/src/export/onnx-graph.js';
import { classNames } from '../../web/src/import/class-names.js';
import { importOnnx } from '../../web/src/import/onnx.js';
import { makeRandom } from '../support/fixtures.js';
import { toHalf } from '../support/onnx-builder.js';
import { dataPath, without } from '../support/test-data.js';
import { ANCHORS, conv, tinyYolo, tinyYoloBuilder } from '../support/tiny-yolo.js';

/** @typedef {import('../../web/src/graph/float-graph.js').FloatGraph} FloatGraph */

/** How often each operation occurs. @param {FloatGraph} graph */
function operations(graph) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { op } of graph.nodes) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}

const TINY = { conv: 11, silu: 8, add: 1, maxpool: 2, concat: 2, upsample: 1 };
const STRIDES = [8, 16, 32];

for (const options of [
  {},
  { opset: 11 },
  { opset: 13 },
  { opset: 17 },
  { half: true },
  { dynamic: true },
  { dynamic: true, opset: 11 },
  { dynamic: true, half: true, opset: 17 },
  { scatter: true, opset: 11 },
  { size: 96, classes: 1 },
]) {
  test(`a tiny YOLOv5 exported with ${JSON.stringify(options)} imports`, () => {
    const graph = importOnnx(tinyYolo(options));
    assert.deepEqual(operations(graph), TINY);
    assert.deepEqual(
      graph.heads.map((head) => head.anchors),
      ANCHORS,
    );
    assert.deepEqual(
      graph.heads.map((head) => head.stride),
      STRIDES,
    );
    const side = options.dynamic ? 640 : (options.size ?? 64);
    assert.deepEqual(graph.input, { height: side, width: side });
    assert.equal(graph.classes.length, options.classes ?? 2);
    for (const { tensor } of graph.heads) {
      const last = graph.nodes.find(({ output }) => output === tensor);
      assert.ok(last?.op === 'conv' && last.channels[1] === 3 * (5 + graph.classes.length));
    }
  });
}

test("v5.0's Focus, batch norm and every activation import", () => {
  assert.equal(operations(importOnnx(tinyYolo({ focus: true }))).focus, 1);
  assert.equal(operations(importOnnx(tinyYolo({ batchNorm: true }))).affine, 8);
  const same = /** @type {const} */ ([
    ['relu', 'relu'],
    ['leaky', 'leaky'],
    ['hardswish', 'hardswish'],
    ['hardsigmoid', 'hardswish'],
    ['clip', 'hardswish'],
    ['clipFirst', 'hardswish'],
  ]);
  for (const [activation, op] of same) {
    const { [op]: count, ...others } = operations(importOnnx(tinyYolo({ activation })));
    assert.equal(count, 8, activation);
    const { silu: _, ...rest } = TINY;
    assert.deepEqual(others, rest, activation);
  }
});

test('squeeze-and-excitation imports in every spelling', () => {
  const plain = operations(importOnnx(tinyYolo()));
  const gates = /** @type {const} */ (['hardsigmoid', 'divided', 'multiplied', 'sigmoid', 'silu']);
  const means = /** @type {const} */ (['GlobalAveragePool', 'AveragePool', 'ReduceMean']);
  for (const gate of gates) {
    for (const [i, mean] of means.entries()) {
      const opset = [11, 12, 18][i];
      const { nodes } = importOnnx(tinyYolo({ squeeze: { mean, gate }, opset }));
      const name = gate === 'silu' || gate === 'sigmoid' ? gate : 'hardsigmoid';
      const wanted = { ...plain, average: 1, scale: 1, relu: 1, conv: plain.conv + 2 };
      const { [name]: shares = 0 } = /** @type {Record<string, number>} */ (plain);
      const found = operations(/** @type {any} */ ({ nodes }));
      assert.deepEqual(found, { ...wanted, [name]: shares + 1 }, `${gate}, ${mean}`);
      const scale = nodes.find((node) => node.op === 'scale');
      const read = scale?.inputs.map((id) => nodes.find(({ output }) => output === id)?.op);
      assert.deepEqual(read, ['silu', name]);
    }
  }
});

test('what is exported imports again: squeeze-and-excitation, activations', () => {
  const squeeze = /** @type {const} */ ({ mean: 'GlobalAveragePool', gate: 'hardsigmoid' });
  for (const activation of /** @type {const} */ (['silu', 'relu', 'leaky', 'hardswish'])) {
    const graph = importOnnx(tinyYolo({ squeeze, activation }));
    assert.deepEqual(operations(importOnnx(writeOnnx(graph))), operations(graph), activation);
  }
});

test('nodes come in execution order, each tensor written once before it is read', () => {
  const graph = importOnnx(tinyYolo({ focus: true, batchNorm: true }));
  const written = new Set([0]);
  for (const { name, inputs, output } of graph.nodes) {
    for (const id of inputs) assert.ok(written.has(id), `${name} reads ${id}`);
    assert.ok(!written.has(output), name);
    written.add(output);
  }
});

test('anchors and strides are those of the graph, not the usual ones', () => {
  const anchors = ANCHORS.map((scale) =>
    scale.map(([w, h]) => /** @type {[number, number]} */ ([w * 1.5, h + 0.25])),
  );
  assert.deepEqual(
    importOnnx(tinyYolo({ anchors })).heads.map((head) => head.anchors),
    anchors,
  );
});

test('an anchor without an extent is refused', () => {
  for (const side of [0, -61, NaN, Infinity]) {
    const anchors = structuredClone(ANCHORS);
    anchors[1][0][1] = side;
    assert.throws(() => importOnnx(tinyYolo({ anchors })), {
      code: 'WISP_ERR_UNSUPPORTED',
      message: new RegExp(`an anchor of 30×${side} pixels`),
    });
  }
});

test('half-precision weights keep their values', () => {
  const values = [0, 1, -1, 0.5, 65504, -6.103515625e-5, 1 / 3, 5.9604644775390625e-8];
  const bits = [0, 0x3c00, 0xbc00, 0x3800, 0x7bff, 0x8400, 0x3555, 0x0001];
  assert.deepEqual(values.slice(0, 7).map(toHalf), bits.slice(0, 7));
  const [full, half] = [{}, { half: true }].map((options) => importOnnx(tinyYolo(options)));
  full.nodes.forEach((node, index) => {
    const other = half.nodes[index];
    if (node.op !== 'conv' || other.op !== 'conv') return;
    node.weight.forEach((value, i) => {
      assert.ok(Math.abs(value - other.weight[i]) <= Math.abs(value) / 2048 + 1e-7);
    });
  });
});

test('class names come from a Python dict, a list or JSON, else from their numbers', () => {
  assert.deepEqual(classNames("{0: 'person', 1: \"driver's cab\"}", 2), ['person', "driver's cab"]);
  assert.deepEqual(classNames("['a', 'b\\'c', 'd\\u00e9']", 3), ['a', "b'c", 'dé']);
  assert.deepEqual(classNames('{"0": "x", "1": "y"}', 2), ['x', 'y']);
  assert.deepEqual(classNames('["x", "y"]', 3), ['x', 'y', 'class2']);
  assert.deepEqual(classNames(undefined, 2), ['class0', 'class1']);
  const names = "{0: 'fox', 1: 'owl'}";
  assert.deepEqual(importOnnx(tinyYolo({ names })).classes, ['fox', 'owl']);
});

/** @param {() => unknown} act @param {string} code @param {RegExp} sentence */
function refuses(act, code, sentence) {
  assert.throws(act, (/** @type {any} */ error) => {
    assert.equal(error.code, code, error.stack);
    assert.match(error.message, sentence);
    return true;
  });
}

test('what only begins as an ONNX model is damaged', () => {
  for (const size of [0, 100])
    refuses(
      () => importOnnx(new Uint8Array(size)),
      'WISP_ERR_FORMAT',
      new RegExp(`${size} bytes are not an ONNX model`),
    );
});

test('a truncated file is called truncated, wherever it ends', () => {
  const bytes = tinyYolo();
  for (let size = 64; size < bytes.length; size += 251) {
    assert.throws(
      () => importOnnx(bytes.subarray(0, size)),
      (/** @type {any} */ error) => /WISP_ERR_(TRUNCATED|FORMAT)/.test(error.code),
    );
  }
  const half = bytes.subarray(0, bytes.length / 2);
  refuses(() => importOnnx(half), 'WISP_ERR_TRUNCATED', /ends early: it has \d+ bytes/);
});

test('weights that are no finite numbers are refused', () => {
  for (const value of [NaN, Infinity]) {
    const model = tinyYoloBuilder();
    const weight = [...model.initializers.values()][0];
    weight.values[7] = value;
    refuses(
      () => importOnnx(model.finish()),
      'WISP_ERR_FORMAT',
      /Conv_\d+" \(Conv\) has (NaN|Infinity) as number 7/,
    );
  }
});

test('an operation that wisp does not know is named with its node', () => {
  const UNSUPPORTED = 'WISP_ERR_UNSUPPORTED';
  const model = tinyYoloBuilder();
  const relu = model.nodes.findIndex(({ op }) => op === 'Mul');
  model.nodes[relu] = { ...model.nodes[relu], op: 'Softmax' };
  refuses(() => importOnnx(model.finish()), UNSUPPORTED, /Node "Mul_\d+" \(Softmax\)/);
  const pooled = tinyYoloBuilder();
  for (const node of pooled.nodes) if (node.op === 'MaxPool') node.attributes.ceil_mode = 1;
  refuses(() => importOnnx(pooled.finish()), UNSUPPORTED, /\(MaxPool\) rounds its size up/);
  const resized = tinyYoloBuilder();
  for (const node of resized.nodes) if (node.op === 'Resize') node.attributes.mode = 'linear';
  refuses(() => importOnnx(resized.finish()), UNSUPPORTED, /\(Resize\) interpolates \(linear\)/);
});

test('a network that is no YOLOv5 is refused where it differs', () => {
  const UNSUPPORTED = 'WISP_ERR_UNSUPPORTED';
  const changed = tinyYoloBuilder();
  const power = changed.nodes.findIndex(({ op }) => op === 'Pow');
  changed.nodes[power] = { ...changed.nodes[power], op: 'Mul' };
  refuses(() => importOnnx(changed.finish()), UNSUPPORTED, /doesn't decode boxes as YOLOv5 does/);
  const classifier = tinyYoloBuilder({ raw: true });
  classifier.outputs = [classifier.node('GlobalAveragePool', classifier.outputs.slice(0, 1))];
  refuses(() => importOnnx(classifier.finish()), UNSUPPORTED, /\(GlobalAveragePool\)/);
  const grey = tinyYoloBuilder();
  grey.inputs[0].dims[1] = 1;
  refuses(() => importOnnx(grey.finish()), UNSUPPORTED, /1×1×64×64/);
  const twice = tinyYoloBuilder();
  twice.inputs.push({ ...twice.inputs[0], name: 'more' });
  refuses(() => importOnnx(twice.finish()), UNSUPPORTED, /has 2 inputs/);
  const bytes = tinyYoloBuilder();
  bytes.inputs[0].type = 2;
  refuses(() => importOnnx(bytes.finish()), UNSUPPORTED, /data type 2/);
});

test('weights that contradict their shape are refused', () => {
  const model = tinyYoloBuilder({ raw: true });
  model.outputs = [conv(model, model.outputs[0], 5, 21, 1, 1)];
  refuses(() => importOnnx(model.finish()), 'WISP_ERR_FORMAT', /weights 21×5×1×1 for 21 channels/);
});

test('damaged files give an error with a code, never another one', () => {
  const seed = Date.now() % 1e6;
  const random = makeRandom(seed);
  const models = [tinyYolo(), tinyYolo({ focus: true, scatter: true, half: true })];
  for (let i = 0; i < 150; i++) {
    const bytes = models[i % 2].slice();
    for (let k = 0; k < 3; k++) bytes[Math.floor(random() * bytes.length)] = random() * 256;
    try {
      importOnnx(bytes);
    } catch (error) {
      const { code, stack } = /** @type {any} */ (error);
      assert.match(String(code), /^WISP_ERR_/, `seed ${seed}, round ${i}: ${stack}`);
    }
  }
});

const OFFICIAL = { conv: 60, silu: 57, add: 7, concat: 13, maxpool: 3, upsample: 2 };

test('the official YOLOv5n imports', { skip: without('models/yolov5n_640.onnx') }, () => {
  const graph = importOnnx(readFileSync(dataPath('models/yolov5n_640.onnx')));
  assert.deepEqual(operations(graph), OFFICIAL);
  assert.deepEqual(
    graph.heads.map(({ stride, anchors }) => ({ stride, anchors })),
    [
      { stride: 8, anchors: ANCHORS[0] },
      { stride: 16, anchors: ANCHORS[1] },
      { stride: 32, anchors: ANCHORS[2] },
    ],
  );
  assert.deepEqual(
    [graph.classes.length, graph.classes[0], graph.classes[79]],
    [80, 'person', 'toothbrush'],
  );
  assert.deepEqual(graph.input, { height: 640, width: 640 });
});

test('its FP16 export of dynamic size has the same weights', {
  skip: without('models/yolov5n_fp16.onnx'),
}, () => {
  const [full, half] = ['yolov5n_640', 'yolov5n_fp16'].map((name) =>
    importOnnx(readFileSync(dataPath(`models/${name}.onnx`))),
  );
  const convolutions = (/** @type {FloatGraph} */ { nodes }) =>
    nodes.filter((node) => node.op === 'conv');
  const key = (/** @type {Float32Array} */ weight) => weight.length;
  const [a, b] = [convolutions(full), convolutions(half)];
  assert.deepEqual(
    b.map(({ weight }) => key(weight)).sort(),
    a.map(({ weight }) => key(weight)).sort(),
  );
  const first = (/** @type {typeof a} */ list) => /** @type {any} */ (list[0]).weight;
  first(a).forEach((/** @type {number} */ value, /** @type {number} */ i) => {
    assert.ok(Math.abs(value - first(b)[i]) <= Math.abs(value) / 1024 + 1e-6);
  });
  assert.deepEqual(
    half.heads.map((head) => head.anchors),
    ANCHORS,
  );
});

test('a channel-pruned YOLOv5n of odd widths imports', {
  skip: without('models/channel_pruned_128.onnx'),
}, () => {
  const graph = importOnnx(readFileSync(dataPath('models/channel_pruned_128.onnx')));
  assert.deepEqual(operations(graph), OFFICIAL);
  assert.deepEqual(graph.input, { height: 128, width: 128 });
  assert.deepEqual(graph.classes, ['0']);
});

test("YOLOv5-Lite's shuffles and halves are selections of channels", () => {
  for (const options of /** @type {const} */ ([
    { shuffle: 'Slice' },
    { shuffle: 'Split' },
    { shuffle: 'Split', opset: 17 },
  ])) {
    const graph = importOnnx(tinyYolo(options));
    assert.deepEqual(operations(graph), { ...TINY, conv: 14, silu: 10, concat: 3, select: 3 });
    const picked = graph.nodes.flatMap((node) => (node.op === 'select' ? [node.channels] : []));
    assert.deepEqual(picked, [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [0, 4, 1, 5, 2, 6, 3, 7],
    ]);
    assert.equal(graph.nodes.filter((node) => node.op === 'conv' && node.groups === 4).length, 1);
  }
});

test('reshapes and swaps that are no shuffle are refused', () => {
  const UNSUPPORTED = 'WISP_ERR_UNSUPPORTED';
  const changed = (
    /** @type {(node: import('../support/onnx-builder.js').Node) => void} */ change,
  ) => {
    const model = tinyYoloBuilder({ shuffle: 'Slice' });
    const turn = model.nodes.findIndex(({ op }) => op === 'Transpose');
    change(model.nodes[turn]);
    return model.finish();
  };
  const swapped = changed((node) => (node.attributes.perm = [0, 2, 1, 4, 3]));
  refuses(() => importOnnx(swapped), UNSUPPORTED, /\(Transpose\) swaps the axes.*0,2,1,4,3/);
  const model = tinyYoloBuilder({ shuffle: 'Slice' });
  const [split] = model.nodes.filter(({ op }) => op === 'Reshape');
  const shape = model.initializers.get(split.inputs[1]);
  assert.ok(shape);
  shape.values = [1, 8, 4, 2, 8];
  refuses(
    () => importOnnx(model.finish()),
    UNSUPPORTED,
    /\(Reshape\) reshapes a feature map to 1×8×4×2×8/,
  );
  Object.assign(shape, { values: [1, 8, -1], dims: [3] });
  refuses(
    () => importOnnx(model.finish()),
    UNSUPPORTED,
    /\(Reshape\) lays the pixels of a feature map in a row, as attention does/,
  );
});

test('a slice along an axis that no picture has is refused', () => {
  const model = tinyYoloBuilder({ focus: true });
  const slice = model.nodes.find(({ op }) => op === 'Slice');
  const axes = model.initializers.get(slice?.inputs[3] ?? '');
  assert.ok(axes);
  axes.values = [50_000_000];
  refuses(() => importOnnx(model.finish()), 'WISP_ERR_FORMAT', /names axis 50000000 of a 4-d/);
});

test('a concatenation of shapes with different numbers of axes is refused', () => {
  const model = tinyYoloBuilder();
  const shapes = model.nodes.filter(
    ({ op, attributes }) => op === 'Concat' && attributes.axis === 0,
  );
  const first = model.initializers.get(shapes[0].inputs[1]);
  assert.ok(first);
  first.dims = [1, 1];
  refuses(() => importOnnx(model.finish()), 'WISP_ERR_FORMAT', /joins shapes that differ/);
});

test('YOLOv5-Lite imports', { skip: without('models/v5lite-e_640_fp32.onnx') }, () => {
  for (const [name, conv, select] of /** @type {const} */ ([
    ['v5lite-e', 78, 36],
    ['v5lite-s', 82, 42],
  ])) {
    const graph = importOnnx(readFileSync(dataPath(`models/${name}_640_fp32.onnx`)));
    const counts = operations(graph);
    assert.deepEqual([counts.conv, counts.select], [conv, select]);
    assert.deepEqual(
      graph.heads.map(({ stride }) => stride),
      STRIDES,
    );
  }
});
