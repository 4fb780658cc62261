// Float graph → an ONNX file such as YOLOv5's export.py writes, decoding included: to train on, and for other engines.

import { WispError } from '../error.js';
import { ACTIVATION_NAMES, ACTIVATIONS, PLAIN } from '../graph/float-graph.js';
import { decodeHeads } from './onnx-decoding.js';
import { OnnxWriter } from './onnx-writer.js';

/**
 * @typedef {import('../graph/float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('../graph/float-graph.js').GraphNode} GraphNode
 * @typedef {import('../graph/float-graph.js').Conv} Conv
 * @typedef {import('../graph/float-graph.js').ActivationName} ActivationName
 * @typedef {import('../graph/float-graph.js').Plain} Plain
 *
 * @typedef {'picture' | 'sums' | 'shares' | 'features'} Kind of a tensor's values: 0 … 1; those of a convolution;
 *   those of a sigmoid; those of an activation
 * @typedef {object} Rounding what a network in integers has besides; each gives names of what stands for what it got
 * @property {(writer: OnnxWriter, name: string, like: Kind | string) => string} tensor like: a tensor of the same kind
 * @property {(writer: OnnxWriter, conv: Conv, input: string) => string[]} weights and bias
 */

/**
 * @param {FloatGraph} graph
 * @param {{batch?: number, rounding?: Rounding}} [options]
 * @returns {Uint8Array}
 */
export function writeOnnx(graph, { batch = 1, rounding } = {}) {
  const { height, width } = graph.input;
  const writer = new OnnxWriter();
  writer.input('images', [batch, 3, height, width]);
  const trunk = new Trunk(writer, rounding);
  trunk.begin('images');
  for (const node of graph.nodes) trunk.add(node);
  decodeHeads(writer, graph, batch, (tensor) => trunk.nameOf(tensor));
  const names = graph.classes.map((name, i) => `${i}: '${name}'`);
  return writer.finish({ names: `{${names.join(', ')}}` });
}

/** The network up to its heads. */
class Trunk {
  #writer;
  #rounding;
  /** Names of the tensors. @type {Map<number, string>} */
  #names = new Map();

  /** @param {OnnxWriter} writer @param {Rounding} [rounding] */
  constructor(writer, rounding) {
    this.#writer = writer;
    this.#rounding = rounding;
  }

  /** @param {string} input */
  begin(input) {
    this.#names.set(0, this.#rounded(input, 'picture'));
  }

  /** @param {number} tensor */
  nameOf(tensor) {
    const name = this.#names.get(tensor);
    if (!name) throw new Error(`Tensor ${tensor} is read before it is written.`);
    return name;
  }

  /** @param {GraphNode} node */
  add(node) {
    this.#names.set(node.output, this.#write(node));
  }

  /** @param {string} name @param {Kind | string} like */
  #rounded(name, like) {
    return this.#rounding?.tensor(this.#writer, name, like) ?? name;
  }

  /** @param {GraphNode} node @returns {string} */
  #write(node) {
    const inputs = node.inputs.map((id) => this.nameOf(id));
    const [first] = inputs;
    if (isActivation(node.op)) return this.#activation(node.op, first);
    if (isPlain(node.op)) return this.#rounded(this.#writer.node(PLAIN[node.op], inputs), first);
    switch (node.op) {
      case 'conv':
        return this.#conv(node, first);
      case 'leaky':
        return this.#rounded(
          this.#writer.node('LeakyRelu', inputs, { alpha: { real: node.slope } }),
          'features',
        );
      case 'concat':
        return this.#rounded(this.#writer.node('Concat', inputs, { axis: 1 }), first);
      case 'maxpool':
        return this.#rounded(this.#writer.node('MaxPool', inputs, windowOf(node)), first);
      case 'upsample':
        return this.#rounded(this.#resize(first, node.factor), first);
    }
    throw new WispError(
      'WISP_ERR_UNSUPPORTED',
      `Node "${node.name}", a ${node.op}, can't be written to an ONNX file here.`,
    );
  }

  /**
   * A node, or what it reads times the activation that gates it.
   * @param {ActivationName} op
   * @param {string} input
   * @returns {string}
   */
  #activation(op, input) {
    const gate = ACTIVATION_NAMES.find((name) => ACTIVATIONS[name].gates === op);
    if (gate)
      return this.#rounded(
        this.#writer.node('Mul', [input, this.#activation(gate, input)]),
        'features',
      );
    const { onnx = op, attributes = {}, gates } = ACTIVATIONS[op];
    const reals = Object.entries(attributes).map(([name, { value }]) => [name, { real: value }]);
    const output = this.#writer.node(onnx, [input], Object.fromEntries(reals));
    return this.#rounded(output, gates ? 'shares' : 'features');
  }

  /** @param {Conv} conv @param {string} input */
  #conv(conv, input) {
    const parts = this.#rounding?.weights(this.#writer, conv, input) ?? this.#weights(conv);
    const how = { ...windowOf(conv), group: conv.groups };
    return this.#rounded(this.#writer.node('Conv', [input, ...parts], how), 'sums');
  }

  /** @param {Conv} conv */
  #weights({ weight, bias, channels: [inputs, outputs], kernel, groups }) {
    const weights = this.#writer.reals(weight, [outputs, inputs / groups, ...kernel]);
    return bias ? [weights, this.#writer.reals(bias)] : [weights];
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

/** @param {string} op @returns {op is ActivationName} */
const isActivation = (op) => op in ACTIVATIONS;

/** @param {string} op @returns {op is Plain['op']} */
const isPlain = (op) => op in PLAIN;

/** @param {Pick<Conv, 'kernel' | 'stride' | 'pad'>} window */
function windowOf({ kernel, stride, pad }) {
  return { kernel_shape: kernel, strides: stride, pads: pad };
}
