// Float graph → an ONNX file such as YOLOv5's export.py writes, decoding included, for the peers.

import { decodeHeads } from './onnx-decoding.js';
import { OnnxWriter } from './onnx-writer.js';

/**
 * @typedef {import('../web/src/import/float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('../web/src/import/float-graph.js').GraphNode} GraphNode
 * @typedef {import('../web/src/import/float-graph.js').Conv} Conv
 */

/**
 * @param {FloatGraph} graph
 * @param {{batch?: number}} [options]
 * @returns {Uint8Array}
 */
export function writeOnnx(graph, { batch = 1 } = {}) {
  const { height, width } = graph.input;
  const writer = new OnnxWriter();
  writer.input('images', [batch, 3, height, width]);
  const names = new Map([[0, 'images']]);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => /** @type {string} */ (names.get(id)));
    names.set(node.output, writeNode(writer, node, inputs));
  }
  decodeHeads(writer, graph, batch, (id) => /** @type {string} */ (names.get(id)));
  return writer.finish({
    names: `{${graph.classes.map((name, i) => `${i}: '${name}'`).join(', ')}}`,
  });
}

/**
 * @param {OnnxWriter} writer
 * @param {GraphNode} node
 * @param {string[]} inputs
 * @returns {string} the name of its output
 */
function writeNode(writer, node, inputs) {
  switch (node.op) {
    case 'conv':
      return writeConv(writer, node, inputs[0]);
    case 'silu':
      return writer.node('Mul', [inputs[0], writer.node('Sigmoid', inputs)]);
    case 'add':
      return writer.node('Add', inputs);
    case 'concat':
      return writer.node('Concat', inputs, { axis: 1 });
    case 'maxpool':
      return writer.node('MaxPool', inputs, windowOf(node));
    case 'upsample': {
      const scales = writer.reals([1, 1, ...node.factor]);
      const how = {
        coordinate_transformation_mode: 'asymmetric',
        mode: 'nearest',
        nearest_mode: 'floor',
      };
      return writer.node('Resize', [inputs[0], '', scales], how);
    }
  }
  throw new Error(`The bench writes no ONNX file of a network with ${node.op}; give its own file.`);
}

/** @param {OnnxWriter} writer @param {Conv} conv @param {string} input */
function writeConv(writer, conv, input) {
  const { weight, bias, channels, kernel, groups } = conv;
  const [inputs, outputs] = channels;
  const parts = [input, writer.reals(weight, [outputs, inputs / groups, ...kernel])];
  if (bias) parts.push(writer.reals(bias));
  return writer.node('Conv', parts, { ...windowOf(conv), group: groups });
}

/** @param {Pick<Conv, 'kernel' | 'stride' | 'pad'>} window */
function windowOf({ kernel, stride, pad }) {
  return { kernel_shape: kernel, strides: stride, pads: pad };
}
