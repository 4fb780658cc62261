// The one table of the ONNX operations that wisp runs on feature maps.

import { unsupported } from '../graph/graph-error.js';
import { CHANNELS } from './onnx-channels.js';
import { ENLARGING } from './onnx-enlarging.js';
import { describe, isFeature } from './onnx-feature.js';
import { LAYERS } from './onnx-layers.js';
import { POINTWISE } from './onnx-pointwise.js';
import { QUANTIZED } from './onnx-quantized.js';

/**
 * @typedef {import('./onnx-feature.js').Feature} Feature
 * @typedef {import('./onnx-feature.js').Translate} Translate
 * @typedef {import('./onnx-feature.js').Value} Value
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 * @typedef {import('../graph/float-graph.js').FloatGraphBuilder} FloatGraphBuilder
 */

/**
 * @param {FloatGraphBuilder} graph
 * @param {OnnxNode} node
 * @param {Value[]} inputs at least one is a feature map
 * @returns {Feature}
 */
export function translate(graph, node, inputs) {
  const translator = TRANSLATORS.get(node.op);
  if (!translator) unsupported(`${describe(node)} is an operation wisp does not know yet.`);
  return translator(graph, node, inputs);
}

/** @type {Translate} */
function pass(_, node, inputs) {
  const x = inputs[0];
  return x && isFeature(x) ? x : unsupported(`${describe(node)} lacks a feature map.`);
}

/** @type {Map<string, Translate>} */
const TRANSLATORS = new Map(
  Object.entries({
    Cast: pass,
    Dropout: pass,
    Identity: pass,
    ...CHANNELS,
    ...ENLARGING,
    ...LAYERS,
    ...POINTWISE,
    ...QUANTIZED,
  }),
);
