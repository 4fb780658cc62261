// Reads pictures under Node, which has no decoder of its own. Never loaded in a browser.

import { download } from '../bytes/download.js';
import { fileKind } from '../bytes/file-kind.js';
import { WispError } from '../error.js';
import { DamagedError, jsquash } from './codec.js';
import { adviceFor, brokenOff, readHeader } from './header.js';
import { orientationOf } from './heif.js';
import { placeUpright } from './orientation.js';
import { decodePicture } from './pictures-wasm.js';
import { requireSize } from './read.js';
import { decodeTiff } from './tiff.js';
import { firstFrame } from './webp-frame.js';

/**
 * @typedef {import('../picture/picture.js').Picture} Picture
 * @typedef {import('../picture/picture.js').Room} Room
 * @typedef {import('./codec.js').Decode} Decode
 */

const stillWebp = jsquash('@jsquash/webp/codec/dec/webp_dec');

/** @type {Decode} the frame on its canvas, where there is more than one */
function decodeWebp(bytes, maxPixels, place) {
  const frame = firstFrame(bytes);
  if (!frame) return stillWebp(bytes, maxPixels, place);
  const { width, height } = /** @type {import('./header.js').Header} */ (readHeader(bytes));
  const canvas = new Uint8Array(width * height * 4);
  return stillWebp(frame.file, maxPixels, (stored) => {
    const rows = Math.min(stored.height, height - frame.y);
    const length = Math.min(stored.width, width - frame.x) * 4;
    for (let y = 0; y < rows; y++) {
      const row = stored.data.subarray(y * stored.width * 4, y * stored.width * 4 + length);
      canvas.set(row, ((frame.y + y) * width + frame.x) * 4);
    }
    place({ data: canvas, width, height });
  });
}

const avif = jsquash('@jsquash/avif/codec/dec/avif_dec', [8]); // bits a channel

/** @type {Decode} a heavy one that few need, so it is installed by those who do */
async function decodeAvif(bytes, maxPixels, place) {
  try {
    await avif(bytes, maxPixels, place);
  } catch (cause) {
    if (Reflect.get(Object(cause), 'code') !== 'ERR_MODULE_NOT_FOUND') throw cause;
    const sentence = 'It is an AVIF picture: "npm install @jsquash/avif" lets wisp read it.';
    throw new WispError('WISP_ERR_SOURCE', sentence, { cause });
  }
}

/** By format. @type {Record<string, Decode>} */
const DECODERS = {
  JPEG: decodePicture,
  PNG: decodePicture,
  WebP: decodeWebp,
  GIF: decodePicture,
  BMP: decodePicture,
  PNM: decodePicture,
  TIFF: decodeTiff,
  AVIF: decodeAvif,
};

const READABLE = 'JPEG, PNG, WebP, GIF, BMP, TIFF and AVIF';

/**
 * A picture file upright into the room for it.
 * @param {Uint8Array} bytes
 * @param {number} maxPixels
 * @param {Room} room
 * @returns {Promise<boolean>} whether it may be transparent somewhere
 */
export async function decodeFile(bytes, maxPixels, room) {
  const header = readHeader(bytes);
  if (!header) {
    const sentence = `It is ${fileKind(bytes).what}, no picture; ${READABLE} are read.`;
    throw new WispError('WISP_ERR_SOURCE', sentence);
  }
  const { format, width, height, isCut } = header;
  requireSize(width, height, maxPixels);
  if (isCut) throw brokenOff();
  const decode = DECODERS[format];
  if (!decode) {
    const sentence = `It is a ${format} picture, which wisp can't decode. ${adviceFor(format)}.`;
    throw new WispError('WISP_ERR_SOURCE', sentence);
  }
  const orientation = format === 'AVIF' ? orientationOf(bytes) : header.orientation;
  try {
    await decode(bytes, maxPixels, (stored) => placeUpright(stored, orientation, room));
  } catch (cause) {
    throw cause instanceof WispError ? cause : damaged(format, cause);
  }
  return format !== 'JPEG';
}

/** @param {string} format @param {unknown} cause */
function damaged(format, cause) {
  const why = cause instanceof DamagedError && cause.message ? `: ${cause.message}` : '';
  const sentence = `The ${format} picture is damaged or of a kind that is not supported${why}.`;
  return new WispError('WISP_ERR_SOURCE', sentence, { cause });
}

/**
 * @param {Uint8Array} bytes of a picture file
 * @param {number} [maxPixels]
 * @returns {Promise<{data: Uint8ClampedArray<ArrayBuffer>, width: number, height: number}>} RGBA, upright
 */
export async function decodeImage(bytes, maxPixels = Number.POSITIVE_INFINITY) {
  let picture = { data: new Uint8ClampedArray(), width: 0, height: 0 };
  await decodeFile(bytes, maxPixels, (width, height) => {
    picture = { data: new Uint8ClampedArray(width * height * 4), width, height };
    return picture.data;
  });
  return picture;
}

/** @type {import('../picture/picture.js').Reader} */
export class NodeReader {
  /**
   * @param {Picture} picture
   * @param {Room} room
   * @param {import('../picture/picture.js').Limits} limits
   */
  async read(picture, room, { maxPixels, signal }) {
    return decodeFile(await bytesOf(picture, signal), maxPixels, room);
  }
}

/** @param {Picture} picture @param {AbortSignal} [signal] @returns {Promise<Uint8Array>} */
async function bytesOf(picture, signal) {
  switch (picture.kind) {
    case 'file':
      return picture.bytes;
    case 'blob':
      return new Uint8Array(await picture.blob.arrayBuffer());
    case 'address': {
      const { pieces } = await download(picture.address, signal);
      const parts = [];
      for await (const piece of pieces) parts.push(piece);
      return Buffer.concat(parts);
    }
  }
  throw new WispError('WISP_ERR_SOURCE', `Node can't read a ${picture.kind}.`);
}
