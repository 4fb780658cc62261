// Heads without anchors, each one convolution → the convolutions for boxes and for classes that files have.

import { formOf } from './head-forms.js';
import { tensorShapes } from './tensor-shapes.js';

/**
 * @typedef {import('./float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('./float-graph.js').GraphNode} GraphNode
 * @typedef {import('./float-graph.js').Conv} Conv
 * @typedef {{boxes: number, classes: number, stride: number}} HeadParts tensors of the logits of a scale
 * @typedef {{tensor: number, width: number}} Operand of the concatenation that a head reads
 */

/**
 * The opposite of joinHead in head-forms.js: what reads one of several tensors only, is a convolution of it alone.
 * @param {FloatGraph} graph all of whose heads are of kind yolov8
 * @returns {{nodes: GraphNode[], heads: HeadParts[]}}
 */
export function partHeads(graph) {
  const shapes = tensorShapes(graph);
  const writers = new Map(graph.nodes.map((node) => [node.output, node]));
  let next = Math.max(...graph.nodes.map(({ output }) => output)) + 1;
  /** @type {Map<GraphNode, GraphNode[]>} */
  const instead = new Map();
  const heads = graph.heads.map((head) => {
    const node = /** @type {GraphNode & Conv} */ (writers.get(head.tensor));
    const before = writers.get(node.inputs[0]);
    const operands = (before?.op === 'concat' ? before.inputs : node.inputs).map((tensor) => ({
      tensor,
      width: shapes.get(tensor)?.channels ?? 0,
    }));
    const middle = formOf(head).classes;
    const parts = [rowsOf(node, 0, middle), rowsOf(node, middle, node.channels[1])].map((part) => ({
      ...narrowed(part, operands),
      output: next++,
    }));
    instead.set(node, parts);
    return { boxes: parts[0].output, classes: parts[1].output, stride: head.stride };
  });
  const nodes = graph.nodes.flatMap((node) => instead.get(node) ?? [node]);
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const isUsed = (/** @type {GraphNode} */ { op, output }) => op !== 'concat' || read.has(output);
  return { nodes: nodes.filter(isUsed), heads };
}

/**
 * Some of the output channels.
 * @param {GraphNode & Conv} conv
 * @param {number} from
 * @param {number} to
 * @returns {GraphNode & Conv}
 */
function rowsOf(conv, from, to) {
  const each = conv.weight.length / conv.channels[1];
  return {
    ...conv,
    name: `${conv.name}.${from === 0 ? 'boxes' : 'classes'}`,
    weight: conv.weight.subarray(from * each, to * each),
    bias: conv.bias?.subarray(from, to) ?? null,
    channels: [conv.channels[0], to - from],
  };
}

/**
 * Of a convolution of 1×1 that has zeros for all operands but one, what reads this one alone.
 * @param {GraphNode & Conv} conv
 * @param {Operand[]} operands
 * @returns {GraphNode & Conv}
 */
function narrowed(conv, operands) {
  const [inputs, outputs] = conv.channels;
  let first = 0;
  const used = operands.flatMap(({ tensor, width }) => {
    const weight = new Float32Array(width * outputs);
    for (let i = 0; i < outputs; i++) {
      const at = i * inputs + first;
      weight.set(conv.weight.subarray(at, at + width), i * width);
    }
    first += width;
    return weight.some((value) => value !== 0) ? [{ tensor, width, weight }] : [];
  });
  if (used.length !== 1) return conv;
  const [{ tensor, width, weight }] = used;
  return { ...conv, inputs: [tensor], weight, channels: [width, outputs] };
}
