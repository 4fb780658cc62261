// How large the tensors of a float graph are.

/**
 * @typedef {import('./float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('./float-graph.js').GraphNode} GraphNode
 * @typedef {{channels: number, height: number, width: number}} TensorShape
 */

/** @param {Pick<FloatGraph, 'input' | 'nodes'>} graph @returns {Map<number, TensorShape>} */
export function tensorShapes({ input, nodes }) {
  const shapes = new Map([[0, { channels: 3, ...input }]]);
  for (const node of nodes) {
    const inputs = node.inputs.map((id) => /** @type {TensorShape} */ (shapes.get(id)));
    shapes.set(node.output, shapeBehind(node, inputs));
  }
  return shapes;
}

/** @param {GraphNode} node @param {TensorShape[]} inputs @returns {TensorShape} */
function shapeBehind(node, inputs) {
  const [{ channels, height, width }] = inputs;
  switch (node.op) {
    case 'conv':
      return { channels: node.channels[1], ...windowed(node, inputs[0]) };
    case 'maxpool':
      return { channels, ...windowed(node, inputs[0]) };
    case 'upsample':
      return { channels, height: height * node.factor[0], width: width * node.factor[1] };
    case 'concat':
      return { ...inputs[0], channels: inputs.reduce((sum, one) => sum + one.channels, 0) };
    case 'select':
      return { ...inputs[0], channels: node.channels.length };
    case 'focus':
      return { channels: 4 * channels, height: height / 2, width: width / 2 };
    case 'average':
      return { channels, height: 1, width: 1 };
  }
  return inputs[0];
}

/** @param {Pick<import('./float-graph.js').Conv, 'kernel' | 'stride' | 'pad'>} window @param {TensorShape} input */
function windowed({ kernel, stride, pad }, { height, width }) {
  const [rows, columns] = [height, width].map(
    (size, axis) =>
      Math.floor((size + pad[axis] + pad[axis + 2] - kernel[axis]) / stride[axis]) + 1,
  );
  return { height: rows, width: columns };
}
