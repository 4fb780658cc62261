// Requests to the worker and their replies: each request gets exactly one, or dies with the worker.

import { WispError } from '../error.js';
import { startWorker } from './start.js';

/**
 * @typedef {object} Request
 * @property {(value: any) => void} resolve
 * @property {(reason: unknown) => void} reject
 * @property {((progress: any) => void) | undefined} onProgress
 */

/** Ends the workers of detectors and presses that were forgotten. @type {FinalizationRegistry<Link<any>>} */
export const forgotten = new FinalizationRegistry((link) =>
  link.end(new WispError('WISP_ERR_CLOSED', 'What used the worker was forgotten.')),
);

/** Calls under way, each of which keeps whose it is from being forgotten. @type {Set<object>} */
const working = new Set();

/**
 * @template T
 * @param {object} owner
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function remembering(owner, work) {
  const call = { owner };
  working.add(call);
  try {
    return await work();
  } finally {
    working.delete(call);
  }
}

/** @template {import('./requests.js').Verbs} V what the worker does */
export class Link {
  /** @type {import('./start.js').Crew} */
  #crew;
  /** @type {Map<number, Request>} */
  #open = new Map();
  #next = 0;
  /** @type {unknown} why no request is taken any more; undefined while they are */
  #ended = undefined;
  #answered = false;
  /** @type {(reason: unknown) => void} */
  #sayEnded = () => {};
  /** Kept with the reason, once nothing is taken any more. @type {Promise<unknown>} */
  ended = new Promise((resolve) => {
    this.#sayEnded = resolve;
  });

  /**
   * @param {import('./start.js').WorkerFiles} own
   * @param {string | URL} [workerUrl] in place of them
   * @param {import('./here.js').InPlace} [inPlace] of a worker
   */
  constructor(own, workerUrl, inPlace) {
    const events = {
      onMessage: (/** @type {any} */ message) => this.#receive(message),
      onDeath: (/** @type {string} */ why) => void this.end(this.#death(why)),
    };
    this.#crew = startWorker(workerUrl, events, own, inPlace);
  }

  /**
   * @template {keyof V & string} K
   * @param {K} verb
   * @param {V[K]['body']} body
   * @param {Transferable[]} [transfer]
   * @param {(progress: any) => void} [onProgress]
   * @returns {{id: number, reply: Promise<V[K]['reply']>}}
   */
  request(verb, body, transfer = [], onProgress = undefined) {
    const id = this.#next++;
    const reply = new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      this.#open.set(id, { resolve, reject, onProgress });
      this.#crew.hold(true);
      try {
        this.#crew.post({ id, verb, ...body }, transfer);
      } catch (thrown) {
        this.#close(id);
        throw thrown;
      }
    });
    return { id, reply };
  }

  /**
   * Rejects what is pending and all that comes, and ends the worker. Later calls do nothing.
   * @param {unknown} reason
   * @returns {Promise<void>} kept once the worker is gone
   */
  async end(reason) {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#sayEnded(reason);
    for (const { reject } of this.#open.values()) reject(reason);
    this.#open.clear();
    await this.#crew.dismiss();
  }

  /** @param {string} why */
  #death(why) {
    return this.#answered
      ? new WispError('WISP_ERR_CRASH', `The worker died: ${why}.`)
      : new WispError('WISP_ERR_ENGINE', `The worker did not start: ${why}.`);
  }

  /**
   * @param {{id: number, value?: any, progress?: any,
   *   error?: {code: string, message: string, fatal: boolean}}} message
   */
  #receive({ id, value, progress, error }) {
    this.#answered = true;
    const request = this.#open.get(id);
    if (!request) return;
    if (progress) return this.#report(request, progress);
    this.#close(id);
    if (!error) return request.resolve(value);
    const thrown = new WispError(error.code, error.message);
    request.reject(thrown);
    if (error.fatal) this.end(thrown);
  }

  /**
   * What the caller's own function throws ends all: nobody else could catch it.
   * @param {Request} request
   * @param {any} progress
   */
  #report({ onProgress }, progress) {
    try {
      onProgress?.(progress);
    } catch (thrown) {
      this.end(thrown);
    }
  }

  /** @param {number} id */
  #close(id) {
    this.#open.delete(id);
    if (this.#open.size === 0) this.#crew.hold(false);
  }
}
