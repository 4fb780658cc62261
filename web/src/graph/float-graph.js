// The float graph that every importer yields and the press takes, and the builder that numbers it.

/**
 * Tensors are numbered; 0 is the RGB picture in 0…1, NCHW. Weights are [out][in / groups][height][width].
 * Padding is [top, left, bottom, right]; kernels, strides and factors are [y, x].
 *
 * @typedef {{op: 'conv', weight: Float32Array, bias: Float32Array | null, channels: [number, number],
 *   kernel: [number, number], stride: [number, number], pad: Pad, groups: number}} Conv
 *   `channels` is [in, out].
 * @typedef {{op: 'affine', scale: Float32Array, bias: Float32Array}} Affine per channel: x · scale + bias
 * @typedef {'relu' | 'silu' | 'hardswish' | 'sigmoid' | 'hardsigmoid'} ActivationName
 * @typedef {{op: ActivationName}} Activation
 * @typedef {{op: 'leaky', slope: number}} Leaky
 * @typedef {{op: 'concat'}} Concat along the channels
 * @typedef {{op: 'add' | 'average' | 'scale'}} Plain `average`: of all pixels, by channel; `scale`: by a second input
 *   of one pixel, a factor for each channel
 * @typedef {{op: 'maxpool', kernel: [number, number], stride: [number, number], pad: Pad}} MaxPool
 * @typedef {{op: 'upsample', factor: [number, number]}} Upsample nearest neighbour; or of as many inputs as come of a
 *   pixel, whose pixels take turns, row by row
 * @typedef {{op: 'focus'}} Focus 3 → 12 channels: pixels (0,0), (1,0), (0,1), (1,1) of each 2×2 block as
 *   (y, x), three colours each
 * @typedef {{op: 'select', channels: number[]}} Select channel i of the output is channel channels[i] of the input: a
 *   shuffle, a part
 * @typedef {[number, number, number, number]} Pad
 * @typedef {Conv | Affine | Activation | Leaky | Concat | Plain | MaxPool | Upsample | Focus | Select} Operation
 * @typedef {{scale: number, zeroPoint: number}} ByteRange real = scale · (byte − zeroPoint)
 * @typedef {Operation & {name: string, inputs: number[], output: number, range?: ByteRange}} GraphNode
 *   `range`: the network was trained with this tensor rounded to bytes
 * @typedef {'yolov5' | 'yolov8' | 'prototypes'} HeadKind models/FORMAT.md, "Head kinds"
 * @typedef {{kind?: HeadKind, tensor: number, stride: number, anchors: [number, number][], masks?: number}} GraphHead
 *   the raw logits of one scale, of kind yolov5 if it doesn't say; anchors are [width, height] in input pixels; masks
 *   is how many coefficients an anchor has. Or the prototypes of masks: their number, no anchors
 * @typedef {{
 *   input: {height: number, width: number},
 *   nodes: GraphNode[],
 *   heads: GraphHead[],
 *   classes: string[],
 *   source: {format: string, producer: string},
 *   facts?: [string, string][],
 *   remarks?: string[],
 * }} FloatGraph nodes stand in execution order; facts are for people: what was understood of the file, by headings;
 *   remarks are sentences on what was supposed, or is lost, without their stops
 */

/**
 * What ONNX and torch.nn call the activations. One that yields a share, 0 … 1, may gate: x times it is another.
 * @typedef {object} ActivationRow
 * @property {string} [onnx] the node that it is, if it is one alone
 * @property {{[attribute: string]: {value: number, otherwise: number}}} [attributes] of that node; `otherwise`: without
 * @property {string[]} torch
 * @property {ActivationName} [gates]
 */

/** @type {Record<ActivationName, ActivationRow>} */
export const ACTIVATIONS = {
  relu: { onnx: 'Relu', torch: ['ReLU'] },
  silu: { torch: ['SiLU', 'Swish'] },
  hardswish: { onnx: 'HardSwish', torch: ['Hardswish'] },
  sigmoid: { onnx: 'Sigmoid', torch: ['Sigmoid'], gates: 'silu' },
  hardsigmoid: {
    onnx: 'HardSigmoid',
    attributes: { alpha: { value: 1 / 6, otherwise: 0.2 }, beta: { value: 0.5, otherwise: 0.5 } },
    torch: ['Hardsigmoid'],
    gates: 'hardswish',
  },
};

export const ACTIVATION_NAMES = /** @type {ActivationName[]} */ (Object.keys(ACTIVATIONS));

/** What ONNX calls operations that have no numbers. @type {Record<Plain['op'], string>} */
export const PLAIN = { add: 'Add', average: 'GlobalAveragePool', scale: 'Mul' };

export class FloatGraphBuilder {
  /** @type {GraphNode[]} */
  #nodes = [];

  /**
   * Appends a node and returns the tensor it writes.
   * @param {string} name
   * @param {number[]} inputs
   * @param {Operation} operation
   */
  add(name, inputs, operation) {
    const output = this.#nodes.length + 1;
    this.#nodes.push({ ...operation, name, inputs, output });
    return output;
  }

  /** The node that writes a tensor. @param {number} tensor @returns {GraphNode | undefined} */
  node(tensor) {
    return this.#nodes[tensor - 1];
  }

  /**
   * The tensor was rounded to bytes of this range in training.
   * @param {number} tensor
   * @param {ByteRange} range
   */
  rounded(tensor, range) {
    this.#nodes[tensor - 1].range = range;
  }

  /**
   * The nodes that the given tensors depend on; what nobody reads is left out.
   * @param {number[]} outputs
   */
  nodesFor(outputs) {
    const needed = new Set(outputs);
    const kept = [];
    for (const node of this.#nodes.toReversed()) {
      if (!needed.has(node.output)) continue;
      node.inputs.forEach((id) => needed.add(id));
      kept.push(node);
    }
    return kept.reverse();
  }
}
