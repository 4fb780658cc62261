// Boxes and masks in a module's memory: wisp_box and wisp_mask of core/wisp.h.

/**
 * @typedef {object} Box
 * @property {number} x left, in pixels of the source
 * @property {number} y top
 * @property {number} width
 * @property {number} height
 * @property {number} score 0 … 1
 * @property {number} label index of the class
 * @property {string} name of the class
 * @property {Mask} [mask] its pixels, where they were asked for
 *
 * @typedef {object} Bitmap
 * @property {number} x left, of the box in whole pixels of the source
 * @property {number} y top
 * @property {number} width
 * @property {number} height
 * @property {Uint8Array<ArrayBuffer>} data [height][width], 1 where a pixel belongs to the object, otherwise 0
 *
 * @typedef {object} RunLengths as COCO has them, uncompressed
 * @property {[height: number, width: number]} size of the source
 * @property {number[]} counts of pixels, column after column: first some that don't belong to the object, then some
 *   that do, and so on in turn
 *
 * @typedef {Bitmap | RunLengths} Mask by the option `masks`
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

/**
 * Gives boxes their masks.
 * @param {import('./door.js').Door} door
 * @param {number} at address of the first
 * @param {Box[]} boxes
 * @param {'bitmap' | 'rle'} form
 * @param {{width: number, height: number}} frame
 */
export function readMasks(door, at, boxes, form, { width, height }) {
  const record = door.record('mask');
  boxes.forEach((box, i) => {
    const { runs, count, ...place } = record.read(at + i * record.size);
    const lengths = new Uint32Array(door.memory.buffer, runs, count);
    box.mask =
      form === 'rle'
        ? { size: [height, width], counts: [...lengths] }
        : { ...place, data: bitsOf(lengths, place) };
  });
}

/** @param {Uint32Array} lengths row by row @param {{width: number, height: number}} place */
function bitsOf(lengths, { width, height }) {
  const bits = new Uint8Array(width * height);
  let at = 0;
  lengths.forEach((length, i) => {
    if (i % 2) bits.fill(1, at, at + length);
    at += length;
  });
  return bits;
}
