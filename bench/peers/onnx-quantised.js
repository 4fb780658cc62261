// The quantised form of an ONNX network: pairs of QuantizeLinear and DequantizeLinear, as onnxruntime's tool writes.

import { quantiseWeights, scales } from './peer-scales.js';

/**
 * @typedef {import('../../web/src/export/onnx-writer.js').OnnxWriter} OnnxWriter
 * @typedef {import('../../web/src/export/onnx-graph.js').Kind} Kind
 * @typedef {import('../../web/src/export/onnx-graph.js').Rounding} Rounding
 * @typedef {import('../../web/src/graph/float-graph.js').Conv} Conv
 * @typedef {import('./peer-scales.js').Scale} Scale
 */

/** @implements {Rounding} */
export class Quantised {
  /** Of each tensor. @type {Map<string, Scale>} */
  #scales = new Map();

  /** In 8 bits and back. @param {OnnxWriter} writer @param {string} name @param {Kind | string} like */
  tensor(writer, name, like) {
    const scale = scales[/** @type {Kind} */ (like)] ?? this.#scaleOf(like);
    const how = [
      writer.reals([scale.scale], []),
      writer.constant('uint8', [], Uint8Array.of(scale.zero)),
    ];
    const integers = writer.node('QuantizeLinear', [name, ...how]);
    const rounded = writer.node('DequantizeLinear', [integers, ...how]);
    this.#scales.set(rounded, scale);
    return rounded;
  }

  /** @param {OnnxWriter} writer @param {Conv} conv @param {string} input */
  weights(writer, conv, input) {
    return quantisedWeights(writer, conv, this.#scaleOf(input).scale);
  }

  /** @param {string} name */
  #scaleOf(name) {
    return /** @type {Scale} */ (this.#scales.get(name));
  }
}

/**
 * A convolution's weights and bias in integers and back.
 * @param {OnnxWriter} writer
 * @param {Conv} conv
 * @param {number} inputScale
 * @returns {string[]} names of the real weights and bias
 */
function quantisedWeights(writer, conv, inputScale) {
  const { channels, kernel, groups } = conv;
  const [inputs, outputs] = channels;
  const bias = conv.bias ?? new Float32Array(outputs);
  const { steps, integers, units, sums } = quantiseWeights({ ...conv, bias }, inputScale);
  const weights = [
    writer.constant('int8', [outputs, inputs / groups, ...kernel], integers),
    writer.reals(steps),
    writer.constant('int8', [outputs], new Int8Array(outputs)),
  ];
  const biases = [
    writer.constant('int32', [outputs], sums),
    writer.reals(units),
    writer.constant('int32', [outputs], new Int32Array(outputs)),
  ];
  return [weights, biases].map((parts) => writer.node('DequantizeLinear', parts, { axis: 0 }));
}
