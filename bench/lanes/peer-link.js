// An engine in a worker of its own, as wisp runs: requests to it and their replies.

/**
 * @typedef {import('./onnx-peer.js').Turn} Turn
 * @typedef {{id: number, value?: any, error?: string}} Reply
 *
 * @typedef {object} Crew a worker of a page or of Node
 * @property {(message: object) => void} post
 * @property {() => void} dismiss
 */

export class PeerLink {
  /** @type {Crew} */
  #crew;
  /** @type {Map<number, {resolve: (value: any) => void, reject: (reason: Error) => void}>} */
  #pending = new Map();
  #next = 0;
  /** What runs. @type {object | undefined} */
  info;

  constructor() {
    const start = typeof Worker === 'function' ? startWorker : startThread;
    this.#crew = start(
      (reply) => this.#receive(reply),
      (why) => this.#die(why),
    );
  }

  /** @param {import('./lanes.js').LaneSpec} spec */
  static async open({ kind, ...spec }) {
    const link = new PeerLink();
    link.info = await link.#request({ verb: 'open', kind, spec });
    return link;
  }

  /** @param {import('./letterbox.js').Frame[]} frames copied into the worker @returns {Promise<Turn>} */
  detect(frames) {
    return this.#request({ verb: 'detect', frames });
  }

  async close() {
    this.#crew.dismiss();
  }

  /** @param {object} body */
  #request(body) {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#pending.set(id, { resolve, reject });
      this.#crew.post({ id, ...body });
    });
  }

  /** @param {Reply} reply */
  #receive({ id, value, error }) {
    const request = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) request?.resolve(value);
    else request?.reject(new Error(error));
  }

  /** @param {string} why */
  #die(why) {
    for (const { reject } of this.#pending.values()) reject(new Error(why));
    this.#pending.clear();
  }
}

/** @param {(reply: Reply) => void} onReply @param {(why: string) => void} onDeath @returns {Crew} */
function startWorker(onReply, onDeath) {
  const worker = new Worker(new URL('./peer-worker.js', import.meta.url), { name: 'peer' });
  worker.onmessage = ({ data }) => onReply(data);
  worker.onerror = ({ message }) => onDeath(message || 'its worker did not start');
  return { post: (message) => worker.postMessage(message), dismiss: () => worker.terminate() };
}

/** @param {(reply: Reply) => void} onReply @param {(why: string) => void} onDeath @returns {Crew} */
function startThread(onReply, onDeath) {
  const threads = process.getBuiltinModule('node:worker_threads');
  const worker = new threads.Worker(new URL('./peer-thread.js', import.meta.url));
  worker.on('message', onReply);
  worker.on('error', ({ message }) => onDeath(message));
  return { post: (message) => worker.postMessage(message), dismiss: () => worker.terminate() };
}
