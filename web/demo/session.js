// session.js - owns the open detector; opens it anew when model, size or threads change.
import { Detector, WispError } from 'wisp-yolo';

/**
 * @typedef {object} Model
 * @property {Blob | string} source the file, or its address
 * @property {string} name
 * @property {number} bytes 0 while unknown
 * @property {boolean} [pressed] made in this page
 * @property {boolean} [isEmbedded] it comes with the page
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

  /**
   * Null without a detector. Rejects as aborted if another detector has taken over meanwhile.
   * @param {import('../src/index.js').PictureSource} picture
   * @param {import('../src/index.js').DetectOptions} options
   */
  detect(picture, options) {
    const detector = this.#detector;
    const masks = detector?.info.masks ? 'bitmap' : 'none';
    return detector && this.#detectWith(detector, picture, { ...options, masks });
  }

  /**
   * @param {Detector} detector
   * @param {import('../src/index.js').PictureSource} picture
   * @param {import('../src/index.js').DetectOptions} options
   */
  async #detectWith(detector, picture, options) {
    try {
      return await detector.detect(picture, options);
    } catch (error) {
      if (detector !== this.#detector) throw new DOMException('Another took over.', 'AbortError');
      if (isDead(error)) this.#detector = null;
      throw error;
    }
  }
}

/** @param {unknown} error */
const isDead = (error) =>
  error instanceof WispError && ['WISP_ERR_CRASH', 'WISP_ERR_CLOSED'].includes(error.code);
