// The importer of checkpoints: every version's spelling, every way of saving gives the same graph.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { importOnnx } from '../../web/src/import/onnx.js';
import { importPt } from '../../web/src/import/pt.js';
import { Name, Thing, Tuple } from '../support/pickle-writer.js';
import { dataPath, without } from '../support/test-data.js';
import { TinyPt, tinyPt } from '../support/tiny-pt.js';
import { ANCHORS } from '../support/tiny-yolo.js';

/** @typedef {import('../../web/src/graph/float-graph.js').FloatGraph} FloatGraph */

/** How often each operation occurs. @param {FloatGraph} graph */
function operations({ nodes }) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { op } of nodes) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}

/** @param {FloatGraph} graph */
const convolutions = ({ nodes }) => nodes.filter((node) => node.op === 'conv');

const V7 = { conv: 16, silu: 13, add: 1, concat: 3, maxpool: 3, upsample: 1 };

for (const [options, due, family] of /** @type {[any, any, RegExp][]} */ ([
  [{}, V7, /v6\.2 or later/],
  [{ version: 'v6' }, V7, /v6\.0 or v6\.1/],
  [{ version: 'v5' }, { ...V7, maxpool: 2, focus: 1 }, /v5\.0 or older/],
  [
    { version: 'v3' },
    { ...V7, conv: 17, silu: undefined, hardswish: 12, leaky: 2, maxpool: 2, focus: 1 },
    /v5\.0 or older/,
  ],
  [
    { version: 'lite' },
    { ...V7, conv: 22, silu: 10, relu: 6, concat: 5, select: 4, maxpool: 4 },
    /YOLOv5-Lite/,
  ],
  [{ fused: true }, V7, /v6\.2/],
])) {
  test(`a tiny checkpoint of ${JSON.stringify(options)} imports`, () => {
    const graph = importPt(tinyPt(options));
    assert.deepEqual(operations(graph), JSON.parse(JSON.stringify(due)));
    assert.deepEqual(
      graph.heads.map(({ stride, anchors }) => ({ stride, anchors })),
      [8, 16, 32].map((stride, i) => ({ stride, anchors: ANCHORS[i] })),
    );
    assert.deepEqual(graph.classes, ['fox', 'owl']);
    assert.deepEqual(graph.input, { height: 640, width: 640 });
    assert.match(new Map(graph.facts).get('family') ?? '', family);
    for (const { tensor } of graph.heads) {
      const last = graph.nodes.find(({ output }) => output === tensor);
      assert.ok(last?.op === 'conv' && last.channels[1] === 3 * (5 + 2));
    }
  });
}

for (const options of /** @type {any[]} */ ([
  { protocol: 3 },
  { protocol: 4 },
  { protocol: 5 },
  { level: 9 },
  { folder: 'archive' },
  { legacy: true },
])) {
  test(`saved with ${JSON.stringify(options)} it is the same graph`, () => {
    const graph = importPt(tinyPt(options));
    assert.deepEqual({ ...graph, source: null }, { ...importPt(tinyPt()), source: null });
  });
}

test('weights are read in float32, float16 and bfloat16', () => {
  const heads = (/** @type {string} */ type) =>
    convolutions(importPt(tinyPt({ type }))).filter(({ name }) => name.startsWith('model.10.'));
  const exact = heads('FloatStorage');
  for (const [type, bits] of /** @type {[string, number][]} */ ([
    ['HalfStorage', 11],
    ['BFloat16Storage', 8],
  ])) {
    assert.equal(exact.length, 3);
    for (const [i, { weight }] of heads(type).entries()) {
      const off = weight.map((w, k) => Math.abs(w / exact[i].weight[k] - 1) || 0); // 0 / 0
      assert.ok(Math.max(...off) <= 2 ** (1 - bits), `${type}: ${Math.max(...off)}`);
    }
  }
});

test("weights and batch norms are the module's own numbers", () => {
  const tiny = new TinyPt({ type: 'FloatStorage' });
  const before = tiny.writer.storages.size;
  const middle = tiny.conv(8, 8, { k: 3 });
  const [weight, gamma, beta, mean, variance] = [...tiny.writer.storages.values()]
    .slice(before)
    .map(({ values }) => values);
  tiny.options.middle = () => middle;
  const { nodes } = importPt(tiny.writer.save({ model: tiny.model() }));
  const conv = nodes.find(({ name }) => name === 'model.4.conv');
  assert.ok(conv?.op === 'conv' && conv.bias);
  assert.deepEqual(
    [conv.kernel, conv.stride, conv.pad, conv.groups, conv.channels],
    [[3, 3], [1, 1], [1, 1, 1, 1], 1, [8, 8]],
  );
  for (const [i, w] of conv.weight.entries()) {
    const channel = Math.floor(i / 72);
    const scale = gamma[channel] / Math.sqrt(variance[channel] + 0.001);
    assert.ok(Math.abs(w - weight[i] * scale) < 1e-6);
    assert.ok(Math.abs(conv.bias[channel] - (beta[channel] - mean[channel] * scale)) < 1e-6);
  }
});

test('a batch norm that follows no convolution stays', () => {
  const { nodes } = importPt(tinyPt({ middle: (/** @type {TinyPt} */ tiny) => tiny.batchNorm(8) }));
  const affine = nodes.filter(({ op }) => op === 'affine');
  assert.deepEqual(
    affine.map(({ name }) => name),
    ['model.4'],
  );
});

test('tensors that are views of a storage, also with turned axes, are read in the order of their axes', () => {
  const tiny = new TinyPt({ type: 'FloatStorage' });
  const conv = tiny.conv2d(8, 4, { k: [3, 2], p: 0 });
  const size = [4, 8, 3, 2];
  const values = Array.from({ length: 4 * 48 + 5 }, (_, i) => i);
  const stride = [48, 1, 16, 8]; // channels_last
  conv.state._parameters.set('weight', tiny.writer.parameter({ values, size, stride, offset: 5 }));
  tiny.options.middle = () => tiny.sequential(conv, tiny.conv2d(4, 8, { k: [1, 2], p: [1, 1] }));
  const { nodes } = importPt(tiny.writer.save({ model: tiny.model() }));
  const stem = nodes.find(({ name }) => name === 'model.4.0');
  assert.ok(stem?.op === 'conv');
  const place = (/** @type {number[]} */ [o, i, y, x]) => ((o * 8 + i) * 3 + y) * 2 + x;
  for (const [o, i, y, x] of [
    [0, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
    [3, 7, 2, 1],
  ])
    assert.equal(stem.weight[place([o, i, y, x])], 5 + 48 * o + i + 16 * y + 8 * x);
});

/** @param {FloatGraph} graph */
const firstWeight = ({ nodes: [stem] }) => (stem.op === 'conv' ? stem.weight[0] : 0);

test('the averaged weights are preferred, wherever they are', () => {
  const tiny = () => new TinyPt({ type: 'FloatStorage' });
  const models = tiny();
  const [first, second] = [models.model(), models.model()];
  const plain = firstWeight(importPt(models.writer.save({ model: first })));
  const averaged = firstWeight(importPt(models.writer.save({ model: second })));
  assert.notEqual(plain, averaged);
  for (const ema of [second, new Tuple(second, 1234)]) {
    const graph = importPt(
      models.writer.save({ epoch: 9, model: first, ema, optimizer: { lr: 1 } }),
    );
    assert.equal(firstWeight(graph), averaged);
    const facts = new Map(graph.facts);
    assert.equal(facts.get('weights'), 'float32; averaged over training (EMA); after epoch 10');
    assert.equal(facts.get('left out'), "the optimizer's state, the weights without averaging");
  }
});

test('models are found where they lie: alone, wrapped, in an ensemble of one', () => {
  const wrap =
    (/** @type {string} */ type, /** @type {string} */ part) =>
    (/** @type {any} */ model, /** @type {TinyPt} */ tiny) =>
      tiny.module(type, { parts: { [part]: model } });
  const due = importPt(tinyPt()).nodes;
  for (const made of [
    (/** @type {any} */ model) => model,
    wrap('torch.nn.parallel.distributed.DistributedDataParallel', 'module'),
    wrap('torch.nn.parallel.data_parallel.DataParallel', 'module'),
    wrap('models.common.AutoShape', 'model'),
    wrap('models.experimental.Ensemble', '0'),
  ]) {
    assert.deepEqual(importPt(tinyPt({}, made)).nodes, due);
    assert.deepEqual(
      importPt(tinyPt({}, (model, tiny) => ({ model: made(model, tiny) }))).nodes,
      due,
    );
  }
});

test('class names come as a list, as a dictionary, or not at all', () => {
  const classes = (/** @type {any} */ names) => importPt(tinyPt({ names })).classes;
  assert.deepEqual(classes(['fox', 'owl']), ['fox', 'owl']);
  assert.deepEqual(
    classes(
      new Map([
        [0, 'Füchse'],
        [1, '猫'],
      ]),
    ),
    ['Füchse', '猫'],
  );
  assert.deepEqual(classes(new Map([[1, 'owl']])), ['class0', 'owl']);
  assert.deepEqual(classes(new Name('builtins', 'list')), ['class0', 'class1']);
});

test('the size is the one that it was trained at', () => {
  const side = (/** @type {any} */ saved) =>
    importPt(tinyPt({}, (model) => ({ ...saved, model }))).input.height;
  assert.equal(side({ opt: { imgsz: 416 } }), 416);
  assert.equal(side({ opt: { imgsz: 400 } }), 416);
  assert.equal(side({ opt: { img_size: [320, 640] } }), 320);
  assert.equal(side({ opt: new Thing(new Name('argparse', 'Namespace'), { imgsz: 96 }) }), 96);
  assert.equal(side({ train_args: { imgsz: 512 } }), 512);
  assert.equal(side({ opt: { imgsz: 'large' } }), 640);
  assert.equal(side({ opt: null }), 640);
});

/** @param {string} type of torch.nn.modules.activation @param {any} [settings] */
const activation = (type, settings) => (/** @type {TinyPt} */ tiny) =>
  tiny.conv(8, 8, { act: tiny.module(`torch.nn.modules.activation.${type}`, { settings }) });

/** @type {Record<string, [(tiny: TinyPt) => any, any]>} what a module adds to the operations */
const MODULES = {
  LeakyReLU: [activation('LeakyReLU', { negative_slope: 0.1 }), { leaky: 1, conv: 1 }],
  ReLU: [activation('ReLU'), { relu: 1, conv: 1 }],
  Hardswish: [activation('Hardswish'), { hardswish: 1, conv: 1 }],
  'no activation': [
    (tiny) => tiny.conv(8, 8, { act: tiny.module('torch.nn.modules.linear.Identity') }),
    { conv: 1 },
  ],
  DWConv: [
    (tiny) => tiny.conv(8, 8, { k: 3, groups: 8 }, 'models.common.DWConv'),
    { silu: 1, conv: 1 },
  ],
  'blocks in a row': [
    (tiny) => tiny.sequential(tiny.bottleneck(8, true), tiny.bottleneck(8, false)),
    { silu: 4, conv: 4, add: 1 },
  ],
  C3x: [
    (tiny) => {
      const cross = tiny.bottleneck(
        4,
        true,
        'models.common.CrossConv',
        /** @type {any} */ ([
          [1, 3],
          [3, 1],
        ]),
      );
      return tiny.c3(8, 8, cross, 'models.common.C3x');
    },
    { silu: 5, conv: 5, add: 1, concat: 1 },
  ],
  'C3 of CrossConv, before v4.0': [
    (tiny) => tiny.csp(8, 8, 'models.experimental.C3'),
    { silu: 4, leaky: 2, conv: 6, add: 1, concat: 1 },
  ],
  C3SPP: [
    (tiny) => tiny.c3(8, 8, tiny.spp(4), 'models.common.C3SPP'),
    { silu: 5, conv: 5, concat: 2, maxpool: 2 },
  ],
  C3Ghost: [
    (tiny) => {
      const identity = tiny.module('torch.nn.modules.linear.Identity');
      const ghost = (/** @type {number} */ cin, /** @type {number} */ cout) =>
        tiny.module('models.common.GhostConv', {
          parts: {
            cv1: tiny.conv(cin, cout / 2),
            cv2: tiny.conv(cout / 2, cout / 2, { k: 5, groups: cout / 2 }),
          },
        });
      const conv = tiny.sequential(ghost(4, 2), identity, ghost(2, 4));
      const bottleneck = tiny.module('models.common.GhostBottleneck', {
        parts: { conv, shortcut: identity },
      });
      return tiny.c3(8, 8, bottleneck, 'models.common.C3Ghost');
    },
    { silu: 7, conv: 7, add: 1, concat: 3 },
  ],
  'YOLOv5-Lite: DWConvblock': [
    (tiny) =>
      tiny.module('models.common.DWConvblock', {
        parts: {
          conv1: tiny.conv2d(8, 8, { k: 3, groups: 8 }),
          bn1: tiny.batchNorm(8),
          conv2: tiny.conv2d(8, 8),
          bn2: tiny.batchNorm(8),
        },
      }),
    { relu: 2, conv: 2 },
  ],
  'YOLOv5-Lite: LC_Block, Dense': [
    (tiny) => {
      const hardswish = tiny.module('torch.nn.modules.activation.Hardswish');
      const cbh = (/** @type {any} */ options) =>
        tiny.module('models.common.CBH', {
          parts: { conv: tiny.conv2d(8, 8, options), bn: tiny.batchNorm(8), hardswish },
        });
      const block = tiny.module('models.common.LC_Block', {
        parts: { dw_conv: cbh({ k: 3, groups: 8 }), pw_conv: cbh({}) },
      });
      const dropout = tiny.module('torch.nn.modules.dropout.Dropout');
      const dense = { dense_conv: tiny.conv2d(8, 8), hardswish, dropout };
      return tiny.sequential(block, tiny.module('models.common.Dense', { parts: dense }));
    },
    { hardswish: 3, conv: 3 },
  ],
};

for (const [kind, gate, type] of [
  ['LC_SEModule', 'SiLU', 'SiLU'],
  ['LC_SEModule', 'hardsigmoid', 'Hardsigmoid'],
  ['ES_SEModule', 'hardsigmoid', 'Hardsigmoid'],
])
  MODULES[`YOLOv5-Lite: ${kind} with ${gate}`] = [
    (tiny) =>
      tiny.module(`models.common.${kind}`, {
        parts: {
          avg_pool: tiny.module('torch.nn.modules.pooling.AdaptiveAvgPool2d', {
            settings: { output_size: 1 },
          }),
          conv1: tiny.conv2d(8, 2, { bias: true }),
          relu: tiny.relu(),
          conv2: tiny.conv2d(2, 8, { bias: true }),
          [gate]: tiny.module(`torch.nn.modules.activation.${type}`),
        },
      }),
    { average: 1, conv: 2, relu: 1, [gate.toLowerCase()]: 1, scale: 1 },
  ];

const BASE = operations(
  importPt(tinyPt({ middle: (/** @type {TinyPt} */ tiny) => tiny.sequential() })),
);

for (const [name, [middle, due]] of Object.entries(MODULES)) {
  test(`${name} imports`, () => {
    const counts = operations(importPt(tinyPt({ middle })));
    const added = Object.entries(counts).map(([op, count]) => [op, count - (BASE[op] ?? 0)]);
    assert.deepEqual(Object.fromEntries(added.filter(([, count]) => count)), due);
  });
}

test('the official YOLOv5n has the weights of its export', {
  skip: without('models/yolov5n.pt', 'models/yolov5n_640.onnx'),
}, () => {
  const [graph, due] = [
    importPt(new Uint8Array(readFileSync(dataPath('models/yolov5n.pt')))),
    importOnnx(new Uint8Array(readFileSync(dataPath('models/yolov5n_640.onnx')))),
  ];
  assert.deepEqual([graph.classes, graph.input], [due.classes, due.input]);
  assert.deepEqual(
    graph.heads.map(({ stride, anchors }) => ({ stride, anchors })),
    due.heads.map(({ stride, anchors }) => ({ stride, anchors })),
  );
  assert.deepEqual(operations(graph), operations(due));
  const others = convolutions(due); // in another order
  const near = (/** @type {Float32Array} */ a, /** @type {Float32Array} */ b) =>
    a.length === b.length && a.every((w, i) => Math.abs(w - b[i]) < 1e-5 * (1 + Math.abs(w)));
  for (const { name, output, inputs, weight, bias, ...shape } of convolutions(graph)) {
    const at = others.findIndex((other) => near(weight, other.weight));
    assert.ok(at >= 0, `${name} is not in the export`);
    const [other] = others.splice(at, 1);
    assert.ok(bias && other.bias && near(bias, other.bias), name);
    assert.deepEqual({ ...other, ...shape }, other);
  }
});

const LITE = { conv: 82, relu: 60, maxpool: 1, concat: 24, select: 42, upsample: 2 };
const PRUNED = { conv: 60, silu: 57, add: 7, concat: 13, maxpool: 3, upsample: 2 };

for (const [name, due] of /** @type {const} */ ([
  ['v5lite-s', LITE],
  ['channel_pruned_128', PRUNED],
])) {
  test(`${name}.pt imports`, { skip: without(`models/${name}.pt`) }, () => {
    const graph = importPt(new Uint8Array(readFileSync(dataPath(`models/${name}.pt`))));
    assert.deepEqual(operations(graph), due);
  });
}

test('yolov5n-7-k5.pt imports, its transposed convolutions as four in turn', {
  skip: without('models/yolov5n-7-k5.pt'),
}, () => {
  const graph = importPt(new Uint8Array(readFileSync(dataPath('models/yolov5n-7-k5.pt'))));
  const enlarged = graph.nodes.filter(({ op }) => op === 'upsample');
  assert.deepEqual(
    enlarged.map(({ inputs }) => inputs.length),
    [4, 4],
  );
});
