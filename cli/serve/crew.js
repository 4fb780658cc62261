// The detectors of one model: one picture at a time in each, a bounded queue before them, the dead replaced.

import { WispError } from '../../web/src/index.js';

/**
 * @typedef {import('../../web/src/index.js').Detector} Detector
 * @typedef {import('../../web/src/index.js').Result} Result
 * @typedef {import('../../web/src/index.js').DetectOptions} DetectOptions
 *
 * @typedef {object} Job
 * @property {File} picture
 * @property {DetectOptions} options
 * @property {AbortSignal} signal whose abort takes it out of the queue, or ends it
 * @property {number} since when it came, as performance.now() says
 * @property {number} deaths of detectors that had it
 * @property {(answer: Answer) => void} resolve
 * @property {(reason: unknown) => void} reject
 * @property {() => void} forget stops to listen to the signal
 *
 * @typedef {Result & {waited: number}} Answer waited: milliseconds in the queue
 */

/** A picture that has seen this many detectors die is what kills them. */
const MOST_DEATHS = 3;
/** A detector that can't be opened is tried again after this long. */
const PAUSE_MS = 1000;

export class Busy extends Error {
  /** @param {number} seconds after which it is worth asking again */
  constructor(seconds) {
    super(`All detectors are busy and the queue is full; ask again in ${seconds} s.`);
    this.seconds = seconds;
  }
}

export class Crew {
  #open;
  #room;
  /** @type {Job[]} */
  #queue = [];
  /** @type {Set<Detector>} */
  #idle = new Set();
  /** @type {Set<Detector>} */
  #working = new Set();
  #closed = false;
  /** Of a picture, in milliseconds; a running mean. */
  #pace = 50;
  /** Detectors that died so far. */
  deaths = 0;

  /**
   * @param {Detector[]} detectors
   * @param {() => Promise<Detector>} open makes another
   * @param {number} room pictures that may wait
   */
  constructor(detectors, open, room) {
    this.#idle = new Set(detectors);
    this.#open = open;
    this.#room = room;
    this.size = detectors.length;
    this.info = detectors[0].info;
  }

  /**
   * @param {() => Promise<Detector>} open
   * @param {{size: number, room: number}} how many detectors; how many pictures may wait
   */
  static async open(open, { size, room }) {
    const first = await open(); // alone: a model that can't be used is said once
    const others = await Promise.all(Array.from({ length: size - 1 }, open));
    return new Crew([first, ...others], open, room);
  }

  get waiting() {
    return this.#queue.length;
  }

  get busy() {
    return this.#working.size;
  }

  /** Whether a picture would be looked at. */
  get ready() {
    return !this.#closed && this.#idle.size + this.#working.size > 0;
  }

  /**
   * Boxes of pictures in their order, or nothing of them: all fit into the queue, or none is taken.
   * @param {File[]} pictures
   * @param {DetectOptions} options
   * @param {AbortSignal} signal
   * @returns {Promise<Answer[]>}
   */
  async detect(pictures, options, signal) {
    signal.throwIfAborted();
    if (this.#closed) throw new Busy(1);
    const room = this.#room + this.#idle.size - this.#queue.length;
    if (pictures.length > room) throw new Busy(this.#seconds());
    const all = new AbortController(); // one that fails ends the others
    const either = AbortSignal.any([signal, all.signal]);
    const answers = pictures.map((picture) => this.#enqueue(picture, options, either));
    this.#assign();
    try {
      return await Promise.all(answers);
    } catch (thrown) {
      all.abort(thrown);
      await Promise.allSettled(answers);
      throw thrown;
    }
  }

  /** @param {File} picture @param {DetectOptions} options @param {AbortSignal} signal @returns {Promise<Answer>} */
  #enqueue(picture, options, signal) {
    return new Promise((resolve, reject) => {
      const leave = () => {
        const at = this.#queue.indexOf(job);
        if (at >= 0) this.#queue.splice(at, 1);
        reject(signal.reason);
      };
      const forget = () => signal.removeEventListener('abort', leave);
      const since = performance.now();
      const job = { picture, options, signal, since, deaths: 0, resolve, reject, forget };
      signal.addEventListener('abort', leave, { once: true });
      this.#queue.push(job);
    });
  }

  #assign() {
    for (const detector of this.#idle) {
      const job = this.#queue.shift();
      if (!job) return;
      this.#idle.delete(detector);
      this.#working.add(detector);
      this.#work(detector, job);
    }
  }

  /** @param {Detector} detector @param {Job} job */
  async #work(detector, job) {
    const started = performance.now();
    const { picture, options, signal } = job;
    const [outcome] = await Promise.allSettled([detector.detect(picture, { ...options, signal })]);
    const died = outcome.status === 'rejected' && isDeath(outcome.reason);
    if (died && !this.#closed && !signal.aborted && ++job.deaths < MOST_DEATHS)
      this.#queue.unshift(job);
    else job.forget();
    if (outcome.status === 'fulfilled') {
      this.#pace += (performance.now() - started - this.#pace) / 16;
      job.resolve({ ...outcome.value, waited: started - job.since });
    } else if (!this.#queue.includes(job)) job.reject(named(outcome.reason, picture.name));
    this.#working.delete(detector);
    if (died) this.#replace(detector);
    else this.#idle.add(detector);
    this.#assign();
  }

  /** @param {Detector} dead */
  async #replace(dead) {
    this.deaths++;
    await dead.close().catch(() => {});
    while (!this.#closed) {
      const detector = await this.#open().catch(() => undefined);
      if (detector && this.#closed) await detector.close();
      else if (detector) this.#idle.add(detector);
      if (detector) break;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS).unref());
    }
    if (!this.#closed) this.#assign();
  }

  /** Until the queue has gone down, about. */
  #seconds() {
    const ms = (this.#pace * (this.#queue.length + this.#working.size)) / this.size;
    return Math.max(1, Math.ceil(ms / 1000));
  }

  /** Ends all detectors; what waits or is under way rejects. */
  async close() {
    this.#closed = true;
    const closed = new WispError('WISP_ERR_CLOSED', 'The server is shutting down.');
    for (const job of this.#queue.splice(0)) {
      job.forget();
      job.reject(closed);
    }
    await Promise.all([...this.#idle, ...this.#working].map((detector) => detector.close()));
  }
}

/** What can't be said of any other picture says which it is. @param {unknown} thrown @param {string} name */
const named = (thrown, name) =>
  thrown instanceof WispError && !thrown.message.startsWith(name)
    ? new WispError(thrown.code, `${name}: ${thrown.message}`, { cause: thrown })
    : thrown;

/** Whether the detector is of no use any more. @param {unknown} thrown */
const isDeath = (thrown) =>
  thrown instanceof WispError && ['WISP_ERR_CRASH', 'WISP_ERR_CLOSED'].includes(thrown.code);
