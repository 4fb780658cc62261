// A worker's side of its threads, which are workers of its page: where a debugger watches (devtools, WebDriver),
// Firefox 153 may stop for good in a `new Worker` of a worker. Its one condition for "the debugger knows" and "there is
// work" wakes one waiter, and there are two (WorkerPrivate::WaitForIsDebuggerRegistered).

import { isLetter } from './thread-letters.js';

/**
 * @typedef {import('./thread-letters.js').Letter} Letter
 * @typedef {import('./thread-letters.js').Fault} Fault
 */

/** @type {ThreadInPage[]} */
const threads = [];

/** As much of a Worker as Emscripten's glue uses. */
class ThreadInPage {
  /** @type {((event: {data: any}) => void) | undefined} */
  onmessage;
  /** Until the glue has one of its own: nobody waits for a thread that did not start. @param {Error} fault */
  onerror = (fault) => {
    throw fault;
  };
  #number = threads.push(this) - 1;

  /** @param {URL} address */
  constructor(address) {
    this.#post({ start: address.href });
  }

  /** @param {any} message */
  postMessage(message) {
    this.#post({ message });
  }

  terminate() {
    this.#post({ end: true });
  }

  /** @param {Partial<Letter>} letter */
  #post(letter) {
    postMessage({ thread: this.#number, ...letter });
  }
}

/** @param {Fault} fault */
function errorOf({ message, ...place }) {
  return Object.assign(new Error(message), place);
}

/**
 * Makes this worker's workers the page's, which answers with `Threads`.
 * @param {(message: any) => void} receive takes what else the page says
 */
export function leaveThreadsToPage(receive) {
  globalThis.Worker = /** @type {any} */ (ThreadInPage);
  onmessage = ({ data }) => {
    if (!isLetter(data)) receive(data);
    else if (data.fault) threads[data.thread].onerror(errorOf(data.fault));
    else threads[data.thread].onmessage?.({ data: data.message });
  };
}
