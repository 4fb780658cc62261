// Dense tensors without arithmetic: shapes, strides, strided copies, broadcasting.

import { malformed } from '../graph/graph-error.js';

/**
 * @typedef {import('./onnx-proto.js').Tensor} Tensor
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 */

/** Elements a tensor may have: boxes of 85 numbers for a picture of 3500×3500. */
const LIMIT = 1 << 26;

/** Axes that a tensor may have. */
export const MOST_AXES = 16;

/**
 * How many numbers a tensor has, none too where one side is 0; the others are bounded then too, since they are walked.
 * @param {number[]} dims
 * @param {number} [most] that it may be
 */
export function countOf(dims, most = LIMIT) {
  const product = (/** @type {number} */ least) =>
    dims.reduce((all, size) => all * Math.max(least, size), 1);
  const isSound =
    dims.length <= MOST_AXES && dims.every((size) => Number.isInteger(size) && size >= 0);
  if (!(isSound && product(1) <= Math.min(most, LIMIT)))
    malformed(
      `A constant of ${dims.slice(0, MOST_AXES).join('×')} is more than wisp computes with.`,
    );
  return product(0);
}

/** @param {number[]} values @returns {Tensor} */
export const integers = (values) => ({ dims: [values.length], data: Float64Array.from(values) });

/** @param {Tensor} tensor */
export const isInteger = (tensor) => tensor.data instanceof Float64Array;

/** @param {Tensor} like @param {number} count */
export function numbersLike(like, count) {
  return isInteger(like) ? new Float64Array(count) : new Float32Array(count);
}

/** Elements from one step along each axis to the next. @param {number[]} dims */
export function stridesOf(dims) {
  const strides = new Array(dims.length).fill(1);
  for (let axis = dims.length - 2; axis >= 0; axis--) {
    strides[axis] = strides[axis + 1] * dims[axis + 1];
  }
  return strides;
}

/**
 * A contiguous copy of elements that lie `strides` apart.
 * @param {Tensor} source
 * @param {number[]} dims of the copy
 * @param {number[]} strides
 * @param {number} [start]
 * @returns {Tensor}
 */
export function strided(source, dims, strides, start = 0) {
  const data = numbersLike(source, countOf(dims));
  const last = dims.length - 1;
  const width = last < 0 ? 1 : dims[last];
  const step = last < 0 ? 1 : strides[last];
  const position = new Array(Math.max(last, 0)).fill(0);
  let row = start;
  for (let index = 0; index < data.length; ) {
    for (let x = 0, from = row; x < width; x++, from += step) data[index++] = source.data[from];
    for (let axis = last - 1; axis >= 0; axis--) {
      row += strides[axis];
      if (++position[axis] < dims[axis]) break;
      row -= strides[axis] * dims[axis];
      position[axis] = 0;
    }
  }
  return { dims, data };
}

/**
 * The shape that the shapes stretch to, by the rules of NumPy.
 * @param {OnnxNode} node
 * @param {number[][]} shapes
 * @param {number} most numbers that it may have
 */
export function broadcastDims(node, shapes, most) {
  const rank = Math.max(...shapes.map((dims) => dims.length));
  const joined = Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((dims) => dims[axis - rank + dims.length] ?? 1);
    const size = sizes.find((value) => value !== 1) ?? 1;
    if (sizes.every((value) => value === 1 || value === size)) return size;
    const text = shapes.map((dims) => dims.join('×')).join(' and ');
    return malformed(`Node "${node.name}" (${node.op}) joins shapes that don't fit: ${text}.`);
  });
  countOf(joined, most);
  return joined;
}

/** @param {Tensor} tensor @param {number[]} dims */
export function expand(tensor, dims) {
  if (tensor.dims.join() === dims.join()) return tensor;
  const own = stridesOf(tensor.dims);
  const shift = dims.length - tensor.dims.length;
  const strides = dims.map((_, axis) =>
    (tensor.dims[axis - shift] ?? 1) === 1 ? 0 : own[axis - shift],
  );
  return strided(tensor, dims, strides);
}

/**
 * What [start:end:step] takes of an axis, by the rules of NumPy.
 * @param {number} size
 * @param {number} start
 * @param {number} end
 * @param {number} step
 */
export function sliceRange(size, start, end, step) {
  if (![start, end, step].every(Number.isInteger) || step === 0)
    malformed(`A slice goes from ${start} to ${end} in steps of ${step}.`);
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const place = (/** @type {number} */ at) =>
    Math.min(Math.max(at < 0 ? at + size : at, low), high);
  const first = place(start);
  return { start: first, count: Math.max(0, Math.ceil((place(end) - first) / step)) };
}
