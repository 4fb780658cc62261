// The one table of the TFLite operators that become nodes, and how each is spelled. What they mean:
// https://ai.google.dev/edge/litert/conversion/tensorflow/op_compatibility and TensorFlow's lite/kernels.

import { integers } from '../onnx-tensor.js';
import { turned, Unknown } from './tflite-nodes.js';

/**
 * @typedef {import('../onnx-proto.js').Attribute} Attribute
 * @typedef {import('./tflite-file.js').TfliteOperator} TfliteOperator
 * @typedef {import('./tflite-nodes.js').NodeWriter} NodeWriter
 * @typedef {(out: NodeWriter, operator: TfliteOperator) => void} Translate
 */

/** Of the schema's option tables. */
const WINDOW = { padding: 0, strideX: 1, strideY: 2 };
const CONV = { activation: 3, dilationX: 4, dilationY: 5 };
const DEPTHWISE = { activation: 4, dilationX: 5, dilationY: 6 };
const POOL = { width: 3, height: 4, activation: 5 };
const SLICE = { beginMask: 0, endMask: 1, ellipsis: 2, newAxis: 3, shrink: 4 };

const VALID = 1;

/** Where TFLite's axes stand in ONNX's order. */
const AXES = [0, 2, 3, 1];

/** @param {TfliteOperator} operator @param {number} field @param {number} [otherwise] */
const option = ({ options }, field, otherwise = 0) => options?.int(field, otherwise) ?? otherwise;

/** @param {TfliteOperator} operator @param {number} field of 8 bits */
const small = ({ options }, field) => options?.byte(field) ?? 0;

/**
 * Everything behind a shape or a list: as TFLite has it.
 * @param {string} op
 * @param {(out: NodeWriter, operator: TfliteOperator) => Record<string, Attribute>} [attributes]
 * @returns {Translate}
 */
function inRows(op, attributes = () => ({})) {
  return (out, operator) => {
    const inputs = [out.read(operator, 0, 'rows')];
    out.write(operator, op, inputs, { order: 'rows', attributes: attributes(out, operator) });
  };
}

/**
 * Number by number, in whichever order.
 * @param {string} op
 * @param {(operator: TfliteOperator) => Record<string, Attribute>} [attributes]
 * @returns {Translate}
 */
function each(op, attributes = () => ({})) {
  return (out, operator) => {
    const order = out.orderOf(operator);
    const inputs = [out.read(operator, 0, order)];
    out.write(operator, op, inputs, { order, attributes: attributes(operator) });
  };
}

/** @param {string} op @returns {Translate} */
function both(op) {
  return (out, operator) => {
    const order = out.orderOf(operator);
    const inputs = [0, 1].map((index) => out.read(operator, index, order));
    out.write(operator, op, inputs, { order, activation: small(operator, 0) });
  };
}

/**
 * Padding and strides of a window; TFLite's SAME has the odd pixel below and on the right.
 * @param {TfliteOperator} operator
 * @param {number[] | null} pads around what it reads
 * @param {NodeWriter} out
 * @returns {Record<string, Attribute>}
 */
function windowOf(operator, pads, out) {
  const isValid = small(operator, WINDOW.padding) === VALID;
  if (pads && !isValid) out.refuse('pads a padded picture');
  const strides = [option(operator, WINDOW.strideY), option(operator, WINDOW.strideX)];
  if (pads) return { strides, pads };
  return { strides, auto_pad: isValid ? 'VALID' : 'SAME_UPPER' };
}

/** @param {boolean} isDepthwise @returns {Translate} */
const convolution = (isDepthwise) => (out, operator) => {
  const fields = isDepthwise ? DEPTHWISE : CONV;
  const { name, pads } = out.readPadded(operator);
  const weight = out.constant(operator, 1);
  if (weight.dims.length !== 4) out.refuse(`has weights of ${weight.dims.join('×')}`);
  const depth = out.known(operator.inputs[0]).dims[3];
  const inputs = [name];
  // [1][height][width][out] or [out][height][width][in]
  inputs.push(
    out.add(operator, 'weights', turned(weight, isDepthwise ? [3, 0, 1, 2] : [0, 3, 1, 2])),
  );
  if ((operator.inputs[2] ?? -1) >= 0)
    inputs.push(out.add(operator, 'bias', out.constant(operator, 2)));
  const attributes = {
    ...windowOf(operator, pads, out),
    dilations: [option(operator, fields.dilationY, 1), option(operator, fields.dilationX, 1)],
    group: isDepthwise ? depth : Math.max(1, depth / weight.dims[3]),
  };
  out.write(operator, 'Conv', inputs, {
    attributes,
    activation: small(operator, fields.activation),
  });
};

/** @param {string} op @returns {Translate} */
const pool = (op) => (out, operator) => {
  const kernel_shape = [option(operator, POOL.height), option(operator, POOL.width)];
  out.write(operator, op, [out.read(operator, 0, 'picture')], {
    attributes: { ...windowOf(operator, null, out), kernel_shape },
    activation: small(operator, POOL.activation),
  });
};

/** @type {Translate} */
function pad(out, operator) {
  const table = Array.from(out.constant(operator, 1).data);
  const isPicture = out.isPicture(operator) && table.length === 8;
  const [top, bottom, left, right] = table.slice(2, 6);
  if (!isPicture || [table[0], table[1], table[6], table[7]].some((size) => size !== 0))
    out.refuse('pads other axes than height and width');
  out.pad(operator, [top, left, bottom, right]);
}

/** @type {Translate} */
function concatenation(out, operator) {
  const order = out.orderOf(operator);
  const inputs = operator.inputs.map((_, index) => out.read(operator, index, order));
  const named = option(operator, 0);
  const axis = order === 'picture' ? AXES[named < 0 ? named + 4 : named] : named;
  out.write(operator, 'Concat', inputs, {
    order,
    attributes: { axis },
    activation: small(operator, 1),
  });
}

/** @type {Translate} */
function resize(out, operator) {
  const [height, width] = out.constant(operator, 1).data;
  const [batch, , , channels] = out.known(operator.inputs[0]).dims;
  if (small(operator, 0) !== 0) out.refuse('aligns corners');
  const sizes = out.add(operator, 'size', integers([batch, channels, height, width]));
  const attributes = { nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' };
  out.write(operator, 'Resize', [out.read(operator, 0, 'picture'), '', '', sizes], { attributes });
}

/** @type {Translate} */
function reshape(out, operator) {
  const isInput = (operator.inputs[1] ?? -1) >= 0;
  const list = isInput
    ? out.read(operator, 1, 'rows')
    : out.add(operator, 'shape', integers(operator.options?.ints(0) ?? []));
  out.write(operator, 'Reshape', [out.read(operator, 0, 'rows'), list], { order: 'rows' });
}

/** To the size that the file says the result has. @type {Translate} */
function reshapeAsSaid(out, operator) {
  const list = out.add(operator, 'shape', integers(out.known(operator.outputs[0]).dims));
  out.write(operator, 'Reshape', [out.read(operator, 0, 'rows'), list], { order: 'rows' });
}

/** @type {Translate} */
function dequantise(out, operator) {
  if (out.isConstant(operator.inputs[0])) out.store(operator);
  else each('Identity')(out, operator);
}

/**
 * Parts along some axes, of a picture or of rows.
 * @param {NodeWriter} out
 * @param {TfliteOperator} operator
 * @param {{from: number[], to: number[], by: number[]}} cut an entry for each axis
 */
function cutOut(out, operator, { from, to, by }) {
  const order = out.orderOf(operator);
  const { dims } = out.known(operator.inputs[0]);
  const axes = dims.flatMap((size, axis) =>
    from[axis] === 0 && to[axis] >= size && by[axis] === 1 ? [] : [axis],
  );
  const list = (/** @type {string} */ what, /** @type {(axis: number) => number} */ number) =>
    out.add(operator, what, integers(axes.map(number)));
  const lists = [
    list('starts', (axis) => from[axis]),
    list('ends', (axis) => to[axis]),
    list('axes', (axis) => (order === 'picture' ? AXES[axis] : axis)),
    list('steps', (axis) => by[axis]),
  ];
  const input = out.read(operator, 0, order);
  if (axes.length === 0) out.write(operator, 'Identity', [input], { order });
  else out.write(operator, 'Slice', [input, ...lists], { order });
}

/** @type {Translate} */
function stridedSlice(out, operator) {
  const [starts, ends, steps] = [1, 2, 3].map((index) =>
    Array.from(out.constant(operator, index).data),
  );
  const { dims } = out.known(operator.inputs[0]);
  const [beginMask, endMask, ellipsis, newAxis, shrink] = Object.values(SLICE).map((field) =>
    option(operator, field),
  );
  const isWhole = [ellipsis, newAxis, shrink].every((mask) => mask === 0);
  const isPlain = isWhole && starts.length === dims.length && steps.every((step) => step > 0);
  if (!isPlain) out.refuse('slices otherwise than forwards along each axis');
  const cut = {
    from: dims.map((_, axis) => ((beginMask >> axis) & 1 ? 0 : starts[axis])),
    to: dims.map((size, axis) => ((endMask >> axis) & 1 ? size : ends[axis])),
    by: steps,
  };
  cutOut(out, operator, cut);
}

/** @type {Translate} */
function slice(out, operator) {
  const [from, sizes] = [1, 2].map((index) => Array.from(out.constant(operator, index).data));
  const { dims } = out.known(operator.inputs[0]);
  const to = dims.map((size, axis) => (sizes[axis] === -1 ? size : from[axis] + sizes[axis]));
  cutOut(out, operator, { from, to, by: dims.map(() => 1) });
}

/** @param {number} x which input is split @param {number} by which says the axis @returns {Translate} */
const split = (x, by) => (out, operator) => {
  const order = out.orderOf({ ...operator, inputs: [operator.inputs[x]] });
  const rank = out.known(operator.inputs[x]).dims.length;
  const [named] = out.constant(operator, by).data;
  const forwards = named < 0 ? named + rank : named;
  const axis = order === 'picture' ? AXES[forwards] : forwards;
  /** @type {Record<string, Attribute>} */
  const attributes = { axis };
  if (x === 0) attributes.split = Array.from(out.constant(operator, 1).data);
  out.write(operator, 'Split', [out.read(operator, x, order)], { order, attributes });
};

/** @type {Translate} */
function mean(out, operator) {
  const order = out.orderOf(operator);
  const rank = out.known(operator.inputs[0]).dims.length;
  const axes = Array.from(out.constant(operator, 1).data, (axis) =>
    axis < 0 ? axis + rank : axis,
  );
  const attributes = {
    axes: order === 'picture' ? axes.map((axis) => AXES[axis]) : axes,
    keepdims: small(operator, 0),
  };
  out.write(operator, 'ReduceMean', [out.read(operator, 0, order)], { order, attributes });
}

/** @type {Map<string, Translate>} */
const TRANSLATORS = new Map(
  Object.entries({
    ADD: both('Add'),
    AVERAGE_POOL_2D: pool('AveragePool'),
    CAST: each('Identity'),
    CONCATENATION: concatenation,
    CONV_2D: convolution(false),
    DEPTHWISE_CONV_2D: convolution(true),
    DEQUANTIZE: dequantise,
    DIV: both('Div'),
    EXP: each('Exp'),
    EXPAND_DIMS: reshapeAsSaid,
    HARD_SWISH: each('HardSwish'),
    LEAKY_RELU: each('LeakyRelu', ({ options }) => ({ alpha: options?.float(0, 0) ?? 0 })),
    LOGISTIC: each('Sigmoid'),
    MAX_POOL_2D: pool('MaxPool'),
    MEAN: mean,
    MUL: both('Mul'),
    PAD: pad,
    POW: both('Pow'),
    QUANTIZE: each('Identity'),
    RELU: each('Relu'),
    RELU6: each('Clip', () => ({ min: 0, max: 6 })),
    RESHAPE: reshape,
    RESIZE_NEAREST_NEIGHBOR: resize,
    SLICE: slice,
    SOFTMAX: inRows('Softmax', () => ({ axis: -1 })),
    SPLIT: split(1, 0),
    SPLIT_V: split(0, 2),
    SQUARE: (out, operator) =>
      both('Mul')(out, {
        ...operator,
        inputs: [operator.inputs[0], operator.inputs[0]],
        options: null,
      }),
    SQUEEZE: reshapeAsSaid,
    STRIDED_SLICE: stridedSlice,
    SUB: both('Sub'),
    TRANSPOSE: inRows('Transpose', (out, operator) => ({
      perm: Array.from(out.constant(operator, 1).data),
    })),
  }),
);

/**
 * What can't be translated becomes a node that says so, since it may stand behind all boxes.
 * @type {Translate}
 */
export function translate(out, operator) {
  const translator = TRANSLATORS.get(operator.op);
  try {
    if (translator) translator(out, operator);
    else out.refuse('');
  } catch (thrown) {
    if (!(thrown instanceof Unknown)) throw thrown;
    const op = thrown.message ? `${operator.op}, which ${thrown.message},` : operator.op;
    out.writeUnknown(operator, op);
  }
}
