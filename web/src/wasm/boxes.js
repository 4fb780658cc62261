// Boxes in a module's memory: wisp_box of core/wisp.h.

/**
 * @typedef {object} Box
 * @property {number} x left, in pixels of the source
 * @property {number} y top
 * @property {number} width
 * @property {number} height
 * @property {number} score 0 … 1
 * @property {number} label index of the class
 * @property {string} name of the class
 */

const FIELDS = 6; // f32 x1 y1 x2 y2 score, i32 label

/**
 * @param {WebAssembly.Memory} memory
 * @param {number} at address of the first
 * @param {number} count
 * @param {string[]} classes
 * @returns {Box[]}
 */
export function readBoxes({ buffer }, at, count, classes) {
  if (count === 0) return []; // and no address
  const reals = new Float32Array(buffer, at, count * FIELDS);
  const labels = new Int32Array(buffer, at, count * FIELDS);
  return Array.from({ length: count }, (_, k) => {
    const [x, y, x2, y2, score] = reals.subarray(k * FIELDS);
    const label = labels[k * FIELDS + 5];
    const size = { width: Math.fround(x2 - x), height: Math.fround(y2 - y) };
    return { x, y, ...size, score, label, name: classes[label] };
  });
}
