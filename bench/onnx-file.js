// Float graph → an ONNX file such as YOLOv5's export.py writes, decoding included: for the peers, and to train on.

import { WispError } from '../web/src/error.js';
import { decodeHeads } from './onnx-decoding.js';
import { quantisedWeights, requantised } from './onnx-quantised.js';
import { OnnxWriter } from './onnx-writer.js';
import { scales } from './peer-scales.js';

/**
 * @typedef {import('../web/src/import/float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('../web/src/import/float-graph.js').GraphNode} GraphNode
 * @typedef {import('../web/src/import/float-graph.js').Conv} Conv
 * @typedef {import('./peer-scales.js').Scale} Scale
 */

/**
 * @param {FloatGraph} graph
 * @param {{batch?: number, quantised?: boolean}} [options] quantised: to 8 bits, between pairs of Q and DQ
 * @returns {Uint8Array}
 */
export function writeOnnx(graph, { batch = 1, quantised = false } = {}) {
  const { height, width } = graph.input;
  const writer = new OnnxWriter();
  writer.input('images', [batch, 3, height, width]);
  const trunk = new Trunk(writer, quantised);
  trunk.begin('images');
  for (const node of graph.nodes) trunk.add(node);
  decodeHeads(writer, graph, batch, (tensor) => trunk.nameOf(tensor));
  const names = graph.classes.map((name, i) => `${i}: '${name}'`);
  return writer.finish({ names: `{${names.join(', ')}}` });
}

/** The network up to its heads. */
class Trunk {
  #writer;
  #quantised;
  /** Names of the tensors and, quantised, their scales. @type {Map<number, {name: string, scale: Scale}>} */
  #tensors = new Map();

  /** @param {OnnxWriter} writer @param {boolean} quantised */
  constructor(writer, quantised) {
    this.#writer = writer;
    this.#quantised = quantised;
  }

  /** @param {string} input */
  begin(input) {
    this.#tensors.set(0, this.#rounded(input, scales.PICTURE));
  }

  /** @param {number} tensor */
  nameOf(tensor) {
    return this.#tensor(tensor).name;
  }

  /** @param {number} id */
  #tensor(id) {
    const found = this.#tensors.get(id);
    if (!found) throw new Error(`Tensor ${id} is read before it is written.`);
    return found;
  }

  /** @param {GraphNode} node */
  add(node) {
    this.#tensors.set(node.output, this.#write(node));
  }

  /** @param {string} name @param {Scale} scale */
  #rounded(name, scale) {
    return { name: this.#quantised ? requantised(this.#writer, name, scale) : name, scale };
  }

  /** @param {GraphNode} node @returns {{name: string, scale: Scale}} */
  #write(node) {
    const inputs = node.inputs.map((id) => this.nameOf(id));
    const { scale } = this.#tensor(node.inputs[0]);
    switch (node.op) {
      case 'conv':
        return this.#conv(node, inputs[0], scale);
      case 'silu': {
        const share = this.#rounded(this.#writer.node('Sigmoid', inputs), scales.SHARES);
        return this.#rounded(this.#writer.node('Mul', [inputs[0], share.name]), scales.FEATURES);
      }
      case 'add':
        return this.#rounded(this.#writer.node('Add', inputs), scale);
      case 'concat':
        return this.#rounded(this.#writer.node('Concat', inputs, { axis: 1 }), scale);
      case 'maxpool':
        return this.#rounded(this.#writer.node('MaxPool', inputs, windowOf(node)), scale);
      case 'upsample':
        return this.#rounded(this.#resize(inputs[0], node.factor), scale);
    }
    throw new WispError(
      'WISP_ERR_UNSUPPORTED',
      `Node "${node.name}", a ${node.op}, can't be written to an ONNX file here.`,
    );
  }

  /** @param {Conv} conv @param {string} input @param {Scale} scale of the input */
  #conv(conv, input, scale) {
    const { weight, bias, channels, kernel, groups } = conv;
    const dims = [channels[1], channels[0] / groups, ...kernel];
    const parts = this.#quantised
      ? quantisedWeights(this.#writer, conv, scale.scale)
      : [this.#writer.reals(weight, dims), ...(bias ? [this.#writer.reals(bias)] : [])];
    const how = { ...windowOf(conv), group: groups };
    return this.#rounded(this.#writer.node('Conv', [input, ...parts], how), scales.SUMS);
  }

  /** @param {string} input @param {[number, number]} factor */
  #resize(input, factor) {
    const growth = this.#writer.reals([1, 1, ...factor]);
    return this.#writer.node('Resize', [input, '', growth], {
      coordinate_transformation_mode: 'asymmetric',
      mode: 'nearest',
      nearest_mode: 'floor',
    });
  }
}

/** @param {Pick<Conv, 'kernel' | 'stride' | 'pad'>} window */
function windowOf({ kernel, stride, pad }) {
  return { kernel_shape: kernel, strides: stride, pads: pad };
}
