// Reads pictures in a browser's worker, with the browser's own decoders.

import { fetchFile } from '../bytes/download.js';
import { saying, WispError } from '../error.js';
import { AS_STORED } from './picture.js';

/**
 * @typedef {import('./picture.js').Picture} Picture
 * @typedef {import('./picture.js').Room} Room
 */

const STRIP = 1 << 22; // pixels read back at once: phones limit the size of a canvas

export class BrowserReader {
  /** @type {OffscreenCanvas | undefined} */
  #canvas;

  /**
   * @param {Picture} picture stays the caller's to release
   * @param {Room} room
   * @param {AbortSignal} [signal]
   */
  async read(picture, room, signal) {
    switch (picture.kind) {
      case 'raw':
        return room(picture.width, picture.height).set(picture.data);
      case 'bitmap':
        return this.#draw(picture.image, picture.image.width, picture.image.height, room);
      case 'frame':
        return this.#readFrame(picture.image, room);
      case 'file':
        return this.#decode(new Blob([picture.bytes]), 'The picture', room);
      case 'blob':
        return this.#decode(
          picture.blob,
          `The picture ${Reflect.get(picture.blob, 'name') ?? ''}`.trim(),
          room,
        );
      case 'address':
        return this.#decode(
          await fetchPicture(picture.address, signal),
          picture.address.slice(0, 200),
          room,
        );
    }
  }

  /** @param {Blob} blob @param {string} name @param {Room} room */
  async #decode(blob, name, room) {
    let image;
    try {
      image = await createImageBitmap(blob, AS_STORED);
    } catch (cause) {
      const what = `${blob.type || 'no type'}, ${blob.size} bytes`;
      throw new WispError(
        'WISP_ERR_SOURCE',
        `${name} (${what}) is no picture this browser can decode.`,
        { cause },
      );
    }
    try {
      this.#draw(image, image.width, image.height, room);
    } finally {
      image.close();
    }
  }

  /** @param {VideoFrame} frame @param {Room} room */
  async #readFrame(frame, room) {
    const { displayWidth: width, displayHeight: height } = frame;
    if (!copiesAsRgba(frame)) return this.#draw(frame, width, height, room);
    await frame.copyTo(room(width, height), { format: 'RGBA' });
  }

  /** @param {ImageBitmap | VideoFrame} image @param {number} width @param {number} height @param {Room} room */
  #draw(image, width, height, room) {
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

/** @param {string} address @param {AbortSignal} [signal] */
async function fetchPicture(address, signal) {
  const response = await fetchFile(address, signal);
  const name = address.slice(0, 200);
  if (response.headers.get('content-type')?.startsWith('text/html')) {
    throw new WispError('WISP_ERR_SOURCE', `${name} is a web page, not a picture.`);
  }
  try {
    return await response.blob();
  } catch (cause) {
    throw new WispError('WISP_ERR_FETCH', `${name} broke off: ${saying(cause)}.`, { cause });
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
