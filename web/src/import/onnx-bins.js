// What YOLOv8 makes of the bins of a side, evaluated: chances, and the number that they expect.

import { unsupported } from '../graph/graph-error.js';
import { checkedAxis, need, number } from './onnx-node.js';
import { countOf, stridesOf } from './onnx-tensor.js';

/** Along one axis; that of YOLOv8's bins. @type {import('./onnx-constant.js').Evaluate} */
export function softmax(node, inputs) {
  const { dims, data } = need(node, inputs, 0);
  const axis = checkedAxis(node, number(node, 'axis', -1), dims.length);
  const step = stridesOf(dims)[axis];
  const result = new Float32Array(data.length);
  for (let first = 0; first < data.length; first++) {
    if (Math.floor(first / step) % dims[axis] !== 0) continue;
    const places = Array.from({ length: dims[axis] }, (_, i) => first + i * step);
    const largest = places.reduce((so, at) => Math.max(so, data[at]), -Infinity);
    const chances = places.map((at) => Math.exp(data[at] - largest));
    const sum = chances.reduce((all, chance) => all + chance, 0);
    places.forEach((at, i) => {
      result[at] = chances[i] / sum;
    });
  }
  return [{ dims, data: result }];
}

/**
 * A convolution of 1×1 to one channel: the expected number of YOLOv8's bins.
 * @type {import('./onnx-constant.js').Evaluate}
 */
export function mixChannels(node, inputs) {
  const [x, weight] = [need(node, inputs, 0), need(node, inputs, 1)];
  const [batch, channels, ...size] = x.dims;
  if (weight.dims.join() !== [1, channels, 1, 1].join() || inputs[2])
    unsupported(`Node "${node.name}" (Conv) computes with constants in a way wisp can't.`);
  const cells = countOf(size);
  const data = new Float32Array(batch * cells);
  for (let i = 0; i < data.length; i++) {
    const first = Math.floor(i / cells) * channels * cells + (i % cells);
    for (let c = 0; c < channels; c++) data[i] += x.data[first + c * cells] * weight.data[c];
  }
  return [{ dims: [batch, 1, ...size], data }];
}
