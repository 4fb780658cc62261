// Integers of ONNX constants ↔ the real numbers that they stand for.

import { malformed } from '../graph/graph-error.js';
import { checkedAxis, need, number } from './onnx-node.js';
import { countOf } from './onnx-tensor.js';

/**
 * @typedef {import('./onnx-proto.js').Tensor} Tensor
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 */

/**
 * (q − zero point) · scale; both one number, or one for each index of an axis.
 * @param {OnnxNode} node for messages
 * @param {Tensor} integers
 * @param {Tensor | null | undefined} scale
 * @param {Tensor | null | undefined} zero
 * @param {number} [axis]
 * @returns {Tensor}
 */
export function toReal(node, { dims, data }, scale, zero, axis = 0) {
  const channels = dims[axis] ?? 1;
  const step = countOf(dims.slice(axis + 1));
  const each = (/** @type {Tensor | null | undefined} */ list, /** @type {number} */ otherwise) => {
    const numbers = list?.data ?? [otherwise];
    if (![1, channels].includes(numbers.length))
      malformed(
        `Node "${node.name}" (${node.op}) has ${numbers.length} scales for ${channels} channels.`,
      );
    return (/** @type {number} */ i) =>
      numbers.length === 1 ? numbers[0] : numbers[Math.floor(i / step) % channels];
  };
  const [scales, zeros] = [each(scale, 1), each(zero, 0)];
  return { dims, data: Float32Array.from(data, (q, i) => (q - zeros(i)) * scales(i)) };
}

/** @type {import('./onnx-constant.js').Evaluate} */
export function dequantizeLinear(node, inputs) {
  const [integers, scale] = [need(node, inputs, 0), need(node, inputs, 1)];
  const axis = scale.data.length > 1 ? number(node, 'axis', 1) : 0;
  const along = checkedAxis(node, axis, Math.max(1, integers.dims.length));
  return [toReal(node, integers, scale, inputs[2], along)];
}

/** Of weights, whose scale leaves none of them outside the integers. @type {import('./onnx-constant.js').Evaluate} */
export function quantizeLinear(node, inputs) {
  const [real, scale] = [need(node, inputs, 0), need(node, inputs, 1)];
  const ones = { ...scale, data: scale.data.map((s) => 1 / s) };
  const axis = checkedAxis(node, number(node, 'axis', 1), Math.max(2, real.dims.length));
  const steps = toReal(node, real, ones, null, scale.data.length > 1 ? axis : 0);
  const [zero = 0] = inputs[2]?.data ?? [];
  return [{ dims: real.dims, data: Float64Array.from(steps.data, (x) => roundToEven(x) + zero) }];
}

/** @param {number} x */
function roundToEven(x) {
  const nearest = Math.round(x);
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}
