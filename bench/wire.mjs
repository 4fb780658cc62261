// A wire to a server: counts every byte that comes through it, and lets no more through than a link would.

import { connect, createServer } from 'node:net';
import { Transform } from 'node:stream';

const TICK_MS = 2;
const BURST_MS = 6; // what a link that was idle, or a timer that was late, may make up for

/**
 * @param {string} target address of the server
 * @param {{bitsPerSecond?: number}} [options] of what the server sends, all connections together
 * @returns {Promise<{url: string, received: () => number, lastByteMs: () => number, close: () => void}>}
 *   url: of the same page through the wire; received: bytes, headers included; lastByteMs: when the last went through,
 *   on Date's clock
 */
export async function openWire(target, { bitsPerSecond = Infinity } = {}) {
  const { hostname, port } = new URL(target);
  const link = new Link(bitsPerSecond);
  let received = 0;
  let last = 0;
  const count = () =>
    new Transform({
      transform(chunk, _, done) {
        link.send(chunk.length, () => {
          received += chunk.length;
          last = Date.now();
          done(null, chunk);
        });
      },
    });
  /** @type {Set<import('node:net').Socket>} */
  const open = new Set();
  const server = createServer((browser) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [browser, upstream]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      socket.on('error', () => [browser, upstream].forEach((end) => void end.destroy()));
    }
    browser.pipe(upstream);
    upstream.pipe(new Slices()).pipe(count()).pipe(browser);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const url = new URL(target);
  url.port = String(/** @type {import('node:net').AddressInfo} */ (server.address()).port);
  return {
    url: url.href,
    received: () => received,
    lastByteMs: () => last,
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

/** Packets: what a link passes on at once. */
class Slices extends Transform {
  /** @param {Buffer} chunk @param {unknown} _ @param {() => void} done */
  _transform(chunk, _, done) {
    for (let at = 0; at < chunk.length; at += 1460) this.push(chunk.subarray(at, at + 1460));
    done();
  }
}

/** Hands out its capacity in the order of asking. */
class Link {
  #free = performance.now();
  #perMs;
  /** @type {{at: number, go: () => void}[]} */
  #waiting = [];
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  /** @param {number} bitsPerSecond */
  constructor(bitsPerSecond) {
    this.#perMs = bitsPerSecond / 8000;
  }

  /** @param {number} bytes @param {() => void} go once they are through */
  send(bytes, go) {
    const now = performance.now();
    this.#free = Math.max(this.#free, now - BURST_MS) + bytes / this.#perMs;
    if (this.#free <= now) return go();
    this.#waiting.push({ at: this.#free, go });
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  #tick() {
    const now = performance.now();
    while (this.#waiting.length > 0 && this.#waiting[0].at <= now) this.#waiting.shift()?.go();
    if (this.#waiting.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
