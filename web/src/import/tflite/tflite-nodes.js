// Operators of a TFLite file → nodes as ONNX has them, whose feature maps are [1, channels, height, width].
//
// TFLite's are [1, height, width, channels]. What computes pixel by pixel keeps ONNX's order from node to node; what
// looks at shapes, as the decoding of the heads does, gets TFLite's back by a Transpose. Operators that stand in no
// table keep their names, by which they are refused if a box depends on them.

import { malformed } from '../../graph/graph-error.js';
import { numbersOf } from './tflite-file.js';

/**
 * @typedef {import('../onnx-proto.js').OnnxNode} OnnxNode
 * @typedef {import('../onnx-proto.js').Tensor} Tensor
 * @typedef {import('../onnx-proto.js').Attribute} Attribute
 * @typedef {import('./tflite-file.js').TfliteFile} TfliteFile
 * @typedef {import('./tflite-file.js').TfliteOperator} TfliteOperator
 * @typedef {'picture' | 'rows'} Order ONNX's order of a picture's axes, or TFLite's
 * @typedef {{name: string, order: Order}} Value
 * @typedef {{of: number, pads: number[]}} Padded which tensor, and top, left, bottom, right
 */

/** To ONNX's order and back. @type {Record<Order, number[]>} */
const TURNED = { picture: [0, 3, 1, 2], rows: [0, 2, 3, 1] };

export class Unknown extends Error {}

export class NodeWriter {
  /** @type {OnnxNode[]} */
  nodes = [];
  /** @type {Map<string, Tensor>} */
  constants = new Map();
  #file;
  /** @type {Map<number, Value>} */
  #values = new Map();
  /** What only changes how a constant is stored: as which tensor it stands there. @type {Map<number, number>} */
  #stored = new Map();
  /** What is only padded: the convolution that reads it has the padding. @type {Map<number, Padded>} */
  #padded = new Map();

  /** @param {TfliteFile} file @param {number} picture the tensor of the input */
  constructor(file, picture) {
    this.#file = file;
    this.#values.set(picture, { name: `#${picture}`, order: 'picture' });
  }

  /** @param {number} tensor */
  known(tensor) {
    return (
      this.#file.tensors[this.#stored.get(tensor) ?? tensor] ??
      malformed(`The TFLite file has no tensor ${tensor}, which an operator reads.`)
    );
  }

  /** @param {number} tensor */
  isConstant(tensor) {
    return this.known(tensor).bytes !== null;
  }

  /** @param {TfliteOperator} operator that stores a constant in another way */
  store({ inputs, outputs }) {
    this.#stored.set(outputs[0], this.#stored.get(inputs[0]) ?? inputs[0]);
  }

  /** The numbers of a constant. @param {TfliteOperator} operator @param {number} index of its inputs */
  constant(operator, index) {
    const tensor = operator.inputs[index] ?? -1;
    if (tensor >= 0 && this.isConstant(tensor)) return numbersOf(this.known(tensor));
    return this.refuse(`computes its input ${index}`);
  }

  /** @param {TfliteOperator} operator */
  nameOf({ outputs }) {
    return this.#file.tensors[outputs[0]]?.name ?? '';
  }

  /** That an operator is to be refused if a box depends on it. @param {string} why @returns {never} */
  refuse(why) {
    throw new Unknown(why);
  }

  /**
   * The name of an input in an order of its axes.
   * @param {TfliteOperator} operator
   * @param {number} index
   * @param {Order} order
   */
  read(operator, index, order) {
    const tensor = operator.inputs[index] ?? -1;
    if (tensor < 0)
      return malformed(`Node "${this.nameOf(operator)}" (${operator.op}) lacks an input.`);
    if (this.#padded.has(tensor)) this.refuse('reads a padded picture');
    const value = this.#values.get(tensor) ?? this.#constantValue(operator, tensor);
    if (value.order === order) return value.name;
    const name = `${value.name} in the order of ${order}`;
    if (!this.constants.has(name)) this.#turn(value, name, order);
    return name;
  }

  /** @param {TfliteOperator} operator @param {number} tensor @returns {Value} */
  #constantValue(operator, tensor) {
    if (!this.isConstant(tensor))
      malformed(`Node "${this.nameOf(operator)}" (${operator.op}) reads what nobody writes.`);
    /** @type {Value} */
    const value = { name: `#${tensor}`, order: 'rows' };
    this.constants.set(value.name, numbersOf(this.known(tensor)));
    this.#values.set(tensor, value);
    return value;
  }

  /** @param {Value} value @param {string} name @param {Order} order */
  #turn({ name: from }, name, order) {
    const constant = this.constants.get(from);
    if (constant) this.constants.set(name, order === 'picture' ? asPicture(constant) : constant);
    else this.#push('Transpose', from, [from], [name], { perm: TURNED[order] });
  }

  /** Whether one of the inputs is a picture, and none has lost that order. @param {TfliteOperator} operator */
  isPicture({ inputs }) {
    const computed = inputs.filter((tensor) => tensor >= 0 && !this.isConstant(tensor));
    const orders = computed.map((tensor) =>
      this.#padded.has(tensor) ? 'picture' : this.#values.get(tensor)?.order,
    );
    return orders.length > 0 && orders.every((order) => order === 'picture');
  }

  /** @param {TfliteOperator} operator */
  orderOf(operator) {
    return this.isPicture(operator) ? 'picture' : 'rows';
  }

  /** @param {TfliteOperator} operator @param {number[]} pads of its first input */
  pad({ inputs, outputs }, pads) {
    this.#padded.set(outputs[0], { of: inputs[0], pads });
  }

  /** What a convolution reads, and the padding around it. @param {TfliteOperator} operator */
  readPadded(operator) {
    const padded = this.#padded.get(operator.inputs[0]);
    if (!padded) return { name: this.read(operator, 0, 'picture'), pads: null };
    const inner = { ...operator, inputs: [padded.of] };
    return { name: this.read(inner, 0, 'picture'), pads: padded.pads };
  }

  /**
   * The node that an operator becomes, and one for the activation that is fused to it.
   * @param {TfliteOperator} operator
   * @param {string} op ONNX's
   * @param {string[]} inputs
   * @param {{order?: Order, attributes?: Record<string, Attribute>, activation?: number}} [how]
   */
  write(operator, op, inputs, { order = 'picture', attributes = {}, activation = 0 } = {}) {
    const names = operator.outputs.map((tensor) => {
      this.#values.set(tensor, { name: `#${tensor}`, order });
      return `#${tensor}`;
    });
    const called = this.nameOf(operator);
    const after = this.#activation(operator, activation);
    const own = after ? [`${names[0]} before ${after}`] : names;
    this.#push(op, called, inputs, own, attributes);
    if (after) this.#push(after, called, own, names, after === 'Clip' ? { min: 0, max: 6 } : {});
  }

  /** @param {TfliteOperator} operator @param {string} op what it is called */
  writeUnknown({ inputs, ...operator }, op) {
    const read = inputs.filter((tensor) => tensor >= 0 && !this.#padded.has(tensor));
    const names = read.map((_, index) => this.read({ ...operator, inputs: read }, index, 'rows'));
    this.write({ inputs, ...operator }, op, names, { order: 'rows' });
  }

  /** ActivationFunctionType of the schema. @param {TfliteOperator} operator @param {number} activation */
  #activation(operator, activation) {
    const op = [null, 'Relu', undefined, 'Clip'][activation];
    return op === undefined ? this.refuse(`ends in activation ${activation}`) : op;
  }

  /**
   * @param {string} op
   * @param {string} name
   * @param {string[]} inputs
   * @param {string[]} outputs
   * @param {Record<string, Attribute>} attributes
   */
  #push(op, name, inputs, outputs, attributes) {
    this.nodes.push({ op, name, inputs, outputs, attributes: new Map(Object.entries(attributes)) });
  }

  /** A constant of our own. @param {TfliteOperator} operator @param {string} what @param {Tensor} tensor */
  add({ outputs }, what, tensor) {
    const name = `${what} of #${outputs[0]}`;
    this.constants.set(name, tensor);
    return name;
  }
}

/**
 * A constant beside pictures; a number, or one for each channel, may have fewer axes.
 * @param {Tensor} tensor
 * @returns {Tensor}
 */
function asPicture(tensor) {
  const dims = [...new Array(Math.max(0, 4 - tensor.dims.length)).fill(1), ...tensor.dims];
  return tensor.data.length === 1 || dims.length > 4
    ? tensor
    : turned({ dims, data: tensor.data }, [0, 3, 1, 2]);
}

/**
 * A constant with its axes in another order.
 * @param {Tensor} tensor of four axes
 * @param {number[]} order which of its axes comes first, second, …
 * @returns {Tensor}
 */
export function turned({ dims, data }, order) {
  const steps = dims.map((_, axis) => dims.slice(axis + 1).reduce((all, size) => all * size, 1));
  const [sizes, strides] = [order.map((axis) => dims[axis]), order.map((axis) => steps[axis])];
  const result = data.slice();
  let to = 0;
  for (let a = 0; a < sizes[0]; a++)
    for (let b = 0; b < sizes[1]; b++)
      for (let c = 0; c < sizes[2]; c++)
        for (
          let d = 0, from = a * strides[0] + b * strides[1] + c * strides[2];
          d < sizes[3];
          d++
        ) {
          result[to++] = data[from];
          from += strides[3];
        }
  return { dims: sizes, data: result };
}
