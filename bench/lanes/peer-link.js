// An engine in a worker of its own, as wisp runs: requests to it and their replies.

/** @typedef {import('./onnx-peer.js').Turn} Turn */

export class PeerLink {
  #worker = new Worker(new URL('./peer-worker.js', import.meta.url), { name: 'peer' });
  /** @type {Map<number, {resolve: (value: any) => void, reject: (reason: Error) => void}>} */
  #pending = new Map();
  #next = 0;
  /** What runs. @type {object | undefined} */
  info;

  constructor() {
    this.#worker.onmessage = ({ data: { id, value, error } }) => {
      const request = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) request?.resolve(value);
      else request?.reject(new Error(error));
    };
    this.#worker.onerror = ({ message }) => {
      for (const { reject } of this.#pending.values()) reject(new Error(message || 'no worker'));
      this.#pending.clear();
    };
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
    this.#worker.terminate();
  }

  /** @param {object} body */
  #request(body) {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...body });
    });
  }
}
