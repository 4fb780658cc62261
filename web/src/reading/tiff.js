// TIFF files under Node: the first page. UTIF decodes its pieces; what it is told of them is read and bounded here,
// since its own reader takes gigabytes for a few damaged bytes.

import { DamagedError } from './codec.js';
import { Bytes, readHeader } from './header.js';
import { requireSize } from './read.js';
import { unpackDeflate, unpackLzw } from './tiff-pieces.js';

/** What UTIF decodes by, named as it names them. @typedef {Record<string, number[] | Uint8Array>} Page */

/** Bytes of a value, by its type: BYTE, SHORT, LONG, UNDEFINED. @type {Record<number, number>} */
const SIZES = { 1: 1, 3: 2, 4: 4, 7: 1 };
/** Tags of a page that say how its pixels are kept. */
const TAGS = new Set(
  [256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 317, 320, 322, 323, 324].concat([
    325, 338, 339, 347, 530,
  ]),
);
/** None, three kinds of fax, LZW, JPEG, deflate under both of its numbers, PackBits. */
const COMPRESSIONS = [1, 2, 3, 4, 5, 7, 8, 32946, 32773];
const JPEG = 7;
const MOST_BITS = 64; // of a pixel

/** @type {import('./codec.js').Decode} */
export async function decodeTiff(bytes, maxPixels, place) {
  const { default: utif } = await import('utif2');
  const page = /** @type {any} */ (readPage(new Bytes(bytes, bytes[0] === 0x49)));
  requireSound(page, bytes, maxPixels);
  utif.decodeImage(unpacked(page, bytes).buffer, page);
  const { width, height } = page;
  const data = utif.toRGBA8(page);
  if (data.length !== width * height * 4) throw new DamagedError('its pixels are not all there');
  place({ data, width, height });
}

/** @param {Bytes} file @returns {Page} */
function readPage(file) {
  const page = /** @type {Page} */ ({});
  const directory = file.u32(4);
  for (let i = 0; i < file.u16(directory); i++) {
    const at = directory + 2 + i * 12; // u16 tag, u16 type, u32 count, the values or where they are
    const [tag, size, count] = [file.u16(at), SIZES[file.u16(at + 2)], file.u32(at + 4)];
    if (!TAGS.has(tag) || !size) continue;
    const from = size * count > 4 ? file.u32(at + 8) : at + 8;
    if (from + size * count > file.length) throw new DamagedError('its directory is cut');
    const read = (/** @type {number} */ k) => {
      const place = from + k * size;
      return size === 1 ? file.u8(place) : size === 2 ? file.u16(place) : file.u32(place);
    };
    page[`t${tag}`] =
      size === 1
        ? Uint8Array.from({ length: count }, (_, k) => read(k))
        : Array.from({ length: count }, (_, k) => read(k));
  }
  return page;
}

/**
 * Whether page and pieces fit each other and the file.
 * @param {Page} page
 * @param {Uint8Array} bytes
 * @param {number} maxPixels
 */
function requireSound(page, bytes, maxPixels) {
  const one = (/** @type {number} */ tag, otherwise = 0) => page[`t${tag}`]?.[0] ?? otherwise;
  const [width, height, isTiled] = [one(256), one(257), one(322) > 0];
  if (!width || !height || !page.t262) throw new DamagedError('it says nothing of its pixels');
  requireSize(width, height, maxPixels);
  const compression = one(259, 1);
  if (!COMPRESSIONS.includes(compression)) throw new DamagedError(`compression ${compression}`);
  if (one(284, 1) !== 1) throw new DamagedError('its colours lie apart');
  if (one(277, 1) * one(258, 1) > MOST_BITS)
    throw new DamagedError('its pixels have too many bits');
  const [across, down] = isTiled
    ? [one(322), one(323)]
    : [width, Math.min(one(278, height), height)];
  if (!across || !down || across * down > 4 * maxPixels)
    throw new DamagedError('its pieces have no such size');
  const count = Math.ceil(width / across) * Math.ceil(height / down);
  const [offsets, lengths] = isTiled ? [page.t324, page.t325] : [page.t273, page.t279];
  if (offsets?.length !== count || lengths?.length !== count)
    throw new DamagedError('pieces are missing');
  offsets.forEach((offset, i) => {
    if (offset + lengths[i] > bytes.length) throw new DamagedError('it ends before its pixels do');
    if (compression !== JPEG) return;
    const inside = readHeader(bytes.subarray(offset, offset + lengths[i]));
    if (inside) requireSize(inside.width, inside.height, maxPixels);
  });
}

/** By the number of the compression; UTIF does the others. @type {Record<number, typeof unpackLzw>} */
const UNPACKERS = { 5: unpackLzw, 8: unpackDeflate, 32946: unpackDeflate };

/**
 * The file, or its pieces as they are once unpacked, which the page then tells.
 * @param {Page} page that is sound
 * @param {Uint8Array} bytes
 */
function unpacked(page, bytes) {
  const unpack = UNPACKERS[page.t259?.[0] ?? 1];
  if (!unpack) return new Uint8Array(bytes); // a copy that begins at 0
  const isTiled = page.t322 !== undefined;
  const [offsets, lengths] = isTiled ? ['t324', 't325'] : ['t273', 't279'];
  const [width, height] = [page.t256[0], page.t257[0]];
  const rows = Math.min(page.t278?.[0] ?? height, height);
  const [across, down] = isTiled ? [page.t322[0], page.t323[0]] : [width, rows];
  const row = Math.ceil((across * (page.t277?.[0] ?? 1) * (page.t258?.[0] ?? 1)) / 8);
  const pieces = Array.from(page[offsets], (offset, i) => {
    const piece = unpack(bytes.subarray(offset, offset + page[lengths][i]), row * down);
    const wanted = isTiled ? row * down : row * Math.min(down, height - i * down);
    if (piece.length < wanted) throw new DamagedError('it ends before its pixels do');
    return piece;
  });
  const file = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 2));
  file.set(bytes.subarray(0, 2)); // the order of bytes
  let at = 2;
  const places = pieces.map((piece) => {
    file.set(piece, at);
    at += piece.length;
    return at - piece.length;
  });
  const sizes = pieces.map(({ length }) => length);
  Object.assign(page, { t259: [1], [offsets]: places, [lengths]: sizes });
  return file;
}
