// Float graph → the same with blocks of weights zeroed at random: it costs what a pruned network costs.

import { WispError } from '../error.js';
import { RandomNumbers } from './random-numbers.js';

/**
 * @typedef {import('./float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('./float-graph.js').GraphNode} GraphNode
 * @typedef {import('./float-graph.js').Conv} Conv
 */

/** Weights of a block: those of one output channel at one kernel position along four input channels. */
const LANES = 4;

/**
 * In every convolution but the first and the heads, exactly this share of the blocks becomes zero. The weights
 * that stay grow and move a little, so that the outputs keep their spread and their mean. The graph that was given
 * stays as it is.
 * @param {FloatGraph} graph
 * @param {number} sparsity 0 … 1
 * @param {{seed?: number}} [options]
 * @returns {FloatGraph}
 */
export function zeroBlocks(graph, sparsity, { seed = 1 } = {}) {
  if (!(sparsity >= 0 && sparsity < 1)) {
    const sentence = `sparsity is a share of the blocks from 0 to less than 1, not ${sparsity}.`;
    throw new WispError('WISP_ERR_ARGUMENT', sentence);
  }
  if (sparsity === 0) return graph;
  const numbers = new RandomNumbers(seed);
  const operands = operandsOf(graph);
  const heads = new Set(graph.heads.map(({ tensor }) => tensor));
  const nodes = graph.nodes.map((node) => {
    const fixed = node.op !== 'conv' || node.groups > 1 || node.inputs[0] === 0;
    if (fixed || heads.has(node.output)) return node;
    const widths = /** @type {number[]} */ (operands.get(node.inputs[0]));
    return { ...node, weight: masked(node, widths, sparsity, numbers) };
  });
  const share = `${Math.round(sparsity * 1000) / 10} % of the blocks zeroed at random`;
  const source = { ...graph.source, format: `${graph.source.format}; ${share}, seed ${seed}` };
  return { ...graph, nodes, source };
}

/**
 * The channels that stand side by side in each tensor: blocks never span two operands of a concat.
 * @param {FloatGraph} graph
 * @returns {Map<number, number[]>}
 */
function operandsOf({ nodes }) {
  /** @type {Map<number, number[]>} */
  const operands = new Map([[0, [3]]]);
  for (const node of nodes) {
    const inputs = node.inputs.map((id) => /** @type {number[]} */ (operands.get(id)));
    operands.set(node.output, operandsBehind(node, inputs));
  }
  return operands;
}

/** @param {GraphNode} node @param {number[][]} inputs @returns {number[]} */
function operandsBehind(node, inputs) {
  if (node.op === 'conv') return [node.channels[1]];
  if (node.op === 'concat') return inputs.flat();
  return node.op === 'focus' ? [12] : inputs[0];
}

/**
 * @param {Conv} conv
 * @param {number[]} widths channels of each operand
 * @param {number} sparsity
 * @param {RandomNumbers} numbers
 * @returns {Float32Array}
 */
function masked({ weight, channels: [inputs, outputs], kernel }, widths, sparsity, numbers) {
  const taps = kernel[0] * kernel[1];
  const planes = planesOf(widths);
  const result = weight.slice();
  let left = outputs * taps * planes.length;
  let zeros = Math.round(left * sparsity);
  for (let output = 0; output < outputs; output++) {
    for (let tap = 0; tap < taps; tap++) {
      for (const [first, count] of planes) {
        if (numbers.uniform() * left-- >= zeros) continue; // selection sampling: Knuth, 3.4.2 S
        zeros--;
        const at = (output * inputs + first) * taps + tap;
        for (let lane = 0; lane < count; lane++) result[at + lane * taps] = 0;
      }
    }
  }
  const length = inputs * taps;
  for (let at = 0; at < result.length; at += length) {
    makeUp(result.subarray(at, at + length), weight.subarray(at, at + length), sparsity);
  }
  return result;
}

/** @param {Float32Array} kept one filter without its blocks @param {Float32Array} full @param {number} sparsity */
function makeUp(kept, full, sparsity) {
  const gain = 1 / Math.sqrt(1 - sparsity);
  const sum = (/** @type {Float32Array} */ filter) => filter.reduce((all, value) => all + value, 0);
  const count = kept.reduce((all, value) => all + Number(value !== 0), 0);
  const shift = (sum(full) - gain * sum(kept)) / Math.max(1, count);
  kept.forEach((value, i) => {
    if (value !== 0) kept[i] = gain * value + shift;
  });
}

/** First channel and number of channels of each plane. @param {number[]} widths @returns {[number, number][]} */
function planesOf(widths) {
  let first = 0;
  return widths.flatMap((width) => {
    const start = first;
    first += width;
    return Array.from({ length: Math.ceil(width / LANES) }, (_, plane) => {
      const at = plane * LANES;
      return /** @type {[number, number]} */ ([start + at, Math.min(LANES, width - at)]);
    });
  });
}
