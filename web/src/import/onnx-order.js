// The order in which the nodes of an ONNX graph are read: each after those it reads from, whatever order the file has.

import { malformed } from '../graph/graph-error.js';

/**
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 * @typedef {Map<string, OnnxNode>} Writers of each value, by its name
 */

/** @param {OnnxNode[]} nodes @returns {Writers} */
export function writersOf(nodes) {
  return new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
}

/**
 * The nodes that some values depend on. Each comes after what it reads, and what it reads first comes first, so that
 * the same network is read in the same order however its file is sorted.
 * @param {Writers} writers
 * @param {string[]} names of the values
 * @param {(node: OnnxNode) => boolean} [isLast] whether what a node reads is left out
 * @returns {OnnxNode[]}
 */
export function nodesBefore(writers, names, isLast = () => false) {
  /** Whether a node is in the list; false while it waits for what it reads. @type {Map<OnnxNode, boolean>} */
  const reached = new Map();
  const list = [];
  const pending = names.map((name) => writers.get(name)).reverse();
  while (pending.length > 0) {
    const node = pending[pending.length - 1];
    const done = node && reached.get(node);
    if (!node || done !== undefined) {
      pending.pop();
      if (!node || done) continue;
      reached.set(node, true);
      list.push(node);
      continue;
    }
    reached.set(node, false);
    if (isLast(node)) continue;
    const read = node.inputs.map((name) => writers.get(name));
    const circle = read.find((other) => other && reached.get(other) === false);
    if (circle) malformed(`Node "${node.name}" and node "${circle.name}" wait for each other.`);
    for (const other of read.reverse()) pending.push(other);
  }
  return list;
}
