// Reads pictures in a browser's worker, with the browser's own decoders.

import { fetchFile } from '../bytes/download.js';
import { saying, WispError } from '../error.js';
import { AS_STORED } from '../picture/picture.js';
import { copiesRightly, turnsItself } from './browser-habits.js';
import { adviceFor, brokenOff, readHeader, requireSize } from './header.js';
import { lacking, lacksEnd, lengthened } from './jpeg-end.js';
import { placeUpright } from './orientation.js';

/**
 * @typedef {import('../picture/picture.js').Picture} Picture
 * @typedef {import('../picture/picture.js').Room} Room
 * @typedef {import('./header.js').Header} Header
 */

const STRIP = 1 << 22; // pixels read back at once: phones limit the size of a canvas

export class BrowserReader {
  /** @type {OffscreenCanvas | undefined} */
  #canvas;
  /** How pictures that may be transparent are read best.
   * @type {Promise<import('./browser-habits.js').Copy> | undefined} */
  #copying;

  /**
   * @param {Picture} picture stays the caller's to release
   * @param {Room} room
   * @param {import('../picture/picture.js').Limits} limits
   * @returns {Promise<boolean>} whether it may be transparent somewhere
   */
  async read(picture, room, { maxPixels, signal }) {
    switch (picture.kind) {
      case 'bitmap':
        await (picture.asStored
          ? this.#copy(picture.image, room)
          : this.#draw(picture.image, room));
        return true;
      case 'frame':
        return this.#readFrame(picture.image, room);
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
        await this.#copy(image, room);
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
      this.#draw(image, room);
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
    await this.#copy(image, () => data);
    placeUpright({ data, width, height }, orientation, room);
  }

  /** @param {VideoFrame} frame @param {Room} room */
  async #readFrame(frame, room) {
    if (copiesAsRgba(frame)) await copyFrame(frame, room);
    else this.#draw(frame, room);
    return !/^(I4|NV12|RGBX|BGRX)/.test(frame.format ?? '') || /A/.test(frame.format ?? '');
  }

  /** A bitmap that may be transparent. @param {ImageBitmap} image @param {Room} room */
  async #copy(image, room) {
    this.#copying ??= this.#chooseCopying();
    await (await this.#copying)(image, room);
  }

  /** @returns {Promise<import('./browser-habits.js').Copy>} */
  async #chooseCopying() {
    /** @type {import('./browser-habits.js').Copy} */
    const draw = (image, room) => this.#draw(image, room);
    return !(await copiesRightly(draw)) && (await copiesRightly(copyBitmap)) ? copyBitmap : draw;
  }

  /** @param {ImageBitmap | VideoFrame} image @param {Room} room */
  #draw(image, room) {
    const isFrame = 'displayWidth' in image;
    const width = isFrame ? image.displayWidth : image.width;
    const height = isFrame ? image.displayHeight : image.height;
    const bytes = room(width, height);
    const rows = Math.min(height, Math.max(1, Math.floor(STRIP / width)));
    const context = this.#context(width, rows);
    context.globalCompositeOperation = 'copy';
    for (let y = 0; y < height; y += rows) {
      const count = Math.min(rows, height - y);
      context.drawImage(image, 0, -y);
      bytes.set(context.getImageData(0, 0, width, count).data, y * width * 4);
    }
  }

  /** @param {number} width @param {number} height */
  #context(width, height) {
    if (this.#canvas?.width !== width || this.#canvas.height !== height) {
      this.#canvas = new OffscreenCanvas(width, height);
    }
    const context = this.#canvas.getContext('2d', { willReadFrequently: true });
    if (!context)
      throw new WispError('WISP_ERR_SOURCE', `There is no canvas of ${width} × ${height} pixels.`);
    return context;
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

/** @param {VideoFrame} frame @param {Room} room */
async function copyFrame(frame, room) {
  await frame.copyTo(room(frame.displayWidth, frame.displayHeight), { format: 'RGBA' });
}

/** @param {ImageBitmap} image @param {Room} room */
async function copyBitmap(image, room) {
  const frame = new VideoFrame(image, { timestamp: 0 });
  try {
    await copyFrame(frame, room);
  } finally {
    frame.close();
  }
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

/**
 * Whether copyTo gives what drawing would: square pixels, known to be upright, in an engine that
 * knows the option. (Firefox does not tell, and draws faster than it copies.)
 * @param {VideoFrame} frame
 */
function copiesAsRgba(frame) {
  const { visibleRect, displayWidth, displayHeight, format } = frame;
  if (Reflect.get(frame, 'rotation') !== 0 || Reflect.get(frame, 'flip')) return false;
  if (visibleRect?.width !== displayWidth || visibleRect.height !== displayHeight) return false;
  if (format === 'RGBA' || format === 'RGBX') return true;
  try {
    const plain = frame.allocationSize();
    const rgba = frame.allocationSize({ format: 'RGBA' });
    return rgba === displayWidth * displayHeight * 4 && rgba !== plain; // equal: BGRA, or the option was ignored
  } catch {
    return false;
  }
}
