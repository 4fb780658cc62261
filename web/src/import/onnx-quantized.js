// ONNX pairs of QuantizeLinear and DequantizeLinear on feature maps → the range that a tensor was trained with.

import { malformed } from '../graph/graph-error.js';
import { constantOnly, describe, feature, isFeature, refuse, weights } from './onnx-feature.js';

/**
 * @typedef {import('./onnx-feature.js').Translate} Translate
 * @typedef {import('./onnx-feature.js').Value} Value
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 */

/**
 * Scale and zero point of a pair's node, one for the whole tensor.
 * @param {OnnxNode} node
 * @param {Value[]} inputs
 */
function rangeOf(node, inputs) {
  const scales = weights(node, inputs[1], 'scale');
  const zero = constantOnly(inputs[2] ?? null);
  if (scales.length !== 1) refuse(node, `has ${scales.length} scales for one feature map`);
  const [scale] = scales;
  const zeroPoint = zero ? zero.data[0] : 0;
  if (!(scale > 0)) malformed(`${describe(node)} has the scale ${scale}, which is not above 0.`);
  if (!(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 255)) {
    refuse(node, `has the zero point ${zeroPoint} and so no unsigned bytes`);
  }
  return { scale, zeroPoint };
}

/** @type {Translate} */
function quantize(graph, node, inputs) {
  const x = feature(node, inputs[0]);
  if (x.id === 0) return x;
  const range = rangeOf(node, inputs);
  graph.rounded(x.id, range);
  return { id: -1, dims: x.dims, form: { kind: 'bytes', of: x.id, ...range } };
}

/** @type {Translate} */
function dequantize(_, node, inputs) {
  const [x] = inputs;
  if (!x || !isFeature(x)) return malformed(`${describe(node)} lacks a feature map.`);
  if (x.id === 0) return x;
  const { scale, zeroPoint } = rangeOf(node, inputs);
  const bytes = x.form?.kind === 'bytes' ? x.form : null;
  if (bytes?.scale !== scale || bytes.zeroPoint !== zeroPoint) {
    return refuse(node, 'does not undo a QuantizeLinear of the same scale and zero point');
  }
  return { id: bytes.of, dims: x.dims };
}

/** @type {Record<string, Translate>} */
export const QUANTIZED = { DequantizeLinear: dequantize, QuantizeLinear: quantize };
