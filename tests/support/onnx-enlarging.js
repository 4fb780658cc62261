// Nodes of ONNX that make a map larger: a max-pool behind zeros, a transposed convolution.

/** @typedef {import('./onnx-builder.js').OnnxBuilder} OnnxBuilder */

/** @param {OnnxBuilder} b @param {string} x */
export function paddedPool(b, x) {
  const padded = b.node('Pad', [x, b.integers([0, 0, 0, 0, 0, 0, 1, 1])]);
  return b.node('MaxPool', [padded], { kernel_shape: [2, 2], strides: [1, 1] });
}

/** Twice as large, by channel. @param {OnnxBuilder} b @param {string} x @param {number} channels */
export function transposed(b, x, channels) {
  const some = (/** @type {number} */ n) =>
    Array.from({ length: n }, (_, i) => ((i * 37) % 101) / 101 - 0.5);
  const how = { group: channels, kernel_shape: [4, 4], pads: [1, 1, 1, 1], strides: [2, 2] };
  const weight = b.reals(some(channels * 16), [channels, 1, 4, 4]);
  return b.node('ConvTranspose', [x, weight, b.reals(some(channels))], how);
}
