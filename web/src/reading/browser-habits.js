// What this browser does with pictures, tried once on tiny ones: engines differ, and their versions too.

import { AS_STORED } from '../picture/picture.js';

/** A pixel above another, on its side as EXIF says: upright they lie side by side. */
const ON_ITS_SIDE = new Map([
  [
    'PNG',
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAACCAAAAAC86un7AAAAGmVYSWZNTQAqAAAACAABARIAAwAAAAEABgAAAAAAANZnS2kAAAAMSURBVHjaY/jP' +
      '8B8ABAAB/xz36VwAAAAASUVORK5CYII=',
  ],
  [
    'WebP',
    'UklGRlIAAABXRUJQVlA4WAoAAAAIAAAAAAAAAQAAVlA4TBEAAAAvAEAAAAfQ//73v/+BiOh/AABFWElGGgAAAE1NACoAAAAIAAEBEgADAAAAAQAG' +
      'AAAAAAAA',
  ],
]);

/** @type {Map<string, Promise<boolean>>} */
const turning = new Map();

/** Whether pictures of this format come turned upright. @param {string} format */
export function turnsItself(format) {
  const known = turning.get(format) ?? tryToTurn(ON_ITS_SIDE.get(format));
  turning.set(format, known);
  return known;
}

/** @param {string | undefined} file in base64; others turn in every browser */
async function tryToTurn(file) {
  if (!file) return true;
  const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
  const { width } = await createImageBitmap(new Blob([bytes]), AS_STORED);
  return width === 2;
}

/** @typedef {(image: ImageBitmap, room: import('../picture/picture.js').Room) => unknown} Copy of its RGBA bytes */

const SIDE = 16; // of a picture that holds one colour in 256 strengths

/**
 * Whether colours come back as they were once they are multiplied by their A, which a canvas does.
 * @param {Copy} copy
 */
export async function copiesRightly(copy) {
  const image = new ImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) image.data.set([100, 200, 7, i], i * 4);
  const bitmap = await createImageBitmap(image, AS_STORED);
  const bytes = new Uint8ClampedArray(image.data.length);
  try {
    await copy(bitmap, () => bytes);
    return bytes.every(
      (byte, i) => multiplied(bytes, byte, i) === multiplied(image.data, image.data[i], i),
    );
  } catch {
    return false;
  } finally {
    bitmap.close();
  }
}

/** @param {Uint8ClampedArray} rgba @param {number} byte @param {number} i its place */
const multiplied = (rgba, byte, i) => (i % 4 === 3 ? byte : Math.round((byte * rgba[i | 3]) / 255));
