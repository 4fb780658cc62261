// Float graph → the same with batch norms folded into the convolutions before them, as exporters do it.

/**
 * @typedef {import('./float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('./float-graph.js').GraphNode} GraphNode
 */

/**
 * An affine node stays where its input is no convolution's, or is read by others too.
 * @param {GraphNode[]} nodes in execution order
 * @param {number[]} outputs tensors that the network ends in
 * @returns {GraphNode[]}
 */
export function foldAffine(nodes, outputs) {
  /** @type {Map<number, number>} */
  const readers = new Map(outputs.map((tensor) => [tensor, 1]));
  for (const { inputs } of nodes)
    for (const tensor of inputs) readers.set(tensor, (readers.get(tensor) ?? 0) + 1);
  /** By the tensors they write. @type {Map<number, GraphNode>} */
  const kept = new Map();
  for (const node of nodes) {
    const [input] = node.inputs;
    const conv = kept.get(input);
    if (node.op !== 'affine' || conv?.op !== 'conv' || conv.range || readers.get(input) !== 1) {
      kept.set(node.output, node);
      continue;
    }
    const { scale, bias: shift, output, range } = node;
    const each = conv.weight.length / scale.length;
    const weight = conv.weight.map((w, i) => w * scale[Math.floor(i / each)]);
    const bias = shift.map((b, channel) => b + (conv.bias?.[channel] ?? 0) * scale[channel]);
    kept.delete(input);
    kept.set(output, { ...conv, weight, bias, output, ...(range && { range }) });
  }
  return [...kept.values()];
}
