// What a page does with a canvas, for reading codes under Node: parts of pictures, larger and smaller; and the decoder.

import { readFileSync } from 'node:fs';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';

/**
 * @typedef {import('../../web/src/code-reading.js').Pixels} Pixels
 * @typedef {import('../../web/src/code-reading.js').Rect} Rect
 */

/** @returns {Promise<import('../../web/src/code-reading.js').Decode>} */
export async function decoder() {
  // it takes pixels for an encoded file unless they are of this class, which Node lacks
  globalThis.ImageData ??= /** @type {any} */ (Picture);
  const file = new URL(import.meta.resolve('zxing-wasm/reader/zxing_reader.wasm'));
  const wasmBinary = new Uint8Array(readFileSync(file)).buffer;
  await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
  return ({ data, width, height }, options) =>
    readBarcodes(new ImageData(new Uint8ClampedArray(data), width, height), options);
}

class Picture {
  /** @param {Uint8ClampedArray} data @param {number} width @param {number} height */
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
}

/** @param {Pixels} picture @param {Rect} region inside of it @returns {Pixels} */
export function cut(picture, { x, y, width, height }) {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * picture.width + x) * 4;
    data.set(picture.data.subarray(from, from + width * 4), row * width * 4);
  }
  return { data, width, height };
}

/** Bilinear. @param {Pixels} picture @param {number} scale @returns {Pixels} */
export function resized(picture, scale) {
  if (scale === 1) return picture;
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    const down = between(y, scale, picture.height);
    for (let x = 0; x < width; x++) {
      const across = between(x, scale, picture.width);
      for (let colour = 0; colour < 4; colour++) {
        const at = (/** @type {number} */ row, /** @type {number} */ column) =>
          picture.data[(row * picture.width + column) * 4 + colour];
        const above = mix(
          at(down.first, across.first),
          at(down.first, across.second),
          across.share,
        );
        const below = mix(
          at(down.second, across.first),
          at(down.second, across.second),
          across.share,
        );
        data[(y * width + x) * 4 + colour] = mix(above, below, down.share);
      }
    }
  }
  return { data, width, height };
}

/**
 * The two old places beside a new one, and how near the second is.
 * @param {number} at
 * @param {number} scale
 * @param {number} length
 */
function between(at, scale, length) {
  const place = Math.min(length - 1, Math.max(0, (at + 0.5) / scale - 0.5));
  const first = Math.floor(place);
  return { first, second: Math.min(length - 1, first + 1), share: place - first };
}

/** @param {number} a @param {number} b @param {number} share of b */
const mix = (a, b, share) => a + (b - a) * share;
