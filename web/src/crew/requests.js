// A worker's requests, one after the other; every one gets exactly one reply.

import { saying } from '../error.js';

/** @typedef {{id: number, verb: string, [field: string]: any}} Message */

export class Requests {
  /** The request under way and all before it. @type {Promise<void>} */
  #last = Promise.resolve();
  #post;
  #serve;

  /**
   * @param {(message: object, transfer?: ArrayBuffer[]) => void} post
   * @param {(message: Message) => any} serve what the reply says; its `buffers` move there
   */
  constructor(post, serve) {
    this.#post = post;
    this.#serve = serve;
  }

  /** @param {Message} message */
  take(message) {
    this.#last = this.#last.then(() => this.#answer(message));
  }

  /** @param {Message} message */
  async #answer(message) {
    const { id } = message;
    try {
      const value = await this.#serve(message);
      this.#post({ id, value }, value?.buffers);
    } catch (thrown) {
      const { code } = /** @type {{code?: unknown}} */ (thrown);
      const known = typeof code === 'string' && code.startsWith('WISP_ERR_');
      const message = known ? /** @type {Error} */ (thrown).message : `${saying(thrown)}.`;
      const error = { code: known ? code : 'WISP_ERR_CRASH', message };
      this.#post({ id, error: { ...error, fatal: error.code === 'WISP_ERR_CRASH' } });
    }
  }
}
