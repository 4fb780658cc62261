// An ONNX file that was quantised after training → the network in floats that it stands for.
//
// The integers of its weights become real numbers again, and what rounds activations goes away: the press finds ranges
// of its own, from pictures. How each operation counts: https://onnx.ai/onnx/operators and, for those that begin with
// QLinear and aren't ONNX's own, onnxruntime's docs/ContribOperators.md.

import { constantOnly, refuse } from './onnx-feature.js';
import { writersOf } from './onnx-order.js';
import { toReal } from './onnx-real.js';

/**
 * @typedef {import('./onnx-proto.js').OnnxModel} OnnxModel
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 * @typedef {import('./onnx-proto.js').Tensor} Tensor
 */

/** Which inputs are values, each before its scale and zero point. @type {Record<string, [string, number[]]>} */
const ELEMENTWISE = {
  QLinearAdd: ['Add', [0, 3]],
  QLinearLeakyRelu: ['LeakyRelu', [0]],
  QLinearMul: ['Mul', [0, 3]],
  QLinearSigmoid: ['Sigmoid', [0]],
};

/** @param {OnnxModel} model @param {OnnxNode} node @param {number} index of an input that is known */
function known(model, node, index) {
  const tensor = constantOnly(model.constants.get(node.inputs[index]) ?? null);
  return tensor ?? refuse(node, `computes its input ${index} from others`);
}

/**
 * The name of a value as real numbers: of a constant, which is added, or of what was made real where it is computed.
 * @param {OnnxModel} model
 * @param {OnnxNode} node
 * @param {number} index of the value; its scale and zero point follow
 */
function real(model, node, index) {
  const name = node.inputs[index];
  const integers = model.constants.get(name);
  if (!integers) return name;
  const [scale, zero] = [known(model, node, index + 1), known(model, node, index + 2)];
  return constant(model, `${name} of ${node.name}`, toReal(node, integers, scale, zero));
}

/** @param {OnnxModel} model @param {string} name @param {Tensor} tensor */
function constant({ constants }, name, tensor) {
  constants.set(name, tensor);
  return name;
}

/** @type {Record<string, (model: OnnxModel, node: OnnxNode) => Partial<OnnxNode>>} */
const REWRITES = {
  QuantizeLinear: passUnlessKnown,
  DequantizeLinear: passUnlessKnown,

  /** Scale 1 and zero point 0 in place of those that it measures. */
  DynamicQuantizeLinear(model, { inputs, outputs }) {
    constant(model, outputs[1], { dims: [], data: Float32Array.of(1) });
    constant(model, outputs[2], { dims: [], data: Float64Array.of(0) });
    return { op: 'Identity', inputs, outputs: outputs.slice(0, 1) };
  },

  QLinearConv(model, node) {
    const [xScale, , weight, scale, zero] = [1, 2, 3, 4, 5].map((i) => known(model, node, i));
    const inputs = [
      node.inputs[0],
      constant(model, `weights of ${node.name}`, toReal(node, weight, scale, zero)),
    ];
    if (node.inputs[8]) {
      const steps = { dims: scale.dims, data: scale.data.map((s) => s * xScale.data[0]) };
      const bias = toReal(node, known(model, node, 8), steps, null);
      inputs.push(constant(model, `bias of ${node.name}`, bias));
    }
    return { op: 'Conv', inputs };
  },

  /** Scale and zero point of the output come first, then three inputs for each value. */
  QLinearConcat(model, node) {
    const values = node.inputs.flatMap((_, i) => (i >= 2 && i % 3 === 2 ? [i] : []));
    return { op: 'Concat', inputs: values.map((i) => real(model, node, i)) };
  },
};

/** Constants are computed when their turn comes. @param {OnnxModel} model @param {OnnxNode} node */
function passUnlessKnown({ constants }, { inputs, op }) {
  return constants.has(inputs[0]) ? { op } : { op: 'Identity', inputs: inputs.slice(0, 1) };
}

/**
 * Whether integers were made of the network's weights after training. One that was trained with rounded activations
 * holds its weights as floats, and keeps its ranges.
 * @param {OnnxModel} model
 */
export function isQuantised({ nodes, constants }) {
  return nodes.some(
    ({ op, inputs }) =>
      op === 'QLinearConv' ||
      op === 'ConvInteger' ||
      (op === 'DequantizeLinear' && constants.has(inputs[0])),
  );
}

/**
 * What is to be said where the boxes of a file were rounded so far that each score, which is 1 at most, became 0: so
 * onnxruntime's quantiser leaves them, unless it is told to spare the decoding.
 * @param {OnnxModel} model
 * @returns {string[]}
 */
export function remarksOnBoxes({ nodes, outputs, constants }) {
  const last = writersOf(nodes).get(outputs[0]);
  const scale = last?.op === 'DequantizeLinear' && constants.get(last.inputs[1]);
  const step = constantOnly(scale || null)?.data[0] ?? 0;
  if (step <= 2) return [];
  return [
    `Its boxes were rounded too, to steps of ${step.toFixed(1)}, so every score is 0 and other programs ` +
      'find nothing; wisp computes boxes itself',
  ];
}

/**
 * @param {OnnxModel} model that `isQuantised`; constants are added to it
 * @returns {OnnxModel}
 */
export function dequantised(model) {
  const nodes = withoutIntegerSums(model).map((node) => {
    const [op, values] = ELEMENTWISE[node.op] ?? [];
    if (op && values) return { ...node, op, inputs: values.map((i) => real(model, node, i)) };
    return { ...node, ...REWRITES[node.op]?.(model, node) };
  });
  return { ...model, nodes };
}

/**
 * ConvInteger gives sums, which the nodes behind it scale; the bias is added to what is real, or before that to the
 * integers. One convolution stands for all.
 * @param {OnnxModel} model
 */
function withoutIntegerSums(model) {
  const { nodes, constants } = model;
  const writers = writersOf(nodes);
  const reader = readersOf(nodes);
  const other = (/** @type {OnnxNode} */ { inputs }, /** @type {string} */ name) =>
    inputs.find((input) => input !== name) ?? '';
  /** @type {Map<OnnxNode, OnnxNode | undefined>} */
  const changed = new Map();
  for (const node of nodes.filter(({ op }) => op === 'ConvInteger')) {
    const early = reader(node.outputs[0], 'Add');
    const sums = constantOnly((early && constants.get(other(early, node.outputs[0]))) || null);
    const cast = reader((early ?? node).outputs[0], 'Cast');
    const scaled = cast && reader(cast.outputs[0], 'Mul');
    const unit = scaled && unitOf(model, node, writers, other(scaled, cast.outputs[0]));
    if (!scaled || !unit || Boolean(early) !== Boolean(sums))
      return refuse(node, 'sums integers that nobody scales');
    const zero = node.inputs[3] ? known(model, node, 3) : null;
    const weight = toReal(node, known(model, node, 1), unit.weights, zero);
    const inputs = [node.inputs[0], constant(model, `weights of ${node.name}`, weight)];
    const late = reader(scaled.outputs[0], 'Add');
    const shaped = late && writers.get(other(late, scaled.outputs[0]));
    const bias = shaped?.op === 'Reshape' && constants.get(shaped.inputs[0]);
    const own = sums
      ? toReal(node, { ...sums, dims: [sums.data.length] }, unit.sums, null)
      : late && bias && { ...bias, dims: [bias.data.length] };
    if (own) inputs.push(constant(model, `bias of ${node.name}`, own));
    const end = late && bias && !sums ? late : scaled;
    for (const part of [early, cast, scaled, end]) if (part) changed.set(part, undefined);
    changed.set(node, { ...node, op: 'Conv', inputs, outputs: end.outputs });
  }
  return nodes.flatMap((node) => (changed.has(node) ? (changed.get(node) ?? []) : node));
}

/**
 * What an integer of the weights stands for, and one of the sums: the second is the first times a step of the picture,
 * which is measured (a Mul of both) or known.
 * @param {OnnxModel} model
 * @param {OnnxNode} node
 * @param {import('./onnx-order.js').Writers} writers
 * @param {string} name of the factor by which sums are multiplied
 */
function unitOf(model, node, writers, name) {
  const sums = constantOnly(model.constants.get(name) ?? null);
  if (!sums) {
    const factors = writers.get(name)?.inputs.map((input) => model.constants.get(input));
    const weights = constantOnly(factors?.find(Boolean) ?? null);
    return weights && { weights, sums: weights };
  }
  const rounds = writers.get(node.inputs[0]);
  if (rounds?.op !== 'QuantizeLinear') return null;
  const [step] = known(model, rounds, 1).data;
  return { weights: { ...sums, data: sums.data.map((unit) => unit / step) }, sums };
}

/**
 * Finds the one node of an operation that reads a value.
 * @param {OnnxNode[]} nodes
 * @returns {(name: string, op: string) => OnnxNode | undefined}
 */
function readersOf(nodes) {
  /** @type {Map<string, OnnxNode[]>} */
  const readers = new Map();
  for (const node of nodes)
    for (const name of node.inputs) {
      const list = readers.get(name) ?? [];
      readers.set(name, list);
      list.push(node);
    }
  return (name, op) => {
    const [first, second] = readers.get(name) ?? [];
    return second || first?.op !== op ? undefined : first;
  };
}
