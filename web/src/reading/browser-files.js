// Picture files in a browser's worker, with the browser's own decoders.

import { fetchFile } from '../bytes/download.js';
import { saying, WispError } from '../error.js';
import { AS_STORED } from '../picture/picture.js';
import { turnsItself } from './browser-habits.js';
import { adviceFor, brokenOff, readHeader } from './header.js';
import { lacking, lacksEnd, lengthened } from './jpeg-end.js';
import { placeUpright } from './orientation.js';
import { requireSize } from './read.js';

/**
 * @typedef {import('../picture/picture.js').Picture} Picture
 * @typedef {import('../picture/picture.js').Room} Room
 * @typedef {import('./browser-habits.js').Copy} Copy
 * @typedef {import('./header.js').Header} Header
 */

export class BrowserFiles {
  #hands;

  /** @param {{draw: Copy, copy: Copy}} hands of bitmaps: the quick one, and the one for what may be transparent */
  constructor(hands) {
    this.#hands = hands;
  }

  /**
   * @param {Picture} picture
   * @param {Room} room
   * @param {import('../picture/picture.js').Limits} limits
   * @returns {Promise<boolean>} whether it may be transparent somewhere
   */
  async read(picture, room, { maxPixels, signal }) {
    switch (picture.kind) {
      case 'file':
        return this.#decode(new Blob([picture.bytes]), maxPixels, room);
      case 'blob':
        return this.#decode(picture.blob, maxPixels, room);
      case 'address':
        return this.#decode(await fetchPicture(picture.address, signal), maxPixels, room);
    }
    throw new WispError('WISP_ERR_SOURCE', `A ${picture.kind} picture is not for a reader.`);
  }

  /** @param {Blob} blob @param {number} maxPixels @param {Room} room */
  async #decode(blob, maxPixels, room) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const header = readHeader(bytes);
    if (header) requireSize(header.width, header.height, maxPixels);
    if (header?.isCut) throw brokenOff();
    if (header?.format === 'JPEG') {
      await (lacksEnd(bytes) ? this.#decodeCut(bytes, room) : this.#decodeOpaque(blob, room));
      return false;
    }
    const image = await decoded(blob, header);
    try {
      if (!header || header.orientation === 1 || (await turnsItself(header.format)))
        await this.#hands.copy(image, room);
      else await this.#turn(image, header, room);
    } finally {
      image.close();
    }
    return true;
  }

  /** @param {Blob} blob @param {Room} room */
  async #decodeOpaque(blob, room) {
    const image = await decoded(blob, { format: 'JPEG' });
    try {
      this.#hands.draw(image, room);
    } finally {
      image.close();
    }
  }

  /** A JPEG that ends too early. @param {Uint8Array<ArrayBuffer>} bytes @param {Room} room */
  async #decodeCut(bytes, room) {
    const pictures = [];
    for (const blob of lengthened(bytes)) {
      let picture = { data: new Uint8ClampedArray(), width: 0, height: 0 };
      await this.#decodeOpaque(blob, (width, height) => {
        picture = { data: new Uint8ClampedArray(width * height * 4), width, height };
        return picture.data;
      });
      pictures.push(picture);
    }
    const [{ data, width, height }, other] = pictures;
    const share = lacking(data, other.data, width);
    if (share > 0) throw brokenOff(share);
    room(width, height).set(data);
  }

  /** @param {ImageBitmap} image as stored @param {Header} header @param {Room} room */
  async #turn(image, { orientation }, room) {
    const { width, height } = image;
    const data = new Uint8ClampedArray(width * height * 4);
    await this.#hands.copy(image, () => data);
    placeUpright({ data, width, height }, orientation, room);
  }
}

/** @param {Blob} blob @param {Pick<Header, 'format'> | undefined} header */
async function decoded(blob, header) {
  try {
    return await createImageBitmap(blob, AS_STORED);
  } catch (cause) {
    const what = `${blob.type || 'no type'}, ${blob.size} bytes`;
    const sentence = header
      ? undecoded(header.format)
      : `It (${what}) is no picture that this browser can decode.`;
    throw new WispError('WISP_ERR_SOURCE', sentence, { cause });
  }
}

/** @param {import('./header.js').Format} format */
function undecoded(format) {
  return ['AVIF', 'HEIC', 'PNM', 'TIFF'].includes(format)
    ? `This browser can't decode ${format} pictures. ${adviceFor(format)}.`
    : `The ${format} picture is damaged or of a kind that this browser can't decode.`;
}

/** @param {string} address @param {AbortSignal} [signal] */
async function fetchPicture(address, signal) {
  const response = await fetchFile(address, signal);
  if (response.headers.get('content-type')?.startsWith('text/html')) {
    throw new WispError('WISP_ERR_SOURCE', 'It is a web page, no picture.');
  }
  try {
    return await response.blob();
  } catch (cause) {
    const sentence = `${address.slice(0, 200)} broke off: ${saying(cause)}.`;
    throw new WispError('WISP_ERR_FETCH', sentence, { cause });
  }
}
