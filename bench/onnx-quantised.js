// The quantised form of an ONNX network: pairs of QuantizeLinear and DequantizeLinear, as onnxruntime's tool writes.

import { quantiseWeights } from './peer-scales.js';

/**
 * @typedef {import('./onnx-writer.js').OnnxWriter} OnnxWriter
 * @typedef {import('../web/src/import/float-graph.js').Conv} Conv
 * @typedef {import('./peer-scales.js').Scale} Scale
 */

/**
 * The tensor in 8 bits and back.
 * @param {OnnxWriter} writer
 * @param {string} input
 * @param {Scale} scale
 */
export function requantised(writer, input, { scale, zero }) {
  const how = [writer.reals([scale], []), writer.constant('uint8', [], Uint8Array.of(zero))];
  return writer.node('DequantizeLinear', [writer.node('QuantizeLinear', [input, ...how]), ...how]);
}

/**
 * A convolution's weights and bias in integers and back.
 * @param {OnnxWriter} writer
 * @param {Conv} conv
 * @param {number} inputScale
 * @returns {string[]} names of the real weights and bias
 */
export function quantisedWeights(writer, conv, inputScale) {
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
