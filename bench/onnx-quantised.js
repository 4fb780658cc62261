// The quantised form of an ONNX network: pairs of QuantizeLinear and DequantizeLinear, as onnxruntime's tool writes.

/**
 * @typedef {import('./onnx-writer.js').OnnxWriter} OnnxWriter
 * @typedef {import('../web/src/import/float-graph.js').Conv} Conv
 * @typedef {{scale: number, zero: number}} Scale of 8-bit unsigned numbers
 */

const MOST = 127; // of a weight
/** Speed does not depend on the numbers, so one range serves all layers. */
const PICTURE = { scale: 1 / 255, zero: 0 };
const SUMS = { scale: 16 / 255, zero: 128 };
const FEATURES = { scale: 8 / 255, zero: 10 };
const SHARES = { scale: 1 / 256, zero: 0 };
export const scales = { PICTURE, SUMS, FEATURES, SHARES };

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
 * A convolution's weights in 8 bits, symmetric, one scale an output channel, and its bias in 32.
 * @param {OnnxWriter} writer
 * @param {Conv} conv
 * @param {number} inputScale
 * @returns {string[]} names of the real weights and bias
 */
export function quantisedWeights(writer, { weight, bias, channels, kernel, groups }, inputScale) {
  const [inputs, outputs] = channels;
  const length = weight.length / outputs;
  const steps = Float32Array.from({ length: outputs }, (_, o) => {
    const filter = weight.subarray(o * length, (o + 1) * length);
    return filter.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6) / MOST;
  });
  const integers = Int8Array.from(weight, (value, i) =>
    Math.round(value / steps[Math.floor(i / length)]),
  );
  const dims = [outputs, inputs / groups, ...kernel];
  const weights = [writer.constant('int8', dims, integers), writer.reals(steps)];
  weights.push(writer.constant('int8', [outputs], new Int8Array(outputs)));
  const names = [writer.node('DequantizeLinear', weights, { axis: 0 })];
  if (!bias) return names;
  const units = steps.map((step) => step * inputScale);
  const sums = Int32Array.from(bias, (value, o) => Math.round(value / units[o]));
  const biases = [writer.constant('int32', [outputs], sums), writer.reals(units)];
  biases.push(writer.constant('int32', [outputs], new Int32Array(outputs)));
  return [...names, writer.node('DequantizeLinear', biases, { axis: 0 })];
}
