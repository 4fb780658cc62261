// Moves a network's objectness, so that as many boxes come out of a picture as of a trained network's.

import { boxHeads, formOf } from './head-forms.js';

/**
 * @typedef {import('./float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('./float-graph.js').GraphNode} GraphNode
 */

const LEAST = 1e-6; // of a score that is looked at

/**
 * What to add to the objectness so that about `count` of the boxes pass the threshold.
 * @param {number[]} scores of a picture's boxes without NMS, best first; their classes almost certain
 * @param {number} count
 * @param {number} threshold
 */
export function objectnessFor(scores, count, threshold) {
  const score = Math.min(
    Math.max(scores[Math.min(count, scores.length) - 1] ?? 0, LEAST),
    1 - LEAST,
  );
  return logit(threshold) - logit(score);
}

/** @param {number} score */
const logit = (score) => Math.log(score / (1 - score));

/**
 * The same graph with `shift` added to the objectness of every anchor; to its classes where it has none.
 * @param {FloatGraph} graph
 * @param {number} shift
 * @returns {FloatGraph}
 */
export function shiftObjectness(graph, shift) {
  const heads = new Map(boxHeads(graph.heads).map((head) => [head.tensor, formOf(head)]));
  const nodes = graph.nodes.map((/** @type {GraphNode} */ node) => {
    const form = heads.get(node.output);
    if (node.op !== 'conv' || !form) return node;
    const end = form.classes + graph.classes.length;
    const fields = end + form.masks;
    const bias = Float32Array.from(node.bias ?? new Float32Array(node.channels[1]));
    const isShifted = (/** @type {number} */ field) =>
      form.objectness < 0 ? field >= form.classes && field < end : field === form.objectness;
    bias.forEach((_, i) => {
      if (isShifted(i % fields)) bias[i] += shift;
    });
    return { ...node, bias };
  });
  return { ...graph, nodes };
}
