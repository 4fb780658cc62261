// ONNX arithmetic on feature maps → activations, residual adds and per-channel affine nodes.

import { ACTIVATION_NAMES, ACTIVATIONS } from '../graph/float-graph.js';
import { malformed } from '../graph/graph-error.js';
import { constantOnly, describe, feature, isFeature, refuse, weights } from './onnx-feature.js';
import { list, number } from './onnx-node.js';

/**
 * @typedef {import('./onnx-feature.js').Feature} Feature
 * @typedef {import('./onnx-feature.js').Translate} Translate
 * @typedef {import('./onnx-feature.js').Value} Value
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 * @typedef {import('./onnx-proto.js').Tensor} Tensor
 * @typedef {import('../graph/float-graph.js').FloatGraphBuilder} FloatGraphBuilder
 * @typedef {import('../graph/float-graph.js').ActivationName} ActivationName
 */

/** @type {Translate} */
function batchNormalization(graph, node, inputs) {
  const x = feature(node, inputs[0]);
  const names = ['scale', 'bias', 'mean', 'variance'];
  const [gamma, beta, mean, variance] = names.map((name, i) => weights(node, inputs[i + 1], name));
  const epsilon = number(node, 'epsilon', 1e-5);
  const scale = gamma.map((g, c) => g / Math.sqrt(variance[c] + epsilon));
  return affine(
    graph,
    node,
    x,
    scale,
    beta.map((b, c) => b - mean[c] * scale[c]),
  );
}

/**
 * @param {FloatGraphBuilder} graph
 * @param {OnnxNode} node
 * @param {Feature} x
 * @param {Float32Array} scale
 * @param {Float32Array} bias
 * @returns {Feature}
 */
function affine(graph, node, x, scale, bias) {
  const channels = x.dims[1];
  if (scale.length !== channels || bias.length !== channels) {
    refuse(node, `combines ${channels} channels with ${scale.length} numbers`);
  }
  if (x.id === 0) refuse(node, 'scales the picture itself (wisp feeds RGB in 0…1)');
  return { id: graph.add(node.name, [x.id], { op: 'affine', scale, bias }), dims: x.dims };
}

/**
 * A constant of one number, or one for each channel.
 * @param {OnnxNode} node
 * @param {Tensor} constant
 * @param {number} channels
 */
function perChannel(node, constant, channels) {
  const numbers = weights(node, constant, 'constant');
  if (numbers.length === 1) return new Float32Array(channels).fill(numbers[0]);
  const { dims } = constant;
  if (numbers.length === channels && dims[dims.length - 3] === channels) return numbers;
  return refuse(node, `combines a feature map with a constant of ${dims.join('×')}`);
}

/**
 * A node of its own, which nobody reads where x times it is one activation.
 * @param {FloatGraphBuilder} graph
 * @param {OnnxNode} node
 * @param {{id: number, dims: number[]}} x
 * @param {ActivationName} op
 * @returns {Feature}
 */
function activation(graph, node, x, op) {
  const id = graph.add(node.name, [x.id], { op });
  return { id, dims: x.dims, form: ACTIVATIONS[op].gates && { kind: op, of: x.id } };
}

/** @param {number} a @param {number} b */
const close = (a, b) => Math.abs(a - b) < 1e-3 * Math.abs(b);

/** @param {ActivationName} op @returns {Translate} */
function reading(op) {
  return (graph, node, inputs) => {
    const x = feature(node, inputs[0]);
    for (const [name, { value, otherwise }] of Object.entries(ACTIVATIONS[op].attributes ?? {})) {
      const given = number(node, name, otherwise);
      if (!close(given, value)) refuse(node, `has ${name} ${given} instead of ${value}`);
    }
    return activation(graph, node, x, op);
  };
}

/** @type {Translate} */
function leaky(graph, node, inputs) {
  const x = feature(node, inputs[0]);
  const slope = number(node, 'alpha', 0.01);
  return { id: graph.add(node.name, [x.id], { op: 'leaky', slope }), dims: x.dims };
}

/** @type {Translate} */
function clip(_, node, inputs) {
  const [x, low, high] = [
    inputs[0],
    list(node, inputs.map(constantOnly), 1, 'min')?.[0] ?? number(node, 'min', -Infinity),
    list(node, inputs.map(constantOnly), 2, 'max')?.[0] ?? number(node, 'max', Infinity),
  ];
  if (x && isFeature(x) && x.form?.kind === 'x + 3' && low === 0 && high === 6) {
    return { id: -1, dims: x.dims, form: { kind: 'relu6(x + 3)', of: x.form.of } };
  }
  return refuse(node, `limits values to ${low}…${high}`);
}

/**
 * The operation that x · part completes.
 * @param {Feature} x
 * @param {Feature} part
 * @returns {ActivationName | 'x relu6(x + 3)' | undefined}
 */
function product(x, { form }) {
  if (!form || form.of !== x.id) return undefined;
  if (form.kind === 'relu6(x + 3)') return 'x relu6(x + 3)';
  const gate = ACTIVATION_NAMES.find((name) => name === form.kind);
  return gate && ACTIVATIONS[gate].gates;
}

/** @type {Translate} */
function multiply(graph, node, inputs) {
  const [a, b] = inputs;
  if (!a || !b) return malformed(`${describe(node)} lacks an input.`);
  if (!isFeature(a)) return scale(graph, node, /** @type {Feature} */ (b), a);
  if (!isFeature(b)) return scale(graph, node, a, b);
  const [x, op] = product(a, b) ? [a, product(a, b)] : [b, product(b, a)];
  if (!op) return scaleChannels(graph, node, a, b);
  if (op === 'x relu6(x + 3)') return { id: -1, dims: x.dims, form: { kind: op, of: x.id } };
  return { id: graph.add(node.name, [x.id], { op }), dims: x.dims };
}

/** Whether it is one number a channel. @param {Feature} x */
const isPixel = ({ dims }) => dims.length === 4 && dims[2] === 1 && dims[3] === 1;

/**
 * A feature map times one of 1×1.
 * @param {FloatGraphBuilder} graph
 * @param {OnnxNode} node
 * @param {Feature} a
 * @param {Feature} b
 * @returns {Feature}
 */
function scaleChannels(graph, node, a, b) {
  const [x, by] = isPixel(b) ? [a, b] : [b, a];
  if (!isPixel(by) || x.dims[1] !== by.dims[1]) refuse(node, 'multiplies two feature maps');
  const inputs = [feature(node, x).id, feature(node, by).id];
  return { id: graph.add(node.name, inputs, { op: 'scale' }), dims: x.dims };
}

/**
 * @param {FloatGraphBuilder} graph
 * @param {OnnxNode} node
 * @param {Feature} x
 * @param {Tensor} constant
 * @returns {Feature}
 */
function scale(graph, node, x, constant) {
  const sixth = constant.data.length === 1 && close(constant.data[0], 1 / 6);
  if (sixth && x.form?.kind === 'relu6(x + 3)') {
    return activation(graph, node, { id: x.form.of, dims: x.dims }, 'hardsigmoid');
  }
  if (sixth && x.form?.kind === 'x relu6(x + 3)') {
    return { id: graph.add(node.name, [x.form.of], { op: 'hardswish' }), dims: x.dims };
  }
  const factors = perChannel(node, constant, x.dims[1]);
  return affine(graph, node, feature(node, x), factors, new Float32Array(factors.length));
}

/** @type {Translate} */
function divide(graph, node, inputs) {
  const [x, constant] = inputs;
  if (!x || !isFeature(x) || !constant || isFeature(constant)) {
    return refuse(node, 'divides by a feature map');
  }
  const data = Float32Array.from(constant.data, (value) => 1 / value);
  return scale(graph, node, x, { dims: constant.dims, data });
}

/** @type {Translate} */
function add(graph, node, inputs) {
  const [a, b] = inputs;
  if (a && b && isFeature(a) && isFeature(b)) {
    const [x, y] = [feature(node, a), feature(node, b)];
    if (x.dims.join() !== y.dims.join()) refuse(node, 'adds feature maps of different sizes');
    return { id: graph.add(node.name, [x.id, y.id], { op: 'add' }), dims: x.dims };
  }
  const x = feature(node, a && isFeature(a) ? a : b);
  const constant = constantOnly(a ?? null) ?? constantOnly(b ?? null);
  if (!constant) return malformed(`${describe(node)} lacks an input.`);
  if (constant.data.length === 1 && constant.data[0] === 3) {
    return { id: -1, dims: x.dims, form: { kind: 'x + 3', of: x.id } };
  }
  const bias = perChannel(node, constant, x.dims[1]);
  return affine(graph, node, x, new Float32Array(bias.length).fill(1), bias);
}

/** @type {[string, Translate][]} */
const NODES = ACTIVATION_NAMES.flatMap((op) => {
  const { onnx } = ACTIVATIONS[op];
  return onnx ? [[onnx, reading(op)]] : [];
});

/** @type {Record<string, Translate>} */
export const POINTWISE = {
  ...Object.fromEntries(NODES),
  Add: add,
  BatchNormalization: batchNormalization,
  Clip: clip,
  Div: divide,
  LeakyRelu: leaky,
  Mul: multiply,
};
