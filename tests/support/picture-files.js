// Small picture files of every format, what Pillow makes of them, and the same pictures on their sides.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';

/** @typedef {{data: Uint8Array | Uint8ClampedArray, width: number, height: number}} Pixels RGBA */

/** tests/fixtures/pictures, see draw.py there. */
export const folder = fileURLToPath(new URL('../fixtures/pictures', import.meta.url));

/** Size and SHA-256 of the pixels on white. @type {Record<string, {width: number, height: number, sha256: string}>} */
export const expected = JSON.parse(readFileSync(path.join(folder, 'pixels.json'), 'utf8'));

export const names = readdirSync(folder).filter((name) => Object.hasOwn(expected, name));

/** @param {string} name @returns {Uint8Array<ArrayBuffer>} */
export const fileNamed = (name) => new Uint8Array(readFileSync(path.join(folder, name)));

/** Each product of a colour and A / 255 is rounded on its own. @param {Pixels} picture @param {number[]} [ground] */
export function laidOn({ data, ...size }, ground = [255, 255, 255]) {
  const share = (/** @type {number} */ c, /** @type {number} */ a) => Math.round((c * a) / 255);
  const laid = Uint8Array.from(data, (byte, i) => {
    const a = data[i | 3];
    return i % 4 === 3 ? 255 : share(byte, a) + share(ground[i % 4], 255 - a);
  });
  return { ...size, data: laid };
}

/**
 * The picture that a viewer shows where a file of these pixels says this of itself (EXIF 2.3, tag 0x0112): where the
 * first row and the first column of the file belong.
 * @param {Pixels} picture
 * @param {number} turn
 */
export function turned({ data, width: w, height: h }, turn) {
  const [rowsFrom, columnsFrom] = /** @type {const} */ ([
    ['top', 'left'],
    ['top', 'right'],
    ['bottom', 'right'],
    ['bottom', 'left'],
    ['left', 'top'],
    ['right', 'top'],
    ['right', 'bottom'],
    ['left', 'bottom'],
  ])[turn - 1];
  const [width, height] = turn > 4 ? [h, w] : [w, h];
  const upright = new Uint8Array(data.length);
  const place = { x: 0, y: 0 };
  const put = (/** @type {string} */ side, /** @type {number} */ n) => {
    if (side === 'top') place.y = n;
    if (side === 'bottom') place.y = height - 1 - n;
    if (side === 'left') place.x = n;
    if (side === 'right') place.x = width - 1 - n;
  };
  for (let row = 0; row < h; row++)
    for (let column = 0; column < w; column++) {
      put(rowsFrom, row);
      put(columnsFrom, column);
      const at = (row * w + column) * 4;
      upright.set(data.subarray(at, at + 4), (place.y * width + place.x) * 4);
    }
  return { data: upright, width, height };
}

/** A TIFF directory with one entry: the orientation. @param {number} turn */
const exif = (turn) => [
  ...Buffer.from('MM\0*\0\0\0\x08', 'latin1'),
  ...[0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, turn, 0, 0, 0, 0, 0, 0],
];

/** The file, which says that it lies so. @param {Uint8Array} file JPEG, PNG or lossless WebP @param {number} turn */
export function onItsSide(file, turn) {
  if (file[0] === 0xff) return inJpeg(file, exif(turn));
  return file[0] === 0x89 ? inPng(file, exif(turn)) : inWebp(file, exif(turn));
}

/** @param {Uint8Array} file @param {number[]} tiff */
function inJpeg(file, tiff) {
  const segment = [0xff, 0xe1, 0, 8 + tiff.length, ...Buffer.from('Exif\0\0'), ...tiff];
  return Uint8Array.from([...file.subarray(0, 2), ...segment, ...file.subarray(2)]);
}

/** Behind IHDR. @param {Uint8Array} file @param {number[]} tiff */
function inPng(file, tiff) {
  const typed = Buffer.from([...Buffer.from('eXIf'), ...tiff]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(tiff.length, 0);
  frame.writeUInt32BE(crc32(typed), 4);
  const chunk = [...frame.subarray(0, 4), ...typed, ...frame.subarray(4)];
  return Uint8Array.from([...file.subarray(0, 33), ...chunk, ...file.subarray(33)]);
}

/** @param {Uint8Array} file with a lossless picture and nothing else @param {number[]} tiff */
function inWebp(file, tiff) {
  const bits = new DataView(file.buffer, file.byteOffset).getUint32(21, true);
  const size = Buffer.alloc(8);
  size.writeUIntLE(bits & 0x3fff, 0, 3); // already less one
  size.writeUIntLE((bits >> 14) & 0x3fff, 3, 3);
  const length = (/** @type {number} */ n) => [n & 255, n >> 8, 0, 0];
  const extended = [...Buffer.from('VP8X'), ...length(10), 8, 0, 0, 0, ...size.subarray(0, 6)];
  const about = [...Buffer.from('EXIF'), ...length(tiff.length), ...tiff];
  const body = [...Buffer.from('WEBP'), ...extended, ...file.subarray(12), ...about];
  return Uint8Array.from([...Buffer.from('RIFF'), ...length(body.length), ...body]);
}
