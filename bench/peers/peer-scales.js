// How the bench quantises networks for the peers. Speed does not depend on the numbers, so one range serves all layers.

/**
 * @typedef {import('../../web/src/graph/float-graph.js').Conv} Conv
 * @typedef {{scale: number, zero: number}} Scale of 8-bit unsigned numbers
 */

export const scales = {
  picture: { scale: 1 / 255, zero: 0 },
  sums: { scale: 16 / 255, zero: 128 },
  features: { scale: 8 / 255, zero: 10 },
  shares: { scale: 1 / 256, zero: 0 },
};

const MOST = 127; // of a weight
const LEAST = 1e-6; // of the largest weight of a channel

/**
 * Weights in 8 bits, symmetric, one scale an output channel, and the bias in 32.
 * @param {Pick<Conv, 'weight' | 'channels'> & {bias: Float32Array}} conv
 * @param {number} inputScale
 */
export function quantiseWeights({ weight, bias, channels: [, outputs] }, inputScale) {
  const length = weight.length / outputs;
  const steps = Float32Array.from({ length: outputs }, (_, o) => {
    const filter = weight.subarray(o * length, (o + 1) * length);
    return filter.reduce((most, value) => Math.max(most, Math.abs(value)), LEAST) / MOST;
  });
  const integers = Int8Array.from(weight, (value, i) =>
    Math.round(value / steps[Math.floor(i / length)]),
  );
  const units = steps.map((step) => step * inputScale);
  const sums = Int32Array.from(bias, (value, o) => Math.round(value / units[o]));
  return { steps, integers, units, sums };
}
