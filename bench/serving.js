// Serves what the engines need to a page or a Node of this machine: wisp's files, the peers', networks and the picture.
// tools/serve.mjs serves pages with sirv, which is not installed with the package; this one comes with `wisp bench`.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { root } from './root.js';

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

const HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

const PAGE = `<!doctype html><meta charset="utf-8"><title>wisp bench</title><script type="module">
import { Lanes } from '/bench/lanes/lanes.js';
globalThis.lanes = new Lanes();
</script>`;

export class BenchServer {
  /** @type {import('node:http').Server} */
  #server;
  /** Bytes or files under addresses of their own. @type {Map<string, Uint8Array | string>} */
  #made = new Map([['/', new TextEncoder().encode(PAGE)]]);
  /** @type {[string, string][]} address and folder */
  #shelves;
  #rewrite;

  /**
   * @param {string} peers folder of the peers' packages
   * @param {(module: string) => Promise<string>} rewrite their modules, by file, as a browser takes them
   * @param {[string, string][]} [shelves] more addresses and folders
   */
  constructor(peers, rewrite, shelves = []) {
    this.#rewrite = rewrite;
    this.#shelves = [
      ...shelves,
      ...['bench', 'web', 'dist'].map(
        (name) => /** @type {[string, string]} */ ([`/${name}/`, path.join(root, name)]),
      ),
      ['/peers/', peers],
    ];
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(`http://bench${request.url}`);
      void this.answer(pathname, response);
    });
  }

  /** @returns {Promise<void>} */
  listen() {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  get url() {
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    return `http://127.0.0.1:${port}/`;
  }

  /**
   * @param {string} name
   * @param {Uint8Array | string} content bytes, or the path of a file
   * @returns {string} its address
   */
  offer(name, content) {
    this.#made.set(`/made/${name}`, content);
    return new URL(`made/${name}`, this.url).href;
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** @param {string} pathname @param {import('node:http').ServerResponse} response */
  async answer(pathname, response) {
    try {
      await this.#send(decodeURIComponent(pathname), response);
    } catch {
      response.writeHead(404, HEADERS).end();
    }
  }

  /** @param {string} name @param {import('node:http').ServerResponse} response */
  async #send(name, response) {
    const made = this.#made.get(name);
    const type =
      TYPES[path.extname(name)] ?? (name === '/' ? 'text/html' : 'application/octet-stream');
    const headers = { ...HEADERS, 'content-type': type };
    if (made instanceof Uint8Array) {
      response.writeHead(200, { ...headers, 'content-length': made.length }).end(made);
      return;
    }
    const file = made ?? this.#find(name);
    const { size } = await stat(file);
    if (type === 'text/javascript' && name.startsWith('/peers/@litertjs/')) {
      response.writeHead(200, headers).end(await this.#rewrite(file));
      return;
    }
    createReadStream(file).pipe(response.writeHead(200, { ...headers, 'content-length': size }));
  }

  /** @param {string} name */
  #find(name) {
    for (const [address, folder] of this.#shelves) {
      const file = path.join(folder, name.slice(address.length));
      if (name.startsWith(address) && file.startsWith(folder + path.sep)) return file;
    }
    throw new Error(`${name} is not served.`);
  }
}
