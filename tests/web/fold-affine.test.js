// Batch norms are folded into convolutions where nobody else sees the difference.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldAffine } from '../../web/src/graph/fold-affine.js';

/** @typedef {import('../../web/src/graph/float-graph.js').GraphNode} GraphNode */

/** Two channels to two. @param {Float32Array | null} bias @returns {GraphNode} */
const conv = (bias) => ({
  op: 'conv',
  name: 'conv',
  inputs: [1],
  output: 2,
  weight: Float32Array.of(1, 2, 3, 4),
  bias,
  channels: [2, 2],
  kernel: [1, 1],
  stride: [1, 1],
  pad: [0, 0, 0, 0],
  groups: 1,
});

/** @type {GraphNode} */
const affine = {
  op: 'affine',
  name: 'norm',
  inputs: [2],
  output: 3,
  scale: Float32Array.of(10, -1),
  bias: Float32Array.of(0.5, 7),
};

/** @param {number[]} inputs @returns {GraphNode} */
const add = (inputs) => ({ op: 'add', name: 'add', inputs, output: 4 });

test('a convolution takes the affine node behind it, with a bias or without', () => {
  const due = { ...conv(null), output: 3, weight: Float32Array.of(10, 20, -3, -4) };
  assert.deepEqual(foldAffine([conv(null), affine], [3]), [
    { ...due, bias: Float32Array.of(0.5, 7) },
  ]);
  assert.deepEqual(foldAffine([conv(Float32Array.of(1, 2)), affine, add([3, 1])], [4]), [
    { ...due, bias: Float32Array.of(10.5, 5) },
    add([3, 1]),
  ]);
});

test('what others read as it is stays as it is', () => {
  const read = [conv(null), affine, add([2, 3])];
  assert.deepEqual(foldAffine(read, [4]), read);
  const ends = [conv(null), affine];
  assert.deepEqual(foldAffine(ends, [2, 3]), ends);
  const trained = [{ ...conv(null), range: { scale: 0.1, zeroPoint: 0 } }, affine];
  assert.deepEqual(foldAffine(trained, [3]), trained);
});
