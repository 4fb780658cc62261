// A page's side of its worker's threads, which it starts: threads-of-worker.js says why.

import { newWorker } from './new-worker.js';
import { isLetter } from './thread-letters.js';

/** @typedef {import('./thread-letters.js').Letter} Letter */

/** The threads of one worker. */
export class Threads {
  /** @type {Map<number, Worker>} */
  #workers = new Map();
  #owner;

  /** @param {Worker} owner */
  constructor(owner) {
    this.#owner = owner;
  }

  /**
   * Does what a message of the worker asks of its threads.
   * @param {any} data
   * @returns {boolean} whether it asked for anything
   */
  receive(data) {
    if (!isLetter(data)) return false;
    const { thread, start, message, end } = data;
    if (start) this.#start(thread, start);
    else if (end) this.#workers.get(thread)?.terminate();
    else this.#workers.get(thread)?.postMessage(message);
    return true;
  }

  end() {
    for (const worker of this.#workers.values()) worker.terminate();
    this.#workers.clear();
  }

  /** @param {number} thread @param {string} address */
  #start(thread, address) {
    const say = (/** @type {Partial<Letter>} */ letter) =>
      this.#owner.postMessage({ thread, ...letter });
    try {
      const worker = newWorker(new URL(address), { type: 'module', name: 'em-pthread' });
      let started = false;
      worker.onmessage = ({ data }) => {
        started = true;
        say({ message: data });
      };
      worker.onerror = (event) => {
        event.preventDefault();
        if (!started) this.end(); // the others are of no use without it
        const { message, filename, lineno } = event;
        say({ fault: { message, filename, lineno } });
      };
      this.#workers.set(thread, worker);
    } catch (thrown) {
      say({ fault: { message: String(thrown), filename: address, lineno: 0 } });
    }
  }
}
