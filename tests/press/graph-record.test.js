// A float graph crosses into the press by the names of its nodes' fields; what is wrong with one is told with its name.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Press } from '../../web/src/press.js';

/** @returns {any} a stem, its activation, a head of two classes */
function smallGraph() {
  const square = (/** @type {number} */ side) => [side, side];
  const conv = { op: 'conv', bias: null, groups: 1 };
  return {
    input: { height: 32, width: 32 },
    nodes: [
      {
        ...{ ...conv, name: 'stem', inputs: [0], output: 1, channels: [3, 8] },
        ...{ kernel: square(3), stride: square(2), pad: [1, 1, 1, 1] },
        weight: new Float32Array(8 * 27).fill(0.1),
      },
      { op: 'leaky', slope: 0.1, name: 'bend', inputs: [1], output: 2 },
      {
        ...{ ...conv, name: 'end', inputs: [2], output: 3, channels: [8, 7] },
        ...{ kernel: square(1), stride: square(1), pad: [0, 0, 0, 0] },
        ...{ weight: new Float32Array(7 * 8), bias: new Float32Array(7) },
      },
    ],
    heads: [{ tensor: 3, stride: 2, anchors: [[10, 20]] }],
    classes: ['a', 'b'],
    source: { format: 'test', producer: 'test' },
  };
}

/** @param {(graph: any) => void} change */
async function open(change) {
  const graph = smallGraph();
  change(graph);
  return await Press.open(graph, { threads: 1 });
}

test('a graph of its own making opens', async () => {
  const press = await open(() => {});
  assert.equal(press.info.nodes.length, 3);
  await press.close();
});

/** @type {[string, (graph: any) => void, RegExp][]} */
const wrong = [
  [
    'an unknown field',
    ({ nodes: [stem] }) => Object.assign(stem, { dilation: 2 }),
    /^Node "stem": There is no "dilation" in the node; there is kind, inputs, channels, kernel, /,
  ],
  [
    'an unknown operation',
    ({ nodes: [, bend] }) => Object.assign(bend, { op: 'gelu' }),
    /^Node "bend": kind is "picture", .*"conv", .* or "scale", not the string "gelu"/,
  ],
  [
    'a kernel of one number',
    ({ nodes: [stem] }) => Object.assign(stem, { kernel: [3] }),
    /^Node "stem": kernel is a list of 2 numbers, not this Array/,
  ],
  [
    'a stride of text',
    ({ nodes: [stem] }) => Object.assign(stem, { stride: ['2', '2'] }),
    /^Node "stem": stride is a whole number, not the string "2"/,
  ],
  [
    'weights that are none',
    ({ nodes: [stem] }) => Object.assign(stem, { weight: 'heavy' }),
    /^Node "stem": weight is a list of numbers, not the string "heavy"/,
  ],
  [
    'a weight too few',
    ({ nodes: [stem] }) => Object.assign(stem, { weight: stem.weight.slice(1) }),
    /^Node "stem" has 215 weights; its shape needs 216/,
  ],
  [
    'weights of what has none',
    ({ nodes: [, bend] }) => Object.assign(bend, { weight: [1] }),
    /^Node "bend" has weights; activation takes none/,
  ],
  [
    'a tensor that nobody writes',
    ({ nodes: [, bend] }) => Object.assign(bend, { inputs: [9] }),
    /^Node "bend": inputs is a list of whole numbers, not undefined/,
  ],
  [
    'a range below zero',
    ({ nodes: [stem] }) => Object.assign(stem, { range: { scale: -1, zeroPoint: 0 } }),
    /^Node "stem" has scale -1 and zero point 0; above 0/,
  ],
  ['a head without stride', ({ heads: [head] }) => delete head.stride, /^The head needs stride/],
  [
    'an anchor with one side',
    ({ heads: [head] }) => Object.assign(head, { anchors: [[10]] }),
    /^A head has 1 sides of anchors; each has two/,
  ],
  [
    'a head of an unknown kind',
    ({ heads: [head] }) => Object.assign(head, { kind: 'round' }),
    /^kind is "yolov5", "yolov8" or "prototypes", not the string "round"/,
  ],
];
for (const [name, change, message] of wrong)
  test(`refuses ${name}`, () =>
    assert.rejects(open(change), { code: 'WISP_ERR_ARGUMENT', message }));
