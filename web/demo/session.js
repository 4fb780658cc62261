// session.js - owns the open detector; opens it anew when model, size or threads change.
import { Detector } from '../src/index.js';

/**
 * @typedef {object} Model
 * @property {Blob | string} source the file, or its address
 * @property {string} name
 * @property {number} bytes 0 while unknown
 * @property {boolean} [pressed] made in this page
 *
 * @typedef {{size: {width: number, height: number} | null, threads: number | null}} Settings
 * null: as the model says, as many as are good
 */

export class Session {
  /** @type {Detector | null} */
  #detector = null;
  /** @type {Model | null} */
  #model = null;

  /** Null until one is open. */
  get detector() {
    return this.#detector;
  }

  /** What `detector` was opened from. */
  get model() {
    return this.#model;
  }

  /**
   * The old detector serves until the new one is ready, and goes on serving if that one fails.
   * @param {Model} model
   * @param {Settings} settings
   * @param {AbortSignal} signal
   * @param {(progress: import('../src/index.js').Progress) => void} onProgress
   * @returns {Promise<Model>} the model, with its size
   */
  async open(model, { size, threads }, signal, onProgress) {
    let bytes = model.bytes;
    const detector = await Detector.open(model.source, {
      signal,
      onProgress: (progress) => {
        if (progress.phase === 'model') bytes = progress.total;
        onProgress(progress);
      },
      ...(size && { size }),
      ...(threads && { threads }),
    });
    if (signal.aborted) {
      detector.close();
      signal.throwIfAborted();
    }
    this.#detector?.close();
    this.#detector = detector;
    this.#model = { ...model, bytes };
    return this.#model;
  }

  /** Lets go of a detector that has died of `error`. @param {unknown} error */
  checkAlive(error) {
    const code = error instanceof Error ? Reflect.get(error, 'code') : '';
    if (code === 'WISP_ERR_CRASH' || code === 'WISP_ERR_CLOSED') this.#detector = null;
  }
}
