// A worker's threads, which are workers of its page: where a debugger watches (devtools, WebDriver), Firefox 153 may
// stop for good in a `new Worker` of a worker. Its one condition for "the debugger knows" and "there is work" wakes
// one waiter, and there are two (WorkerPrivate::WaitForIsDebuggerRegistered).

/**
 * What both sides say of the thread with this number, and what this side's worker or the other's program says to it.
 * @typedef {{thread: number, start?: string, message?: any, end?: boolean, fault?: Fault}} Letter
 * @typedef {Pick<ErrorEvent, 'message' | 'filename' | 'lineno'>} Fault
 */

/** @param {any} data @returns {data is Letter} */
const isLetter = (data) => typeof data?.thread === 'number';

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

/** The page's side: the threads of one worker. */
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
      const worker = new Worker(address, { type: 'module', name: 'em-pthread' });
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
