// Reads pictures in a browser's worker: what the page has decoded here, files by browser-files.js.

import { WispError } from '../error.js';
import { BrowserFiles } from './browser-files.js';
import { copiesRightly } from './browser-habits.js';

/**
 * @typedef {import('../picture/picture.js').Picture} Picture
 * @typedef {import('../picture/picture.js').Room} Room
 * @typedef {import('./browser-habits.js').Copy} Copy
 */

const STRIP = 1 << 22; // pixels read back at once: phones limit the size of a canvas

export class BrowserReader {
  /** @type {OffscreenCanvas | undefined} */
  #canvas;
  /** How pictures that may be transparent are read best. @type {Promise<Copy> | undefined} */
  #copying;
  #files = new BrowserFiles({
    draw: (image, room) => this.#draw(image, room),
    copy: (image, room) => this.#copy(image, room),
  });

  /**
   * @param {Picture} picture stays the caller's to release
   * @param {Room} room
   * @param {import('../picture/picture.js').Limits} limits
   * @returns {Promise<boolean>} whether it may be transparent somewhere
   */
  async read(picture, room, limits) {
    switch (picture.kind) {
      case 'bitmap':
        await (picture.asStored
          ? this.#copy(picture.image, room)
          : this.#draw(picture.image, room));
        return true;
      case 'frame':
        return this.#readFrame(picture.image, room);
    }
    return this.#files.read(picture, room, limits);
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

  /** @returns {Promise<Copy>} */
  async #chooseCopying() {
    /** @type {Copy} */
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
      try {
        bytes.set(context.getImageData(0, 0, width, count).data, y * width * 4);
      } catch (thrown) {
        this.#canvas = undefined; // of another origin: it would give nothing back any more
        throw thrown;
      }
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
