// code-reader.js - hands parts of a picture to the worker that reads codes, one after the other.
import { reachOf } from './code-reading.js';

/**
 * @typedef {import('./code-reading.js').Code} Code
 * @typedef {import('./code-reading.js').Rect} Rect
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
    const { x, y, width, height } = reach;
    const place = /** @type {const} */ ([x, y, width, height]);
    const bitmap = await createImageBitmap(source.frame, ...place).catch(() => null);
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
