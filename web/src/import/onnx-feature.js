// A feature map while an ONNX graph is read, and what every translator asks of a node.

import { malformed, unsupported } from '../graph/graph-error.js';
import { list } from './onnx-node.js';

/**
 * A feature map while the graph is read. One with a `form` has no tensor of its own yet: it is the first part of
 * an operation that ONNX spells in several nodes.
 *
 * @typedef {import('./onnx-proto.js').Tensor} Tensor
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 * @typedef {import('../graph/float-graph.js').FloatGraphBuilder} FloatGraphBuilder
 * @typedef {import('../graph/float-graph.js').ActivationName} ActivationName
 * @typedef {{kind: ActivationName | 'x + 3' | 'relu6(x + 3)' | 'x relu6(x + 3)', of: number}} Part
 * @typedef {{kind: 'pixels', of: number, start: [number, number], step: [number, number]}} Pixels
 * @typedef {{kind: 'groups' | 'turned groups', of: number, groups: number}} Groups of channels, side by side and then
 *   one channel of each in turn
 * @typedef {{kind: 'bytes', of: number, scale: number, zeroPoint: number}} Bytes
 * @typedef {{id: number, dims: number[], form?: Part | Pixels | Groups | Bytes}} Feature `id` is -1 without a tensor
 * @typedef {Feature | Tensor | null} Value null is an input left out
 * @typedef {(graph: FloatGraphBuilder, node: OnnxNode, inputs: Value[]) => Feature} Translate
 */

/** @param {Value} value @returns {value is Feature} */
export const isFeature = (value) => value !== null && 'id' in value;

/** @param {OnnxNode} node */
export const describe = (node) => `Node "${node.name}" (${node.op})`;

/** @param {OnnxNode} node @param {string} why @returns {never} */
export const refuse = (node, why) =>
  unsupported(`${describe(node)} ${why}, which wisp does not know.`);

/**
 * The feature map that a node reads, which must have a tensor of its own.
 * @param {OnnxNode} node
 * @param {Value} [value]
 */
export function feature(node, value) {
  if (!value || !isFeature(value)) return malformed(`${describe(node)} lacks a feature map.`);
  if (value.id >= 0) return value;
  return refuse(node, `reads an unfinished ${value.form?.kind ?? 'value'}`);
}

/**
 * @param {OnnxNode} node
 * @param {Value | undefined} value
 * @param {string} what
 * @returns {Float32Array}
 */
export function weights(node, value, what) {
  if (!value || isFeature(value)) return refuse(node, `computes its ${what} from the picture`);
  const data = value.data instanceof Float32Array ? value.data : Float32Array.from(value.data);
  const bad = data.findIndex((x) => !Number.isFinite(x));
  if (bad < 0) return data;
  return malformed(`${describe(node)} has ${data[bad]} as number ${bad} of its ${what}.`);
}

/**
 * @param {OnnxNode} node
 * @param {string} attribute
 * @param {[number, number]} otherwise
 * @returns {[number, number]}
 */
export function pair(node, attribute, otherwise) {
  const value = list(node, [], 0, attribute) ?? otherwise;
  if (value.length !== 2) refuse(node, `has ${attribute} ${value.join('×')} instead of two sizes`);
  return [value[0], value[1]];
}

/** @param {Value} value */
export const constantOnly = (value) => (value && !isFeature(value) ? value : null);
