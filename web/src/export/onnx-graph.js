// Float graph → an ONNX file as exporters write it, decoding included: to train on, and for other engines.

import { WispError } from '../error.js';
import { ACTIVATION_NAMES, ACTIVATIONS, PLAIN } from '../graph/float-graph.js';
import { partHeads } from '../graph/head-parts.js';
import { tensorShapes } from '../graph/tensor-shapes.js';
import { decodeHeads } from './onnx-decoding.js';
import { decodeAnchorFree } from './onnx-decoding-anchor-free.js';
import { OnnxWriter } from './onnx-writer.js';

/**
 * @typedef {import('../graph/float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('../graph/float-graph.js').GraphNode} GraphNode
 * @typedef {import('../graph/float-graph.js').Conv} Conv
 * @typedef {import('../graph/float-graph.js').ActivationName} ActivationName
 * @typedef {import('../graph/float-graph.js').Plain} Plain
 * @typedef {import('../graph/float-graph.js').Affine} Affine
 * @typedef {import('../graph/float-graph.js').Select} Select
 * @typedef {import('../graph/tensor-shapes.js').TensorShape} TensorShape
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
  const { input, classes } = graph;
  const writer = new OnnxWriter();
  writer.input('images', [batch, 3, input.height, input.width]);
  const trunk = new Trunk(writer, graph, { batch, rounding });
  trunk.begin('images');
  const nameOf = (/** @type {number} */ tensor) => trunk.nameOf(tensor);
  if (graph.heads.some(({ kind }) => kind === 'yolov8')) {
    const { nodes, heads } = partHeads(graph);
    for (const node of nodes) trunk.add(node);
    decodeAnchorFree(writer, heads, { batch, classes: classes.length, input }, nameOf);
  } else {
    for (const node of graph.nodes) trunk.add(node);
    decodeHeads(writer, graph, batch, nameOf);
  }
  const names = classes.map((name, i) => `${i}: '${name}'`);
  return writer.finish({ names: `{${names.join(', ')}}` });
}

/** Of a slice that goes on to the last pixel. */
const END = 2 ** 31 - 1;

/** The network up to its heads. */
class Trunk {
  #writer;
  #batch;
  #rounding;
  #shapes;
  /** Names of the tensors. @type {Map<number, string>} */
  #names = new Map();

  /**
   * @param {OnnxWriter} writer
   * @param {FloatGraph} graph
   * @param {{batch: number, rounding?: Rounding}} options
   */
  constructor(writer, graph, { batch, rounding }) {
    this.#writer = writer;
    this.#batch = batch;
    this.#rounding = rounding;
    this.#shapes = tensorShapes(graph);
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
        return this.#rounded(this.#enlarge(node, inputs), first);
      case 'select':
        return this.#rounded(this.#select(node, first), first);
      case 'focus':
        return this.#rounded(this.#focus(first), first);
      case 'affine':
        return this.#rounded(this.#affine(node, first), 'sums');
    }
    throw new Error(`Nobody writes a ${node.op}.`);
  }

  /** Parts as slices, shuffles as torch spells them. @param {GraphNode & Select} node @param {string} input */
  #select({ name, inputs: [tensor], channels }, input) {
    const count = channels.length;
    const step = count > 1 ? channels[1] - channels[0] : 1;
    if (step > 0 && channels.every((channel, i) => channel === channels[0] + i * step)) {
      const range = [channels[0], channels[count - 1] + 1, 1, step];
      return this.#writer.node('Slice', [input, ...range.map((n) => this.#writer.integers([n]))]);
    }
    const { channels: all, height, width } = /** @type {TensorShape} */ (this.#shapes.get(tensor));
    const groups = count / step;
    const taken = (/** @type {number} */ i) => (i % groups) * step + Math.floor(i / groups);
    if (count !== all || !channels.every((channel, i) => channel === taken(i)))
      throw unwritable(`Node "${name}" orders channels in a way that`);
    const split = this.#writer.integers([this.#batch, groups, step, height, width]);
    const apart = this.#writer.node('Reshape', [input, split]);
    const turned = this.#writer.node('Transpose', [apart], { perm: [0, 2, 1, 3, 4] });
    const whole = this.#writer.integers([this.#batch, all, height, width]);
    return this.#writer.node('Reshape', [turned, whole]);
  }

  /** The pixels of each 2×2 block side by side. @param {string} input */
  #focus(input) {
    const parts = [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ].map((start) => {
      const range = [start, [END, END], [2, 3], [2, 2]];
      return this.#writer.node('Slice', [input, ...range.map((n) => this.#writer.integers(n))]);
    });
    return this.#writer.node('Concat', parts, { axis: 1 });
  }

  /** @param {Affine} affine @param {string} input */
  #affine({ scale, bias }, input) {
    const parts = [
      scale,
      bias,
      new Float32Array(scale.length),
      new Float32Array(scale.length).fill(1),
    ];
    const how = { epsilon: { real: 0 } };
    const inputs = [input, ...parts.map((part) => this.#writer.reals(part))];
    return this.#writer.node('BatchNormalization', inputs, how);
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

  /** @param {GraphNode & import('../graph/float-graph.js').Upsample} node @param {string[]} inputs */
  #enlarge({ name, factor }, inputs) {
    const [height, width] = factor;
    if (inputs.length === 1) return this.#resize(inputs[0], factor);
    if (height !== width)
      throw unwritable(`Node "${name}" enlarges by ${height}×${width}, pixel by pixel, which`);
    const joined = this.#writer.node('Concat', inputs, { axis: 1 });
    return this.#writer.node('DepthToSpace', [joined], { blocksize: height, mode: 'DCR' });
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

/** @param {string} what */
const unwritable = (what) =>
  new WispError('WISP_ERR_UNSUPPORTED', `${what} can't be written to an ONNX file here.`);

/** @param {string} op @returns {op is ActivationName} */
const isActivation = (op) => op in ACTIVATIONS;

/** @param {string} op @returns {op is Plain['op']} */
const isPlain = (op) => op in PLAIN;

/** @param {Pick<Conv, 'kernel' | 'stride' | 'pad'>} window */
function windowOf({ kernel, stride, pad }) {
  return { kernel_shape: kernel, strides: stride, pads: pad };
}
