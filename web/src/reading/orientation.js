// Pixels as a file stores them → upright ones.

/** Whether width and height change places. @param {number} orientation 1 … 8 as EXIF counts */
export const liesOnItsSide = (orientation) => orientation > 4;

/**
 * Where a walk through the stored pixels begins and what it adds with each upright pixel and row.
 * @param {number} orientation
 * @param {number} w stored
 * @param {number} h
 */
const walkOf = (orientation, w, h) =>
  [
    [0, 1, w],
    [w - 1, -1, w],
    [w * h - 1, -1, -w],
    [w * (h - 1), 1, -w],
    [0, w, 1],
    [w * (h - 1), -w, 1],
    [w * h - 1, -w, -1],
    [w - 1, w, -1],
  ][orientation - 1];

const TILE = 32; // pixels: what lies below each other is far apart in memory

/**
 * Turns a picture into the room for it.
 * @param {{data: Uint8Array | Uint8ClampedArray, width: number, height: number}} stored RGBA
 * @param {number} orientation
 * @param {import('../picture/picture.js').Room} room
 */
export function placeUpright({ data, width: w, height: h }, orientation, room) {
  const [width, height] = liesOnItsSide(orientation) ? [h, w] : [w, h];
  const bytes = room(width, height);
  if (orientation === 1) return bytes.set(data);
  const [from, to] = [data, bytes].map(pixelsOf);
  const [first, across, down] = walkOf(orientation, w, h);
  for (let top = 0; top < height; top += TILE) {
    const bottom = Math.min(top + TILE, height);
    for (let left = 0; left < width; left += TILE) {
      const right = Math.min(left + TILE, width);
      for (let y = top; y < bottom; y++) {
        let at = first + y * down + left * across;
        for (let x = left; x < right; x++, at += across) to[y * width + x] = from[at];
      }
    }
  }
}

/** @param {Uint8Array | Uint8ClampedArray} bytes whole pixels; of a decoder's memory, so they begin at whole ones */
const pixelsOf = ({ buffer, byteOffset, length }) =>
  new Uint32Array(buffer, byteOffset, length / 4);
