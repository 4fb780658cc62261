// What a picture file says of itself before anything is decoded: format, size, which side is up.

import { WispError } from '../error.js';

/**
 * @typedef {'JPEG' | 'PNG' | 'WebP' | 'GIF' | 'BMP' | 'PNM' | 'TIFF' | 'AVIF' | 'HEIC'} Format
 *
 * @typedef {object} Header
 * @property {Format} format
 * @property {number} width as stored, before it is turned; 0 where the file does not come so far as to say
 * @property {number} height
 * @property {number} orientation 1 … 8 as EXIF counts; 1 is upright; of AVIF see heif.js
 * @property {boolean} isCut whether it certainly ends before its pixels do; a JPEG doesn't tell
 */

const UPRIGHT = 1;

/** What to do with a picture that can't be read here. @param {Format} format */
export function adviceFor(format) {
  if (format !== 'HEIC') return 'Convert it to PNG or JPEG';
  return 'Convert it to JPEG; an iPhone takes JPEG itself with Settings > Camera > Formats > Most Compatible';
}

/** @param {number} [share] of its rows that are missing, 0 … 1 */
export function brokenOff(share) {
  const percent = Math.min(100, Math.max(1, Math.round((share ?? 0) * 100)));
  const missing = share ? `${percent} % of its rows are missing` : 'some of its pixels are missing';
  const sentence = `It breaks off: ${missing}. Copy or fetch it again.`;
  return new WispError('WISP_ERR_SOURCE', sentence);
}

/** Numbers in a file; what lies beyond its end is 0. */
export class Bytes {
  #bytes;

  /** @param {Uint8Array} bytes @param {boolean} [little] endian */
  constructor(bytes, little = false) {
    this.#bytes = bytes;
    this.little = little;
  }

  get length() {
    return this.#bytes.length;
  }

  /** @param {number} at @param {number} [length] @param {boolean} [little] */
  part(at, length, little = this.little) {
    const end = length === undefined ? this.length : at + length;
    return new Bytes(this.#bytes.subarray(at, Math.max(at, end)), little);
  }

  /** @param {number} at */
  u8(at) {
    return this.#bytes[at] ?? 0;
  }

  /** @param {number} at */
  u16(at) {
    const [first, second] = [this.u8(at), this.u8(at + 1)];
    return this.little ? first + second * 256 : first * 256 + second;
  }

  /** @param {number} at */
  u24(at) {
    return this.u16(at) + this.u8(at + 2) * 65536; // little endian only, as WebP has it
  }

  /** @param {number} at */
  u32(at) {
    const [first, second] = [this.u16(at), this.u16(at + 2)];
    return this.little ? first + second * 65536 : first * 65536 + second;
  }

  /** @param {number} at @param {string} text */
  says(at, text) {
    return this.text(at, text.length) === text;
  }

  /** @param {number} at @param {number} length */
  text(at, length) {
    return String.fromCharCode(...this.#bytes.subarray(at, at + length));
  }
}

/** @typedef {Pick<Header, 'width' | 'height'> & Partial<Header>} Found */

/** @type {{format: Format, is: (file: Bytes) => boolean, read: (file: Bytes) => Found}[]} */
const FORMATS = [
  { format: 'JPEG', is: (file) => file.says(0, '\xff\xd8\xff'), read: readJpeg },
  { format: 'PNG', is: (file) => file.says(0, '\x89PNG\r\n\x1a\n'), read: readPng },
  { format: 'WebP', is: (file) => file.says(0, 'RIFF') && file.says(8, 'WEBP'), read: readWebp },
  { format: 'GIF', is: (file) => /^GIF8[79]a/.test(file.text(0, 6)), read: readGif },
  { format: 'BMP', is: isBmp, read: readBmp },
  { format: 'TIFF', is: (file) => /^(II\*\0|MM\0\*)/.test(file.text(0, 4)), read: readTiff },
  {
    format: 'AVIF',
    is: (file) => brandsOf(file).some((one) => /^avi[fs]/.test(one)),
    read: readHeif,
  },
  {
    format: 'HEIC',
    is: (file) => brandsOf(file).some((one) => /^(he[iv]|mif1)/.test(one)),
    read: readHeif,
  },
  { format: 'PNM', is: (file) => /^P[56]\s/.test(file.text(0, 3)), read: readPnm },
];

/**
 * @param {Uint8Array} bytes of a file; its end may be missing
 * @returns {Header | undefined} nothing if it is no picture
 */
export function readHeader(bytes) {
  const file = new Bytes(bytes);
  const found = FORMATS.find(({ is }) => is(file));
  return found && { orientation: UPRIGHT, isCut: false, ...found.read(file), format: found.format };
}

/** @param {Bytes} file @returns {Found} */
function readJpeg(file) {
  let orientation = UPRIGHT;
  for (let at = 2; at + 4 <= file.length && file.u8(at) === 0xff; ) {
    const marker = file.u8(at + 1);
    if (marker === 0xff) {
      at++; // a fill byte
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: file.u16(at + 5), width: file.u16(at + 7), orientation };
    if (marker === 0xe1 && file.says(at + 4, 'Exif\0\0'))
      orientation = readTiff(file.part(at + 10, file.u16(at + 2) - 8)).orientation;
    at += 2 + Math.max(2, file.u16(at + 2));
  }
  return { width: 0, height: 0, orientation };
}

/** @param {Bytes} file @returns {Found} */
function readPng(file) {
  let [orientation, isCut] = [UPRIGHT, false];
  for (let at = 8; at + 8 <= file.length; at += 12 + file.u32(at)) {
    if (file.says(at + 4, 'eXIf')) ({ orientation } = readTiff(file.part(at + 8, file.u32(at))));
    isCut ||= file.says(at + 4, 'IDAT') && at + 8 + file.u32(at) > file.length;
  }
  return { width: file.u32(16), height: file.u32(20), orientation, isCut };
}

/** @param {Bytes} file @returns {Found} */
function readWebp(file) {
  const riff = file.part(0, undefined, true);
  let [width, height, orientation] = [0, 0, UPRIGHT];
  for (let at = 12; at + 8 <= riff.length; at += 8 + riff.u32(at + 4) + (riff.u32(at + 4) % 2)) {
    const chunk = riff.part(at + 8, riff.u32(at + 4));
    switch (riff.text(at, 4)) {
      case 'VP8X':
        [width, height] = [chunk.u24(4) + 1, chunk.u24(7) + 1];
        break;
      case 'VP8 ':
        if (!width) [width, height] = [chunk.u16(6) & 0x3fff, chunk.u16(8) & 0x3fff];
        break;
      case 'VP8L':
        if (!width)
          [width, height] = [(chunk.u16(1) & 0x3fff) + 1, ((chunk.u24(2) >> 6) & 0x3fff) + 1];
        break;
      case 'EXIF':
        orientation = readTiff(chunk.part(chunk.says(0, 'Exif\0\0') ? 6 : 0)).orientation;
    }
  }
  return { width, height, orientation, isCut: riff.u32(4) + 8 > riff.length };
}

/** @param {Bytes} file @returns {Found} */
function readGif(file) {
  const screen = file.part(6, 4, true);
  return { width: screen.u16(0), height: screen.u16(2) };
}

/** Its header has one of these lengths. @param {Bytes} file */
function isBmp(file) {
  return file.says(0, 'BM') && [12, 16, 40, 52, 56, 64, 108, 124].includes(file.u8(14));
}

/** @param {Bytes} file @returns {Found} */
function readBmp(file) {
  const header = file.part(14, 16, true);
  if (header.u8(0) === 12) return { width: header.u16(4), height: header.u16(6) };
  return { width: header.u32(4) | 0, height: Math.abs(header.u32(8) | 0) }; // upside down if negative
}

/** @param {Bytes} file @returns {Found} */
function readPnm(file) {
  const [, width = 0, height = 0] = /^P.\s+(?:#.*\s+)*(\d+)\s+(\d+)/.exec(file.text(0, 256)) ?? [];
  return { width: Number(width), height: Number(height) };
}

/** A TIFF file, or the directory that EXIF is. @param {Bytes} file */
function readTiff(file) {
  const tiff = file.part(0, undefined, file.says(0, 'II'));
  const found = { width: 0, height: 0, orientation: UPRIGHT };
  const directory = tiff.u32(4);
  for (let i = 0; i < tiff.u16(directory); i++) {
    const entry = tiff.part(directory + 2 + i * 12, 12); // u16 tag, u16 type, u32 count, value
    const value = entry.u16(2) === 4 ? entry.u32(8) : entry.u16(8);
    if (entry.u16(0) === 0x100) found.width = value;
    if (entry.u16(0) === 0x101) found.height = value;
    if (entry.u16(0) === 0x112 && value >= 1 && value <= 8) found.orientation = value;
  }
  return found;
}

/** What an ISO media file is compatible with. @param {Bytes} file */
function brandsOf(file) {
  if (!file.says(4, 'ftyp')) return [];
  const end = Math.min(file.u32(0), file.length, 256);
  const brands = [file.text(8, 4)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(file.text(at, 4));
  return brands;
}

/** AVIF and HEIC: of the sizes in it, of tiles and thumbnails too, the largest. @param {Bytes} file @returns {Found} */
function readHeif(file) {
  const found = { width: 0, height: 0 };
  for (const { type, body } of propertiesOf(file)) {
    const [width, height] = type === 'ispe' ? [body.u32(4), body.u32(8)] : [0, 0];
    if (width * height > found.width * found.height) Object.assign(found, { width, height });
  }
  return found;
}

/** What an ISO media file says of its pictures. @param {Bytes} file */
export function propertiesOf(file) {
  const parts = ['iprp', 'ipco'];
  const container = parts.reduce((at, type) => at && child(at, type), metaOf(file));
  return container ? boxesOf(container) : [];
}

/** @param {Bytes} file @returns {Bytes | undefined} */
export const metaOf = (file) => child(file, 'meta')?.part(4);

/** @param {Bytes} parent */
function boxesOf(parent) {
  const boxes = [];
  for (let at = 0; at + 8 <= parent.length; at += Math.max(8, parent.u32(at)))
    boxes.push({ type: parent.text(at + 4, 4), body: parent.part(at + 8, parent.u32(at) - 8) });
  return boxes;
}

/** @param {Bytes} parent @param {string} type */
export function child(parent, type) {
  return boxesOf(parent).find((box) => box.type === type)?.body;
}
