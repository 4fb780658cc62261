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

/**
 * @param {import('./door.js').Door} door
 * @param {number} at address of the first
 * @param {number} count
 * @param {string[]} classes
 * @returns {Box[]}
 */
export function readBoxes(door, at, count, classes) {
  if (count === 0) return []; // and no address
  const { size, offsets } = door.record('box');
  const view = new DataView(door.memory.buffer, at, count * size);
  const real = (/** @type {number} */ offset) => view.getFloat32(offset, true);
  return Array.from({ length: count }, (_, k) => {
    const from = k * size;
    const [x, y] = [real(from + offsets.x1), real(from + offsets.y1)];
    const width = Math.fround(real(from + offsets.x2) - x);
    const height = Math.fround(real(from + offsets.y2) - y);
    const label = view.getInt32(from + offsets.label, true);
    return { x, y, width, height, score: real(from + offsets.score), label, name: classes[label] };
  });
}
