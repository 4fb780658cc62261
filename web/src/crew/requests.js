// A worker's requests, one after the other; every one gets exactly one reply.

import { saying, WispError } from '../error.js';

/**
 * What a service does: for each verb what goes with the request, and what comes back.
 * @typedef {Record<string, {body: object, reply: unknown}>} Verbs
 */

/**
 * A request on its way.
 * @template {Verbs} V
 * @template {keyof V & string} [K=keyof V & string]
 * @typedef {{[Verb in K]: {id: number, verb: Verb} & V[Verb]['body']}[K]} Message
 */

/**
 * Who does it: a function a verb.
 * @template {Verbs} V
 * @typedef {{[Verb in keyof V & string]:
 *   (message: Message<V, Verb>) => V[Verb]['reply'] | Promise<V[Verb]['reply']>}} Handlers
 */

export class Requests {
  /** The request under way and all before it. @type {Promise<void>} */
  #last = Promise.resolve();
  #post;
  #handlers;

  /**
   * @param {(message: object, transfer?: ArrayBuffer[]) => void} post
   * @param {Record<string, (message: any) => unknown>} handlers what the replies say; their `buffers` move there
   */
  constructor(post, handlers) {
    this.#post = post;
    this.#handlers = handlers;
  }

  /** @param {{id: number, verb: string}} message */
  take(message) {
    this.#last = this.#last.then(() => this.#answer(message));
  }

  /** @param {{id: number, verb: string}} message */
  async #answer(message) {
    const { id, verb } = message;
    try {
      if (!Object.hasOwn(this.#handlers, verb))
        throw new WispError('WISP_ERR_ARGUMENT', `There is no verb "${verb}".`);
      const value = await this.#handlers[verb](message);
      this.#post({ id, value }, Reflect.get(Object(value), 'buffers'));
    } catch (thrown) {
      const { code } = /** @type {{code?: unknown}} */ (thrown);
      const known = typeof code === 'string' && code.startsWith('WISP_ERR_');
      const message = known ? /** @type {Error} */ (thrown).message : `${saying(thrown)}.`;
      const error = { code: known ? code : 'WISP_ERR_CRASH', message };
      this.#post({ id, error: { ...error, fatal: error.code === 'WISP_ERR_CRASH' } });
    }
  }
}
