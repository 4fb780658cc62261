// Float graph → the same with blocks of weights zeroed at random: it costs what a pruned network costs.

import { WispError } from '../error.js';
import { BY_CHANNEL } from './part-convolutions.js';
import { RandomNumbers } from './random-numbers.js';
import { tensorShapes } from './tensor-shapes.js';

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
  const origins = originsOf(graph);
  const heads = new Set(graph.heads.map(({ tensor }) => tensor));
  const nodes = graph.nodes.map((node) => {
    if (node.op !== 'conv' || node.groups > 1 || heads.has(node.output)) return node;
    const read = /** @type {Origin[]} */ (origins.get(node.inputs[0]));
    if (read[0].tensor === 0) return node;
    return { ...node, weight: masked(node, planesOf(read), sparsity, numbers) };
  });
  const share = `${Math.round(sparsity * 1000) / 10} % of the blocks zeroed at random`;
  const source = { ...graph.source, format: `${graph.source.format}; ${share}, seed ${seed}` };
  return { ...graph, nodes, source };
}

/** @typedef {{tensor: number, channel: number}} Origin of a channel: what the runtime keeps it in */

/**
 * Where the channels of each tensor lie: a concatenation, a selection and what follows a convolution by channel leave
 * them where they are. Blocks never span two tensors.
 * @param {FloatGraph} graph
 * @returns {Map<number, Origin[]>}
 */
function originsOf(graph) {
  const shapes = tensorShapes(graph);
  const own = (/** @type {number} */ tensor) =>
    Array.from({ length: shapes.get(tensor)?.channels ?? 0 }, (_, channel) => ({
      tensor,
      channel,
    }));
  const origins = new Map([[0, own(0)]]);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => /** @type {Origin[]} */ (origins.get(id)));
    origins.set(node.output, originsBehind(node, inputs) ?? own(node.output));
  }
  return origins;
}

/** @param {GraphNode} node @param {Origin[][]} inputs @returns {Origin[] | null} null: in a tensor of its own */
function originsBehind(node, inputs) {
  if (node.op === 'concat') return inputs.flat();
  if (node.op === 'select') return node.channels.map((channel) => inputs[0][channel]);
  if (node.op === 'focus')
    return Array.from({ length: 12 }, (_, channel) => ({ tensor: 0, channel }));
  const follows = BY_CHANNEL.includes(node.op) || (node.op === 'conv' && node.groups > 1);
  return follows ? inputs[0] : null;
}

/**
 * @param {Conv} conv
 * @param {number[][]} planes channels that blocks are made of
 * @param {number} sparsity
 * @param {RandomNumbers} numbers
 * @returns {Float32Array}
 */
function masked({ weight, channels: [inputs, outputs], kernel }, planes, sparsity, numbers) {
  const taps = kernel[0] * kernel[1];
  const result = weight.slice();
  let left = outputs * taps * planes.length;
  let zeros = Math.round(left * sparsity);
  for (let output = 0; output < outputs; output++) {
    for (let tap = 0; tap < taps; tap++) {
      for (const channels of planes) {
        if (numbers.uniform() * left-- >= zeros) continue; // selection sampling: Knuth, 3.4.2 S
        zeros--;
        for (const channel of channels) result[(output * inputs + channel) * taps + tap] = 0;
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

/** Channels whose weights stand in one block. @param {Origin[]} origins @returns {number[][]} */
function planesOf(origins) {
  /** @type {Map<string, number[]>} */
  const planes = new Map();
  origins.forEach(({ tensor, channel }, i) => {
    const plane = `${tensor}:${Math.floor(channel / LANES)}`;
    planes.set(plane, [...(planes.get(plane) ?? []), i]);
  });
  return [...planes.values()];
}
