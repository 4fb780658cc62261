// Activations as ONNX files spell them, in one node or several; and those that end squeeze-and-excitation.

/** @typedef {import('./onnx-builder.js').OnnxBuilder} OnnxBuilder */

/** @type {Record<string, (b: OnnxBuilder, x: string) => string>} */
export const ACTIVATIONS = {
  silu: (b, x) => b.node('Mul', [x, b.node('Sigmoid', [x])]),
  relu: (b, x) => b.node('Relu', [x]),
  leaky: (b, x) => b.node('LeakyRelu', [x], { alpha: 0.1 }),
  hardswish: (b, x) => b.node('HardSwish', [x]),
  hardsigmoid: (b, x) =>
    b.node('Mul', [x, b.node('HardSigmoid', [x], { alpha: 1 / 6, beta: 0.5 })]),
  clip: (b, x) => b.node('Div', [b.node('Mul', [x, relu6(b, x)]), b.reals([6], [])]),
  clipFirst: (b, x) => b.node('Mul', [x, b.node('Div', [relu6(b, x), b.reals([6], [])])]),
};

/** @type {Record<string, (b: OnnxBuilder, x: string) => string>} */
export const GATES = {
  hardsigmoid: (b, x) => b.node('HardSigmoid', [x], { alpha: 1 / 6, beta: 0.5 }),
  divided: (b, x) => b.node('Div', [relu6(b, x), b.reals([6], [])]),
  multiplied: (b, x) => b.node('Mul', [relu6(b, x), b.reals([1 / 6], [])]),
  sigmoid: (b, x) => b.node('Sigmoid', [x]),
  silu: ACTIVATIONS.silu,
};

/** @param {OnnxBuilder} b @param {string} x */
function relu6(b, x) {
  const shifted = b.node('Add', [x, b.reals([3], [])]);
  return b.node('Clip', [shifted, b.reals([0], []), b.reals([6], [])]);
}
