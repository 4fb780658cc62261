// Zero padding and transposed convolutions as the graph has them: against their definitions; out of files, and back.

import assert from 'node:assert/strict';
import test from 'node:test';
import { writeOnnx } from '../../web/src/export/onnx-graph.js';
import { addTransposed, enlargesWhole, zeroPadding } from '../../web/src/graph/enlarging.js';
import { FloatGraphBuilder } from '../../web/src/graph/float-graph.js';
import { RandomNumbers } from '../../web/src/graph/random-numbers.js';
import { importOnnx } from '../../web/src/import/onnx.js';
import { importPt } from '../../web/src/import/pt.js';
import { tinyPt } from '../support/tiny-pt.js';
import { tinyYolo, tinyYoloBuilder } from '../support/tiny-yolo.js';

/**
 * @typedef {import('../../web/src/graph/float-graph.js').Conv} Conv
 * @typedef {import('../../web/src/graph/enlarging.js').Transposed} Transposed
 * @typedef {import('../support/tiny-pt.js').TinyPt} TinyPt
 * @typedef {{channels: number, height: number, width: number, data: Float64Array}} Map3
 */

const numbers = new RandomNumbers(5);
const random = (/** @type {number} */ n) =>
  Float32Array.from({ length: n }, () => numbers.normal());

/** @param {number} channels @param {number} height @param {number} width @returns {Map3} */
const blank = (channels, height, width) => ({
  ...{ channels, height, width },
  data: new Float64Array(channels * height * width),
});

/** @param {Map3} map @param {number} c @param {number} y @param {number} x */
const at = ({ height, width, data }, c, y, x) =>
  y < 0 || x < 0 || y >= height || x >= width ? 0 : data[(c * height + y) * width + x];

/** @param {Conv} conv of stride 1 @param {Map3} input */
function convolved({ weight, bias, channels: [, out], kernel, pad, groups }, input) {
  const [from, to] = [input.channels / groups, out / groups];
  const [height, width] = [
    input.height + pad[0] + pad[2] - kernel[0] + 1,
    input.width + pad[1] + pad[3] - kernel[1] + 1,
  ];
  const output = blank(out, height, width);
  output.data = output.data.map((_, i) => {
    const [o, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    let sum = bias?.[o] ?? 0;
    for (let c = 0; c < from; c++)
      for (let k = 0; k < kernel[0] * kernel[1]; k++) {
        const [ky, kx] = [Math.floor(k / kernel[1]), k % kernel[1]];
        const value = at(input, Math.floor(o / to) * from + c, y - pad[0] + ky, x - pad[1] + kx);
        sum += weight[(o * from + c) * kernel[0] * kernel[1] + k] * value;
      }
    return sum;
  });
  return output;
}

/** By its definition: each pixel of the input is dealt out to the output. @param {Transposed} of @param {Map3} input */
function transposed({ weight, bias, channels: [, out], kernel, stride, pad, groups }, input) {
  const [from, to] = [input.channels / groups, out / groups];
  const output = blank(out, input.height * stride[0], input.width * stride[1]);
  const { height, width, data } = output;
  data.forEach((_, i) => {
    data[i] = bias?.[Math.floor(i / (height * width))] ?? 0;
  });
  input.data.forEach((value, i) => {
    const c = Math.floor(i / (input.height * input.width));
    const [y0, x0] = [Math.floor(i / input.width) % input.height, i % input.width];
    for (let o = 0; o < to; o++)
      for (let k = 0; k < kernel[0] * kernel[1]; k++) {
        const y = y0 * stride[0] - pad[0] + Math.floor(k / kernel[1]);
        const x = x0 * stride[1] - pad[1] + (k % kernel[1]);
        if (y < 0 || x < 0 || y >= height || x >= width) continue;
        const channel = Math.floor(c / from) * to + o;
        data[(channel * height + y) * width + x] +=
          weight[(c * to + o) * kernel[0] * kernel[1] + k] * value;
      }
  });
  return output;
}

test('zeros around a map are a convolution that reads its own pixel', () => {
  const input = { ...blank(2, 3, 4), data: Float64Array.from(random(24)) };
  for (const [top, left, bottom, right] of [
    [0, 0, 1, 1],
    [1, 2, 0, 3],
    [2, 0, 2, 0],
  ]) {
    const output = convolved(zeroPadding(2, [top, left, bottom, right]), input);
    assert.deepEqual([output.height, output.width], [3 + top + bottom, 4 + left + right]);
    output.data.forEach((value, i) => {
      const [y, x] = [Math.floor(i / output.width) % output.height, i % output.width];
      const c = Math.floor(i / (output.height * output.width));
      assert.equal(value, at(input, c, y - top, x - left));
    });
  }
});

test('a transposed convolution is a convolution for each place within its stride', () => {
  for (const [kernel, stride, pad, more, groups] of /** @type {any[]} */ ([
    [[2, 2], [2, 2], [0, 0], [0, 0], 4],
    [[4, 4], [2, 2], [1, 1], [0, 0], 1],
    [[3, 3], [2, 2], [1, 1], [1, 1], 2],
    [[6, 5], [2, 3], [2, 1], [0, 0], 2],
    [[3, 3], [1, 1], [1, 1], [0, 0], 1],
    [[8, 4], [4, 4], [2, 0], [0, 0], 4],
  ])) {
    assert.ok(enlargesWhole({ kernel, stride, pad, more }));
    const channels = /** @type {[number, number]} */ ([4, groups === 4 ? 4 : 6]);
    const weight = random((4 * channels[1] * kernel[0] * kernel[1]) / groups);
    const bias = random(channels[1]);
    const of = { weight, bias, channels, kernel, stride, pad, more, groups };
    const input = { ...blank(4, 3, 5), data: Float64Array.from(random(60)) };
    const due = transposed(of, input);
    const graph = new FloatGraphBuilder();
    const last = graph.node(addTransposed(graph, 'up', 0, of));
    const parts = last?.op === 'upsample' ? last.inputs.map((id) => graph.node(id)) : [last];
    const maps = parts.map((part) => convolved(/** @type {Conv} */ (part), input));
    due.data.forEach((value, i) => {
      const [y, x] = [Math.floor(i / due.width) % due.height, i % due.width];
      const c = Math.floor(i / (due.height * due.width));
      const map = maps[(y % stride[0]) * stride[1] + (x % stride[1])];
      const found = at(map, c, Math.floor(y / stride[0]), Math.floor(x / stride[1]));
      assert.ok(Math.abs(found - value) < 1e-5, `${kernel} / ${stride}: ${found}, ${value}`);
    });
  }
});

test('others are not: what grows by no whole factor, what would be zeros in most places', () => {
  const plain = { kernel: [4, 4], stride: [2, 2], pad: [1, 1], more: [0, 0] };
  for (const change of [
    { pad: [0, 0] },
    { kernel: [1, 1], pad: [0, 0], more: [1, 1] },
    { kernel: [3, 4] },
    { kernel: [6, 4], pad: [3, 1], more: [2, 0] },
  ])
    assert.ok(!enlargesWhole(/** @type {any} */ ({ ...plain, ...change })));
});

for (const what of ['transposed', 'padded'])
  test(`an ONNX file with a ${what} map imports, and goes back`, () => {
    const graph = importOnnx(tinyYolo({ [what]: true }));
    const enlarged = graph.nodes.filter(({ op }) => op === 'upsample');
    assert.equal(enlarged[0].inputs.length, what === 'transposed' ? 4 : 1);
    const again = importOnnx(writeOnnx(graph));
    const told = (/** @type {typeof graph} */ { nodes }) =>
      nodes.map(({ name, inputs, output, ...node }) => ({ ...node, reads: inputs.length }));
    assert.deepEqual(told(again), told(graph));
  });

test('an ONNX node that enlarges otherwise is refused by name', () => {
  const edited = (/** @type {string} */ op, /** @type {(node: any) => void} */ edit) => {
    const b = tinyYoloBuilder({ transposed: true, padded: true });
    edit(b.nodes.find((node) => node.op === op));
    return () => importOnnx(b.finish());
  };
  const refuses = (/** @type {() => void} */ call, /** @type {RegExp} */ message) =>
    assert.throws(call, { code: 'WISP_ERR_UNSUPPORTED', message });
  const set = (/** @type {any} */ attributes) => (/** @type {any} */ node) =>
    Object.assign(node.attributes, attributes);
  refuses(
    edited('ConvTranspose', set({ pads: [0, 0, 0, 0] })),
    /doesn't enlarge by a whole factor/,
  );
  refuses(edited('ConvTranspose', set({ dilations: [2, 2] })), /doesn't enlarge/);
  refuses(edited('ConvTranspose', set({ auto_pad: 'SAME_UPPER' })), /doesn't enlarge/);
  refuses(edited('Pad', set({ mode: 'reflect' })), /pads with something but zeros/);
});

test('a checkpoint pads with zeros and convolves transposed', () => {
  const middle = (/** @type {TinyPt} */ tiny) =>
    tiny.sequential(
      tiny.module('torch.nn.modules.padding.ZeroPad2d', { settings: { padding: [0, 1, 0, 1] } }),
      tiny.pool(2, { padding: 0 }),
      tiny.conv(8, 8),
    );
  const { nodes } = importPt(tinyPt({ middle }));
  const pad = nodes.find((node) => node.op === 'conv' && node.groups === 8);
  assert.ok(pad?.op === 'conv');
  assert.deepEqual(
    [pad.kernel, pad.pad],
    [
      [2, 2],
      [1, 1, 1, 1],
    ],
  );
  const wide = (/** @type {TinyPt} */ tiny) =>
    tiny.module('torch.nn.modules.padding.ZeroPad2d', { settings: { padding: [0, 8, 0, 0] } });
  assert.throws(() => importPt(tinyPt({ middle: wide })), /ZeroPad2d\) pads by 0, 0, 0, 8/);
  const up = (/** @type {number} */ padding) => (/** @type {TinyPt} */ tiny) =>
    tiny.sequential(
      tiny.conv(8, 8, { k: 3, s: 2 }),
      tiny.module('models.common.DWConvTranspose2d', {
        parameters: { weight: { values: tiny.numbers(128), size: [8, 1, 4, 4] }, bias: null },
        settings: { stride: 2, padding, output_padding: 0, dilation: 1, groups: 8 },
      }),
    );
  const enlarged = importPt(tinyPt({ middle: up(1) })).nodes.find(({ op }) => op === 'upsample');
  assert.equal(enlarged?.inputs.length, 4);
  assert.throws(
    () => importPt(tinyPt({ middle: up(0) })),
    /DWConvTranspose2d\) has stride 2,2, padding 0,0 and 0,0: it doesn't enlarge/,
  );
});
