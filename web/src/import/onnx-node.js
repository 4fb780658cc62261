// What every reader of an ONNX node asks of it: inputs, attributes, axes.

import { malformed } from '../graph/graph-error.js';

/**
 * @typedef {import('./onnx-proto.js').Tensor} Tensor
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 */

/**
 * @param {OnnxNode} node
 * @param {(Tensor | null)[]} inputs
 * @param {number} index
 */
export function need(node, inputs, index) {
  const input = inputs[index];
  return input ?? malformed(`Node "${node.name}" (${node.op}) lacks its input ${index}.`);
}

/**
 * A number list that older opsets keep in an attribute and newer ones in an input.
 * @param {OnnxNode} node
 * @param {(Tensor | null)[]} inputs
 * @param {number} index
 * @param {string} attribute
 */
export function list(node, inputs, index, attribute) {
  const input = inputs[index];
  if (input) return Array.from(input.data);
  const value = node.attributes.get(attribute);
  return Array.isArray(value) ? value : null;
}

/**
 * @param {OnnxNode} node
 * @param {string} attribute
 * @param {number} otherwise
 */
export function number(node, attribute, otherwise) {
  const value = node.attributes.get(attribute);
  return typeof value === 'number' ? value : otherwise;
}

/**
 * @param {OnnxNode} node
 * @param {number} axis may be negative
 * @param {number} rank
 */
export function checkedAxis(node, axis, rank) {
  const index = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(index) && index >= 0 && index < rank) return index;
  return malformed(`Node "${node.name}" (${node.op}) names axis ${axis} of a ${rank}-d tensor.`);
}
