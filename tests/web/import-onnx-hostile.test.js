// ONNX files of a few hundred bytes that ask for more than a machine has: each is refused before it gets any of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importOnnx } from '../../web/src/import/onnx.js';
import { conv, tinyYoloBuilder } from '../support/tiny-yolo.js';

/** @typedef {import('../support/onnx-builder.js').OnnxBuilder} OnnxBuilder */

const MEGA = 1 << 20;

/** @param {OnnxBuilder} b @param {number[]} shape */
const zeros = (b, ...shape) => b.node('ConstantOfShape', [b.integers(shape)]);

/** As many names of a value. @param {string} name @param {number} count */
const times = (name, count) => new Array(count).fill(name);

/** What the decoding reads in place of a constant. @type {Record<string, (b: OnnxBuilder) => string>} */
const CONSTANTS = {
  'a constant of a shape': (b) => zeros(b, 64, MEGA),
  'a stretched number': (b) => b.node('Expand', [b.reals([1]), b.integers([64 * MEGA])]),
  'a range': (b) => b.node('Range', [b.reals([0], []), b.reals([1e9], []), b.reals([1], [])]),
  'a range of tiny steps': (b) =>
    b.node('Range', [b.reals([0], []), b.reals([1], []), b.reals([1e-9], [])]),
  'a product of a row and a column': (b) => b.node('Mul', [zeros(b, 1, MEGA), zeros(b, MEGA, 1)]),
  'a choice between a row and a column': (b) =>
    b.node('Where', [b.integers([1]), zeros(b, 1, MEGA), zeros(b, MEGA, 1)]),
  'the same rows many times': (b) =>
    b.node('Gather', [zeros(b, 1, 4096), b.node('Cast', [zeros(b, 4096)], { to: 7 })]),
  'the same tensor a thousand times': (b) =>
    b.node('Concat', times(zeros(b, MEGA), 1000), { axis: 0 }),
  'the same axis four times': (b) =>
    b.node('Transpose', [zeros(b, 4096, 1, 1, 1)], { perm: [0, 0, 0, 0] }),
  'parts that are larger than the whole': (b) =>
    b.node('Split', [zeros(b, 8), b.integers([64 * MEGA])], { axis: 0 }, 1),
  'slices of half an index': (b) =>
    b.node('Slice', [
      zeros(b, MEGA),
      ...[[0], [MEGA]].map((x) => b.integers(x)),
      b.integers([0]),
      b.reals([0.001]),
    ]),
  'a tensor of a million axes': (b) =>
    b.node('Reshape', [b.reals([1]), b.node('Expand', [b.integers([1]), b.integers([MEGA])])]),
  'parts of a millionth': (b) =>
    b.node('SplitToSequence', [zeros(b, 8), b.reals([1e-6], [])], { axis: 0 }),
  'a million parts': (b) =>
    b.node('SplitToSequence', [zeros(b, MEGA), b.integers([1], [])], { axis: 0 }),
  'parts of nothing, a billion': (b) =>
    b.node('SplitToSequence', [zeros(b, 0, 1000 * MEGA), b.integers([1], [])], { axis: 1 }),
  'nothing, in a million rows a million times': (b) =>
    b.node('Gather', [zeros(b, MEGA, 1, 0), b.node('Cast', [zeros(b, MEGA)], { to: 7 })], {
      axis: 1,
    }),
  'a tensor with a million axes more': (b) =>
    b.node('Unsqueeze', [
      b.reals([1]),
      b.node(
        'Cast',
        [
          b.node(
            'Range',
            [0, MEGA, 1].map((x) => b.integers([x], [])),
          ),
        ],
        { to: 7 },
      ),
    ]),
  'a concatenation of nothing': (b) => b.node('Concat', [], { axis: 0 }),
  'many large ones': (b) =>
    b.node(
      'Concat',
      Array.from({ length: 30 }, () => zeros(b, 4, MEGA)),
      { axis: 0 },
    ),
};

for (const [what, make] of Object.entries(CONSTANTS))
  test(`a decoding that reads ${what} is refused`, () => {
    const b = tinyYoloBuilder({ opset: 13 });
    const name = make(b);
    const reader = b.nodes.find(({ op }) => op === 'Pow');
    assert.ok(reader);
    reader.inputs = [name, reader.inputs[1]];
    assert.throws(() => importOnnx(b.finish()), { code: 'WISP_ERR_FORMAT' });
  });

test('a large picture needs a file that is large too', () => {
  const due = {
    code: 'WISP_ERR_FORMAT',
    message: /A constant of 1×21×512×512 is more than wisp computes/,
  };
  const b = tinyYoloBuilder({ dynamic: true });
  b.inputs[0].dims = [1, 3, 4096, 4096];
  assert.throws(() => importOnnx(b.finish()), due);
});

/** @param {(b: OnnxBuilder, x: string) => string} make what stands before the first head */
function withTrunk(make) {
  const b = tinyYoloBuilder({ raw: true });
  const head = b.nodes.find(({ outputs }) => outputs[0] === b.outputs[0]);
  assert.ok(head);
  const place = b.nodes.indexOf(head);
  const before = b.nodes.length;
  const name = make(b, head.inputs[0]);
  head.inputs = [name, ...head.inputs.slice(1)];
  b.nodes.splice(place, 0, ...b.nodes.splice(before));
  return b.finish();
}

for (const [what, sizes] of /** @type {[string, number[]][]} */ ([
  ['more than the channels', [1 << 27, 4]],
  ['fewer than the channels', [2, 2]],
  ['less than none', [12, -4]],
]))
  test(`parts of a feature map that are ${what} are refused`, () => {
    const file = withTrunk((b, x) => b.node('Split', [x], { axis: 1, split: sizes }, 2));
    assert.throws(() => importOnnx(file), {
      code: 'WISP_ERR_UNSUPPORTED',
      message: /splits 8 channels into/,
    });
  });

test('halves of a channel and kernels without a weight are refused', () => {
  const half = withTrunk((b, x) =>
    b.node('Slice', [x, b.reals([0.5]), b.integers([8]), b.integers([1])]),
  );
  assert.throws(() => importOnnx(half), { code: 'WISP_ERR_FORMAT', message: /from 0\.5 to 8/ });
  const none = withTrunk((b, x) => b.node('Conv', [x, b.reals([], [MEGA, 8, 0, 0])]));
  assert.throws(() => importOnnx(none), { code: 'WISP_ERR_FORMAT', message: /8×0×0 for 8 chan/ });
});

test('channels that double forty times are refused', () => {
  const file = withTrunk((b, x) => {
    for (let i = 0, y = x; ; y = b.node('Concat', [y, y], { axis: 1 }), i++) if (i === 40) return y;
  });
  assert.throws(() => importOnnx(file), {
    code: 'WISP_ERR_UNSUPPORTED',
    message: /joins 16384 channels|joins 32768 channels/,
  });
});

test('a chain of twenty thousand operations is refused, and nothing overflows', () => {
  const file = withTrunk((b, x) => {
    for (let i = 0, y = x; ; y = b.node('Relu', [y]), i++) if (i === 20_000) return y;
  });
  assert.throws(() => importOnnx(file), {
    code: 'WISP_ERR_UNSUPPORTED',
    message: /operations; wisp takes up to 4096/,
  });
});

test('a node that reads two hundred thousand values is read or refused', () => {
  const file = withTrunk((b, x) => b.node('Concat', times(x, 200_000), { axis: 1 }));
  assert.throws(() => importOnnx(file), {
    code: 'WISP_ERR_UNSUPPORTED',
    message: /joins 1600000 channels/,
  });
});

test('a hundred heads are refused', () => {
  const b = tinyYoloBuilder({ raw: true });
  const [x] = b.nodes[b.nodes.length - 1].inputs;
  b.outputs = Array.from({ length: 100 }, () => conv(b, x, 8, 21, 1, 1));
  assert.throws(() => importOnnx(b.finish()), {
    code: 'WISP_ERR_UNSUPPORTED',
    message: /100 convolutions/,
  });
});
