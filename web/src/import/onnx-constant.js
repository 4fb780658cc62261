// Evaluates ONNX nodes whose inputs are all known: shape arithmetic, grids, the decoding of the heads.

import { malformed, unsupported } from '../graph/graph-error.js';
import { mixChannels, softmax } from './onnx-bins.js';
import { checkedAxis, list, need, number } from './onnx-node.js';
import { dequantizeLinear, quantizeLinear } from './onnx-real.js';
import {
  broadcastDims,
  countOf,
  expand,
  integers,
  isInteger,
  MOST_AXES,
  numbersLike,
  sliceRange,
  strided,
  stridesOf,
} from './onnx-tensor.js';

/**
 * @typedef {import('./onnx-proto.js').Tensor} Tensor
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 * @typedef {(node: OnnxNode, inputs: (Tensor | null)[], most: number) => Tensor[]} Evaluate null is an input left out;
 *   a result may have `most` numbers
 */

/** ONNX data types that hold real numbers. */
const REAL_TYPES = [1, 10, 11, 16];

/**
 * @param {OnnxNode} node
 * @param {(Tensor | null)[]} inputs
 * @param {number} most numbers that a result may have
 * @returns {Tensor[]} one for each output of the node
 */
export function evaluate(node, inputs, most) {
  const operation = OPERATIONS.get(node.op);
  if (!operation) {
    unsupported(`Node "${node.name}" (${node.op}) computes with constants in a way wisp can't.`);
  }
  return operation(node, inputs, most);
}

/**
 * @param {(a: number, b: number) => number} compute
 * @param {{boolean?: boolean}} [options]
 * @returns {Evaluate}
 */
function binary(compute, { boolean = false } = {}) {
  return (node, inputs, most) => {
    const a = need(node, inputs, 0);
    const b = need(node, inputs, 1);
    const dims = broadcastDims(node, [a.dims, b.dims], most);
    const left = expand(a, dims).data;
    const count = left.length;
    const exact = boolean || (isInteger(a) && isInteger(b));
    const data = exact ? new Float64Array(count) : new Float32Array(count);
    const right = b.data.length === 1 ? null : expand(b, dims).data;
    const scalar = b.data[0];
    for (let i = 0; i < count; i++) data[i] = compute(left[i], right ? right[i] : scalar);
    return [{ dims, data }];
  };
}

/** @param {(x: number) => number} compute @returns {Evaluate} */
function unary(compute) {
  return (node, inputs) => {
    const { dims, data } = need(node, inputs, 0);
    return [{ dims, data: data.map(compute) }];
  };
}

/** @type {Evaluate} */
function divide(node, inputs, most) {
  const [a, b] = [need(node, inputs, 0), need(node, inputs, 1)];
  const exact = isInteger(a) && isInteger(b);
  return binary(exact ? (x, y) => Math.trunc(x / y) : (x, y) => x / y)(node, inputs, most);
}

/** @type {Evaluate} */
function cast(node, inputs) {
  const { dims, data } = need(node, inputs, 0);
  if (REAL_TYPES.includes(number(node, 'to', 1))) return [{ dims, data: Float32Array.from(data) }];
  return [{ dims, data: Float64Array.from(data, Math.trunc) }];
}

/** @type {Evaluate} */
function constant(node) {
  const { attributes } = node;
  const value = attributes.get('value');
  if (value && typeof value === 'object' && !Array.isArray(value)) return [value];
  const float = attributes.get('value_float');
  if (typeof float === 'number') return [{ dims: [], data: Float32Array.of(float) }];
  const int = attributes.get('value_int');
  if (typeof int === 'number') return [{ dims: [], data: Float64Array.of(int) }];
  const ints = attributes.get('value_ints');
  if (Array.isArray(ints)) return [integers(ints)];
  const floats = attributes.get('value_floats');
  if (Array.isArray(floats)) return [{ dims: [floats.length], data: Float32Array.from(floats) }];
  return unsupported(`Node "${node.name}" (Constant) holds no numbers.`);
}

/** @type {Evaluate} */
function constantOfShape(node, inputs, most) {
  const dims = Array.from(need(node, inputs, 0).data);
  const value = node.attributes.get('value');
  const fill = value && typeof value === 'object' && !Array.isArray(value) ? value : null;
  const like = fill ?? { dims: [], data: new Float32Array(1) };
  return [{ dims, data: numbersLike(like, countOf(dims, most)).fill(like.data[0]) }];
}

/** @type {Evaluate} */
function range(node, inputs, most) {
  const first = need(node, inputs, 0);
  const [start, limit, delta] = [0, 1, 2].map((index) => need(node, inputs, index).data[0]);
  const dims = [Math.max(0, Math.ceil((limit - start) / delta))];
  const data = numbersLike(first, countOf(dims, most));
  return [{ dims, data: data.map((_, index) => start + index * delta) }];
}

/** @type {Evaluate} */
function gather(node, inputs, most) {
  const source = need(node, inputs, 0);
  const indices = need(node, inputs, 1);
  const axis = checkedAxis(node, number(node, 'axis', 0), source.dims.length);
  const size = source.dims[axis];
  const inner = countOf(source.dims.slice(axis + 1));
  const outer = countOf(source.dims.slice(0, axis));
  const dims = [...source.dims.slice(0, axis), ...indices.dims, ...source.dims.slice(axis + 1)];
  const data = numbersLike(source, countOf(dims, most));
  let index = 0;
  for (let o = 0; o < outer; o++) {
    for (const raw of indices.data) {
      const from = (o * size + checkedAxis(node, raw, size)) * inner;
      data.set(source.data.subarray(from, from + inner), index);
      index += inner;
    }
  }
  return [{ dims, data }];
}

/** @type {Evaluate} */
function unsqueeze(node, inputs) {
  const { dims, data } = need(node, inputs, 0);
  const axes = list(node, inputs, 1, 'axes') ?? [];
  const rank = dims.length + axes.length;
  if (rank > MOST_AXES)
    malformed(`Node "${node.name}" (Unsqueeze) makes a tensor of ${rank} axes.`);
  const added = axes.map((axis) => checkedAxis(node, axis, rank));
  const rest = dims.values();
  const shape = Array.from({ length: rank }, (_, axis) =>
    added.includes(axis) ? 1 : (rest.next().value ?? 1),
  );
  return [{ dims: shape, data }];
}

/** @type {Evaluate} */
function squeeze(node, inputs) {
  const { dims, data } = need(node, inputs, 0);
  const axes = list(node, inputs, 1, 'axes')?.map((axis) => checkedAxis(node, axis, dims.length));
  const gone = (/** @type {number} */ axis) => (axes ? axes.includes(axis) : dims[axis] === 1);
  return [{ dims: dims.filter((_, axis) => !gone(axis)), data }];
}

/** @type {Evaluate} */
function concat(node, inputs, most) {
  const parts = [
    need(node, inputs, 0),
    ...inputs.slice(1).map((_, i) => need(node, inputs, i + 1)),
  ];
  const axis = checkedAxis(node, number(node, 'axis', 0), parts[0].dims.length);
  const dims = parts[0].dims.with(
    axis,
    parts.reduce((sum, part) => sum + part.dims[axis], 0),
  );
  for (const part of parts) {
    const alike = part.dims.length === dims.length;
    if (!alike || part.dims.with(axis, 0).join() !== dims.with(axis, 0).join()) {
      malformed(`Node "${node.name}" (Concat) joins shapes that differ outside axis ${axis}.`);
    }
  }
  const data = numbersLike(parts[0], countOf(dims, most));
  const outer = countOf(dims.slice(0, axis));
  let index = 0;
  for (let o = 0; o < outer; o++) {
    for (const part of parts) {
      const size = part.data.length / outer;
      data.set(part.data.subarray(o * size, (o + 1) * size), index);
      index += size;
    }
  }
  return [{ dims, data }];
}

/** @type {Evaluate} */
function slice(node, inputs) {
  const source = need(node, inputs, 0);
  const rank = source.dims.length;
  const starts = list(node, inputs, 1, 'starts') ?? [];
  const ends = list(node, inputs, 2, 'ends') ?? [];
  const axes = list(node, inputs, 3, 'axes') ?? starts.map((_, index) => index);
  const steps = list(node, inputs, 4, 'steps') ?? starts.map(() => 1);
  const dims = [...source.dims];
  const strides = stridesOf(source.dims);
  let from = 0;
  axes.forEach((raw, index) => {
    const axis = checkedAxis(node, raw, rank);
    const cut = sliceRange(source.dims[axis], starts[index], ends[index], steps[index]);
    from += cut.start * strides[axis];
    dims[axis] = cut.count;
    strides[axis] *= steps[index];
  });
  return [strided(source, dims, strides, from)];
}

/** Into which a tensor is split. */
const MOST_PARTS = 1024;

/** @type {Evaluate} */
function split(node, inputs) {
  const source = need(node, inputs, 0);
  const axis = checkedAxis(node, number(node, 'axis', 0), source.dims.length);
  const parts = node.outputs.length;
  const even = Math.ceil(source.dims[axis] / parts);
  const sizes =
    list(node, inputs, 1, 'split') ??
    Array.from({ length: parts }, (_, i) => Math.min(even, source.dims[axis] - i * even));
  if (
    sizes.length > Math.min(source.dims[axis], MOST_PARTS) ||
    sizes.reduce((sum, size) => sum + size, 0) !== source.dims[axis]
  )
    malformed(
      `Node "${node.name}" (Split) splits ${source.dims[axis]} into ${sizes.slice(0, 20).join(' and ')}.`,
    );
  const strides = stridesOf(source.dims);
  let at = 0;
  return sizes.map((size) => {
    const part = strided(source, source.dims.with(axis, size), strides, at * strides[axis]);
    at += size;
    return part;
  });
}

/** @type {Evaluate} */
function reshape(node, inputs) {
  const { dims, data } = need(node, inputs, 0);
  const wanted = Array.from(need(node, inputs, 1).data);
  const keepZero = number(node, 'allowzero', 0) === 1;
  const shape = wanted.map((size, axis) => (size === 0 && !keepZero ? (dims[axis] ?? 0) : size));
  const known = shape.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const full = shape.map((size) => (size === -1 ? data.length / known : size));
  const isWhole = full.every((size) => Number.isInteger(size) && size >= 0);
  if (isWhole && countOf(full) === data.length) return [{ dims: full, data }];
  return malformed(
    `Node "${node.name}" (Reshape) turns ${dims.join('×')} into ${wanted.slice(0, 20).join('×')}, which don't ` +
      'match; a model exported for one size has its grid built in.',
  );
}

/** @type {Evaluate} */
function transpose(node, inputs) {
  const source = need(node, inputs, 0);
  const perm = list(node, [], 0, 'perm') ?? source.dims.map((_, axis) => axis).reverse();
  const axes = perm.map((axis) => checkedAxis(node, axis, source.dims.length));
  if (new Set(axes).size !== source.dims.length || axes.length !== source.dims.length)
    malformed(`Node "${node.name}" (Transpose) has the order ${perm.slice(0, 20).join()}.`);
  const strides = stridesOf(source.dims);
  const moved = axes.map((axis) => strides[axis]);
  return [
    strided(
      source,
      axes.map((axis) => source.dims[axis]),
      moved,
    ),
  ];
}

/** @type {Evaluate} */
function where(node, inputs, most) {
  const [condition, yes, no] = [0, 1, 2].map((index) => need(node, inputs, index));
  const dims = broadcastDims(node, [condition.dims, yes.dims, no.dims], most);
  const [test, a, b] = [condition, yes, no].map((tensor) => expand(tensor, dims).data);
  return [{ dims, data: numbersLike(yes, test.length).map((_, i) => (test[i] ? a[i] : b[i])) }];
}

/** The in-place assignments of YOLOv5 before its `inplace` switch. @type {Evaluate} */
function scatterND(node, inputs) {
  const [source, indices, updates] = [0, 1, 2].map((index) => need(node, inputs, index));
  const depth = indices.dims[indices.dims.length - 1];
  const strides = stridesOf(source.dims);
  const size = countOf(source.dims.slice(depth));
  const data = source.data.slice();
  for (let i = 0; i * depth < indices.data.length; i++) {
    let to = 0;
    for (let axis = 0; axis < depth; axis++) {
      const at = checkedAxis(node, indices.data[i * depth + axis], source.dims[axis]);
      to += at * strides[axis];
    }
    data.set(updates.data.subarray(i * size, (i + 1) * size), to);
  }
  return [{ dims: source.dims, data }];
}

/** A list of tensors: the first, which holds them all. @type {Evaluate} */
function splitToSequence(node, inputs, most) {
  const { dims } = need(node, inputs, 0);
  const size = inputs[1] && inputs[1].dims.length === 0 ? inputs[1].data[0] : 0;
  const axis = checkedAxis(node, number(node, 'axis', 0), dims.length);
  if (!Number.isInteger(size) || (size > 0 && dims[axis] > size * MOST_PARTS))
    malformed(`Node "${node.name}" (SplitToSequence) has parts of ${size} of ${dims[axis]}.`);
  const even = size > 0 ? integers(chunks(dims[axis], size)) : inputs[1];
  if (!even)
    return unsupported(`Node "${node.name}" (SplitToSequence) splits a tensor into single slices.`);
  const parts = split(node, [inputs[0], even], most);
  return [{ ...parts[0], parts }];
}

/** @param {number} total @param {number} size of each but the last */
export const chunks = (total, size) =>
  Array.from({ length: Math.ceil(total / size) }, (_, i) => Math.min(size, total - i * size));

/** @type {Evaluate} */
function sequenceAt(node, inputs) {
  const { parts = [] } = need(node, inputs, 0);
  const part = parts.at(need(node, inputs, 1).data[0]);
  return [part ?? malformed(`Node "${node.name}" (SequenceAt) reads a part that isn't there.`)];
}

/**
 * The size of a tensor or a feature map, or a part of it.
 * @param {OnnxNode} node
 * @param {{dims: number[]}} input
 */
export function shape(node, { dims }) {
  return integers(dims.slice(number(node, 'start', 0), number(node, 'end', dims.length)));
}

/** @type {Map<string, Evaluate>} */
const OPERATIONS = new Map(
  Object.entries({
    Add: binary((a, b) => a + b),
    Cast: cast,
    Ceil: unary(Math.ceil),
    Concat: concat,
    Conv: mixChannels,
    Constant: constant,
    ConstantOfShape: constantOfShape,
    DequantizeLinear: dequantizeLinear,
    Div: divide,
    Equal: binary((a, b) => Number(a === b), { boolean: true }),
    Exp: unary(Math.exp),
    Expand: (node, inputs, most) => {
      const source = need(node, inputs, 0);
      const dims = Array.from(need(node, inputs, 1).data);
      return [expand(source, broadcastDims(node, [source.dims, dims], most))];
    },
    Floor: unary(Math.floor),
    Gather: gather,
    Identity: (node, inputs) => [need(node, inputs, 0)],
    Mul: binary((a, b) => a * b),
    Neg: unary((x) => -x),
    Pow: binary((a, b) => (b === 2 ? a * a : a ** b)),
    QuantizeLinear: quantizeLinear,
    Range: range,
    Reshape: reshape,
    ScatterND: scatterND,
    SequenceAt: sequenceAt,
    Shape: (node, inputs) => [shape(node, need(node, inputs, 0))],
    Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
    Softmax: softmax,
    Slice: slice,
    Split: split,
    SplitToSequence: splitToSequence,
    Squeeze: squeeze,
    Sub: binary((a, b) => a - b),
    Transpose: transpose,
    Unsqueeze: unsqueeze,
    Where: where,
  }),
);
