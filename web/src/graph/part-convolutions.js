// A convolution of which all readers take parts → one for each part: the halves of YOLOv8's C2f, which are added to.

import { ACTIVATION_NAMES } from './float-graph.js';

/**
 * @typedef {import('./float-graph.js').GraphNode} GraphNode
 * @typedef {import('./float-graph.js').Select} Select
 */

/** What may stand between a convolution and its parts: operations channel by channel. @type {string[]} */
export const BY_CHANNEL = ['affine', 'leaky', ...ACTIVATION_NAMES];

/**
 * Of networks that add to a part: an addition needs a whole tensor. Others stay as they are.
 * @param {GraphNode[]} nodes in execution order
 * @param {number[]} outputs tensors that are read by others than nodes
 * @returns {GraphNode[]}
 */
export function partConvolutions(nodes, outputs) {
  const writers = new Map(nodes.map((node) => [node.output, node]));
  /** @type {Map<number, GraphNode[]>} */
  const readers = new Map();
  for (const node of nodes)
    for (const tensor of node.inputs) readers.set(tensor, [...(readers.get(tensor) ?? []), node]);
  const isPart = (/** @type {number} */ tensor) => writers.get(tensor)?.op === 'select';
  if (!nodes.some(({ op, inputs }) => op === 'add' && inputs.some(isPart))) return nodes;
  let next = Math.max(...nodes.map(({ output }) => output)) + 1;
  /** What stands in place of a node. @type {Map<GraphNode, GraphNode[]>} */
  const instead = new Map();
  for (const node of nodes) {
    const parts = readers.get(node.output) ?? [];
    const chain = chainTo(node, writers, readers);
    if (!chain || outputs.includes(node.output) || !areParts(parts, chain[0])) continue;
    const copies = parts.flatMap((part) => {
      const { channels } = /** @type {GraphNode & Select} */ (part);
      let [input] = chain[0].inputs;
      return chain.map((link, i) => {
        const output = i === chain.length - 1 ? part.output : next++;
        const copy = { ...only(link, channels), inputs: [input], output };
        input = output;
        return copy;
      });
    });
    for (const gone of [...chain, ...parts]) instead.set(gone, []);
    instead.set(node, copies);
  }
  return nodes.flatMap((node) => instead.get(node) ?? [node]);
}

/**
 * A convolution and what follows it up to a node, each read by the next alone; null if the node doesn't end one.
 * @param {GraphNode} node
 * @param {Map<number, GraphNode>} writers
 * @param {Map<number, GraphNode[]>} readers
 * @returns {GraphNode[] | null}
 */
function chainTo(node, writers, readers) {
  if (node.range) return null;
  if (node.op === 'conv') return node.groups === 1 ? [node] : null;
  const before = BY_CHANNEL.includes(node.op) && writers.get(node.inputs[0]);
  if (!before || readers.get(before.output)?.length !== 1) return null;
  const chain = chainTo(before, writers, readers);
  return chain && [...chain, node];
}

/** Whether they take each channel of a convolution once. @param {GraphNode[]} parts @param {GraphNode} conv */
function areParts(parts, conv) {
  if (conv.op !== 'conv' || parts.length < 2) return false;
  const taken = new Set(parts.flatMap((part) => (part.op === 'select' ? part.channels : [-1])));
  const count = parts.reduce(
    (sum, one) => sum + (one.op === 'select' ? one.channels.length : 1),
    0,
  );
  return !taken.has(-1) && taken.size === conv.channels[1] && count === taken.size;
}

/** The same for some of its channels. @param {GraphNode} node @param {number[]} channels @returns {GraphNode} */
function only(node, channels) {
  const pick = (/** @type {Float32Array} */ values, each = 1) => {
    const picked = new Float32Array(channels.length * each);
    channels.forEach((channel, i) => {
      picked.set(values.subarray(channel * each, (channel + 1) * each), i * each);
    });
    return picked;
  };
  if (node.op === 'affine') return { ...node, scale: pick(node.scale), bias: pick(node.bias) };
  if (node.op !== 'conv') return node;
  const weight = pick(node.weight, node.weight.length / node.channels[1]);
  const bias = node.bias && pick(node.bias);
  return { ...node, weight, bias, channels: [node.channels[0], channels.length] };
}
