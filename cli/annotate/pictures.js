// Pictures → copies with their boxes drawn in.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { download } from '../../web/src/bytes/download.js';
import { WispError } from '../../web/src/index.js';
import { decodeImage } from '../../web/src/reading/read-node.js';
import { fileError, writeWhole } from '../files.js';
import { lineOf } from '../singles.js';
import { painted } from './painter.js';

/**
 * @typedef {import('./sources.js').Place} Place
 */

/** Endings that are kept, and how they are written; all others become PNG, which loses nothing. */
const FORMATS = /** @type {const} */ ({
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
});
const QUALITY = 92; // of 100

const MOST_PIXELS = 100e6; // as Detector has it

/**
 * @param {Place} picture
 * @param {import('./annotation.js').Annotation} to
 */
export async function annotatePicture(
  { place, shown, name },
  { detector, options, library, results, lines },
) {
  const pixels = await decode(place, shown, options.maxPixels);
  const result = await detector.detect(pixels, options).catch((thrown) => {
    throw thrown instanceof WispError
      ? new WispError(thrown.code, `${shown}: ${thrown.message}`, { cause: thrown })
      : thrown;
  });
  if (library && results) {
    const ending = path.extname(new URL(place, 'file:').pathname).toLowerCase();
    const format = FORMATS[/** @type {keyof typeof FORMATS} */ (ending)];
    const canvas = painted(library, pixels, result);
    const bytes = format === undefined ? await canvas.encode('png') : await encoded(canvas, format);
    writeWhole(results.file(name, format ? ending : '.png'), bytes);
  }
  await lines.write(lineOf({ file: shown }, result));
}

/** @param {import('@napi-rs/canvas').Canvas} canvas @param {'image/jpeg' | 'image/webp'} format */
const encoded = (canvas, format) =>
  canvas.encode(/** @type {'jpeg'} */ (format.slice('image/'.length)), QUALITY);

/** @param {string} place @param {string} shown @param {number} [maxPixels] */
async function decode(place, shown, maxPixels = MOST_PIXELS) {
  const bytes = /^https?:/i.test(place)
    ? await fetched(place)
    : await readFile(place).catch((cause) => {
        throw fileError(place, cause);
      });
  return decodeImage(bytes, maxPixels).catch((thrown) => {
    throw thrown instanceof WispError
      ? new WispError(thrown.code, `${shown}: ${thrown.message}`, { cause: thrown })
      : thrown;
  });
}

/** @param {string} address */
async function fetched(address) {
  const parts = [];
  for await (const piece of (await download(address)).pieces) parts.push(piece);
  return Buffer.concat(parts);
}
