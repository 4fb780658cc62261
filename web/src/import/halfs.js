// Real numbers of 16 bits → float32.

/** @param {Uint16Array} halfs IEEE 754 binary16 */
export function halfsToFloats(halfs) {
  const floats = new Float32Array(halfs.length);
  for (let i = 0; i < halfs.length; i++) floats[i] = halfToFloat(halfs[i]);
  return floats;
}

/** @param {number} half */
function halfToFloat(half) {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1024 + fraction) * POWERS[exponent];
}

/** 2^(e − 25): a half with exponent bits e and its hidden bit counts in these. */
const POWERS = Float64Array.from({ length: 31 }, (_, exponent) => 2 ** (exponent - 25));

/** The upper halves of float32. @param {Uint16Array} halfs bfloat16 */
export function bfloatsToFloats(halfs) {
  return new Float32Array(Uint32Array.from(halfs, (half) => half << 16).buffer);
}
