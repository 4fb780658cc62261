// What a worker does with each verb, one request after the other; every request gets exactly one reply.

import { Engine } from './engine.js';
import { saying, WispError } from './error.js';
import { readPicture, release } from './pixels.js';
import { chooseVariant } from './variant.js';

/**
 * @typedef {import('./pixels.js').Picture} Picture
 * @typedef {import('./pixels.js').Room} Room
 * @typedef {{read: (picture: Picture, room: Room) => Promise<void>}} Reading
 * @typedef {{id: number, verb: string, [field: string]: any}} Message
 */

export class Service {
  /** @type {(message: object, transfer?: ArrayBuffer[]) => void} */
  #post;
  /** @type {Reading} */
  #reader;
  /** @type {Engine | undefined} */
  #engine;
  /** The request under way and all before it. @type {Promise<void>} */
  #last = Promise.resolve();
  /** Requests that nobody waits for any more. @type {Set<number>} */
  #dropped = new Set();

  /** @param {(message: object, transfer?: ArrayBuffer[]) => void} post @param {Reading} reader */
  constructor(post, reader) {
    this.#post = post;
    this.#reader = reader;
  }

  /** @param {Message} message */
  receive(message) {
    if (message.verb === 'drop') this.#dropped.add(message.target);
    this.#last = this.#last.then(() => this.#answer(message));
  }

  /** @param {Message} message */
  async #answer(message) {
    const { id } = message;
    try {
      const value = await this.#do(message);
      this.#post({ id, value }, value?.spares);
    } catch (thrown) {
      const { code = 'WISP_ERR_CRASH', message: sentence } = /** @type {Partial<WispError>} */ (
        thrown
      );
      const known = thrown instanceof WispError;
      const error = {
        code: known ? code : 'WISP_ERR_CRASH',
        message: known ? sentence : `${saying(thrown)}.`,
      };
      this.#post({ id, error: { ...error, fatal: error.code === 'WISP_ERR_CRASH' } });
    } finally {
      this.#dropped.delete(id);
    }
  }

  /** @param {Message} message @returns {any} */
  #do(message) {
    switch (message.verb) {
      case 'load':
        return this.#load(message);
      case 'feed':
        return this.#loaded().feed(message.bytes);
      case 'open':
        return this.#open();
      case 'detect':
        return this.#detect(message);
      case 'drop':
        return this.#dropped.delete(message.target);
    }
    throw new WispError('WISP_ERR_ARGUMENT', `There is no verb "${message.verb}".`);
  }

  #loaded() {
    if (!this.#engine) throw new WispError('WISP_ERR_ENGINE', 'The engine has not loaded.');
    return this.#engine;
  }

  /** @param {Message} message */
  async #load({ wish, files, variant, compiled, size, warmUp, kernels }) {
    const choice = chooseVariant(wish);
    const same = choice.variant === variant; // unless the worker may less than the page
    this.#engine = await Engine.load(choice, files, same ? compiled : undefined);
    this.#engine.expect(size.width, size.height, warmUp, kernels);
    return this.#engine.choice;
  }

  #open() {
    const engine = this.#loaded();
    engine.open();
    return { ...engine.describeModel(), ...engine.describeDetector() };
  }

  /** @param {Message} message */
  async #detect({ id, pictures, options }) {
    const engine = this.#loaded();
    try {
      if (this.#dropped.has(id)) return { results: [] };
      /** @type {number[]} */
      const reading = [];
      for (const [i, picture] of pictures.entries()) {
        const started = performance.now();
        await readPicture(this.#reader, picture, (width, height) => engine.frame(i, width, height));
        reading.push(performance.now() - started);
      }
      const results = engine.detect(pictures.length, options).map(({ times, ...rest }, i) => ({
        ...rest,
        times: { ...times, pixels: reading[i], total: times.total + reading[i] },
      }));
      return { results, spares: sparesOf(pictures) };
    } finally {
      pictures.forEach(release);
    }
  }
}

/** Buffers of raw pictures, which go back to where they came from. @param {Picture[]} pictures */
function sparesOf(pictures) {
  return pictures.flatMap((picture) => (picture.kind === 'raw' ? [picture.data.buffer] : []));
}
