// Boxes drawn into pixels, on a canvas of a library that only this command needs.

import { draw } from '../../web/src/draw.js';
import { saying, WispError } from '../../web/src/error.js';

/**
 * @typedef {typeof import('@napi-rs/canvas')} Library
 * @typedef {import('@napi-rs/canvas').Canvas} Canvas
 * @typedef {import('../../web/src/draw.js').Drawn} Drawn
 * @typedef {import('../../web/src/drawing/labels.js').Rect} Rect
 * @typedef {import('./frames.js').Frame} Frame
 */

/** @returns {Promise<Library>} */
export async function openCanvas() {
  try {
    const library = await import('@napi-rs/canvas');
    if (library.GlobalFonts.families.length === 0)
      console.error(
        'warning: this machine has no fonts, so labels stay empty (Debian: fonts-dejavu-core).',
      );
    return library;
  } catch (cause) {
    const isMissing = Reflect.get(Object(cause), 'code') === 'ERR_MODULE_NOT_FOUND';
    const sentence = isMissing
      ? 'wisp annotate draws with a library of its own: npm install @napi-rs/canvas; or add --no-save, for boxes alone.'
      : `@napi-rs/canvas can't be loaded here: ${saying(cause)}. With --no-save wisp annotate needs none of it.`;
    throw new WispError('WISP_ERR_UNSUPPORTED', sentence, { cause });
  }
}

/**
 * A picture and its boxes on a canvas, to be encoded.
 * @param {Library} library
 * @param {Frame} picture
 * @param {Drawn} result
 * @returns {Canvas}
 */
export function painted({ createCanvas, ImageData }, { data, width, height }, result) {
  const canvas = createCanvas(width, height);
  const pen = canvas.getContext('2d');
  pen.putImageData(new ImageData(data, width, height), 0, 0);
  draw(/** @type {any} */ (pen), result);
  return canvas;
}

/**
 * Draws into the pixels of one frame after the other. A whole frame's way onto a canvas and back takes milliseconds, so
 * boxes are drawn on a clear one, and only what they have touched is laid over the frame.
 */
export class Overlay {
  #library;
  /** @type {Canvas | undefined} */
  #canvas;
  /** The turn in which a pixel was laid over the frame: places that were touched overlap. */
  #laid = new Uint32Array();
  #turn = 0;

  /** @param {Library} library */
  constructor(library) {
    this.#library = library;
  }

  /** @param {Frame} frame opaque; is drawn into @param {Drawn} result */
  paint(frame, result) {
    if (result.boxes.length === 0) return;
    const { width, height } = frame;
    if (this.#canvas?.width !== width || this.#canvas.height !== height) {
      this.#canvas = this.#library.createCanvas(width, height);
      this.#laid = new Uint32Array(width * height);
      this.#turn = 0;
    }
    const pen = this.#canvas.getContext('2d');
    const touched = /** @type {Rect[]} */ ([]);
    draw(/** @type {any} */ (watched(pen, touched)), result);
    const places = touched.flatMap((rect) => clipped(rect, width, height) ?? []);
    // all are read before one is cleared: each change between two reads costs a copy of the canvas
    const read = places.map((at) => pen.getImageData(at.x, at.y, at.width, at.height).data);
    for (const { x, y, width, height } of places) pen.clearRect(x, y, width, height);
    this.#turn++;
    places.forEach((place, i) => this.#lay(read[i], place, frame));
  }

  /** @param {Uint8ClampedArray} over RGBA of the place @param {Rect} place @param {Frame} frame */
  #lay(over, place, { data, width }) {
    const laid = this.#laid;
    for (let row = 0, from = 0; row < place.height; row++) {
      let at = (place.y + row) * width + place.x;
      for (const end = at + place.width; at < end; at++, from += 4) {
        if (over[from + 3] === 0 || laid[at] === this.#turn) continue;
        laid[at] = this.#turn;
        const share = over[from + 3] / 255;
        for (let k = 0; k < 3; k++) data[at * 4 + k] += (over[from + k] - data[at * 4 + k]) * share;
      }
    }
  }
}

/**
 * The same pen, which notes the surroundings of what it fills and strokes.
 * @param {import('@napi-rs/canvas').SKRSContext2D} pen
 * @param {Rect[]} touched
 */
function watched(pen, touched) {
  let [left, top, right, bottom] = [0, 0, 0, 0];
  let widest = 0;
  const notes = {
    beginPath() {
      widest = 0;
      [left, top] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      [right, bottom] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    },
    /** @param {number} x @param {number} y @param {number} width @param {number} height */
    rect(x, y, width, height) {
      [left, top] = [Math.min(left, x), Math.min(top, y)];
      [right, bottom] = [Math.max(right, x + width), Math.max(bottom, y + height)];
    },
    /** @param {number} x @param {number} y @param {number} width @param {number} height */
    roundRect(x, y, width, height) {
      notes.rect(x, y, width, height);
    },
    fill() {
      touched.push({ x: left, y: top, width: right - left, height: bottom - top });
    },
    stroke() {
      const line = pen.lineWidth; // half of it outside, and as much again for round corners
      if (line <= widest) return;
      widest = line;
      const [x, y, width, height] = [
        left - line,
        top - line,
        right - left + 2 * line,
        bottom - top + 2 * line,
      ];
      touched.push(
        { x, y, width, height: 2 * line },
        { x, y: bottom - line, width, height: 2 * line },
        { x, y: top + line, width: 2 * line, height: height - 4 * line },
        { x: right - line, y: top + line, width: 2 * line, height: height - 4 * line },
      );
    },
  };
  return new Proxy(pen, {
    get(_, key) {
      const value = Reflect.get(pen, key, pen);
      if (typeof value !== 'function') return value;
      const note = /** @type {any} */ (notes)[key];
      return (/** @type {any[]} */ ...words) => {
        note?.(...words);
        return value.apply(pen, words);
      };
    },
    set: (_, key, value) => Reflect.set(pen, key, value, pen),
  });
}

/** In whole pixels. @param {Rect} rect @param {number} width @param {number} height @returns {Rect | null} */
function clipped(rect, width, height) {
  const [x, y] = [Math.max(0, Math.floor(rect.x)), Math.max(0, Math.floor(rect.y))];
  const right = Math.min(width, Math.ceil(rect.x + rect.width));
  const bottom = Math.min(height, Math.ceil(rect.y + rect.height));
  return right > x && bottom > y ? { x, y, width: right - x, height: bottom - y } : null;
}
