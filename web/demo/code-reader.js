// code-reader.js - hands parts of a picture to the worker that reads codes, one after the other.
import { reachOf } from '../src/code-reading.js';

/**
 * @typedef {import('./code-text.js').Code} Code
 * @typedef {import('../src/code-reading.js').Rect} Rect
 * @typedef {import('./sources.js').Source} Source
 */

export class CodeReader {
  /** @type {Worker | null} */
  #worker = null;
  #id = 0;

  /**
   * @param {Source} source as it looks now
   * @param {Rect} box in its pixels
   * @returns {Promise<Code | null>} null: nothing could be read
   */
  async read(source, box) {
    const picture = source.size();
    const reach = reachOf(box, picture);
    const bitmap = cut(source, reach);
    if (!bitmap) return null; // a video that is seeking has no picture just now
    this.#worker ??= new Worker(new URL('./code-worker.js', import.meta.url), {
      type: 'module',
      name: 'code reader',
    });
    return this.#ask(this.#worker, { id: ++this.#id, bitmap, box, picture, reach });
  }

  /**
   * @param {Worker} worker
   * @param {import('./code-worker.js').Wish} wish
   * @returns {Promise<Code | null>}
   */
  #ask(worker, wish) {
    return new Promise((resolve, reject) => {
      worker.onmessage = (/** @type {MessageEvent<import('./code-worker.js').Answer>} */ event) => {
        const { data } = event;
        if (data.id !== wish.id) return;
        if ('code' in data) resolve(data.code);
        else reject(new Error(`The code reader did not load: ${data.error}`));
      };
      worker.onerror = ({ message }) => {
        this.#worker = null;
        worker.terminate();
        reject(new Error(`The code reader ended: ${message || 'its worker did not load'}.`));
      };
      worker.postMessage(wish, [wish.bitmap]);
    });
  }
}

/**
 * A part of the picture as it is shown: createImageBitmap cuts a photo before EXIF has turned it.
 * @param {Source} source
 * @param {Rect} part
 */
function cut({ frame, element }, { x, y, width, height }) {
  const waits =
    element instanceof HTMLVideoElement && element.readyState < element.HAVE_CURRENT_DATA;
  if (waits) return null;
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')?.drawImage(frame, x, y, width, height, 0, 0, width, height);
  return canvas.transferToImageBitmap();
}
