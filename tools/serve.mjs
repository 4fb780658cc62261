// Serves the demo on this machine; `npm start` sets up and builds first. Browser tests use startServer alone.
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants } from 'node:zlib';
import { build } from './build.mjs';
import { modules, root } from './places.mjs';
import { setUp } from './setup.mjs';
import { fail, Refusal, step } from './step.mjs';

const FIRST_PORT = 8080;
const HOME = '/web/demo/';

/** What can be fetched, and nothing else. @type {Record<string, string>} address → folder */
const shelves = {
  '/web/': path.join(root, 'web'),
  '/dist/': path.join(root, 'dist'),
  '/models/': path.join(root, 'models'),
  '/docs/': path.join(root, 'dist', 'docs'),
  '/vendor/uplot/': path.join(modules, 'uplot'),
  '/vendor/pbf/': path.join(modules, 'pbf'),
  '/vendor/fflate/': path.join(modules, 'fflate'),
  '/vendor/zxing-wasm/': path.join(modules, 'zxing-wasm', 'dist'),
};

/** Shared memory, and so threads, need these two: the first of pages only, the second of workers too. */
const OF_PAGES = { 'cross-origin-opener-policy': 'same-origin' };
const ISOLATION = { 'cross-origin-embedder-policy': 'require-corp' };

/** Within a per cent of what a server that keeps them would send; the whole demo anew takes a tenth of a second. */
const QUALITY = 10;

/**
 * @typedef {import('../bench/page-peers.js').PeerShelf} PeerShelf
 *
 * @typedef {object} ServerOptions
 * @property {number} [port] 0: any free one; by default the first free one from 8080
 * @property {boolean} [isolated] whether pages are cross-origin isolated; true by default
 * @property {Record<string, string>} [headers] sent with every answer
 * @property {number} [maxAge] seconds that a browser needn't ask again; 1 by default: a worker takes what its page has
 * @property {Record<string, string>} [folders] more that can be fetched: address → folder
 */

/**
 * @param {ServerOptions} [options]
 * @returns {Promise<{url: string, close: () => Promise<void>}>} url: of the demo page
 */
export async function startServer(options = {}) {
  const { port, isolated = true, headers = {}, maxAge = 1, folders = {} } = options;
  const [{ default: sirv }, compress] = await Promise.all([import('sirv'), compression()]);
  const all = {
    'cross-origin-resource-policy': 'same-origin',
    ...(isolated && ISOLATION),
    ...headers,
  };
  /** @type {import('sirv').Options['setHeaders']} */
  const setHeaders = (response, file) => {
    response.setHeader('cache-control', `max-age=${maxAge}`);
    if (file.endsWith('.wisp')) response.setHeader('content-type', 'application/octet-stream');
  };
  const handlers = Object.entries({ ...shelves, ...folders }).map(([address, folder]) => ({
    address,
    handle: sirv(folder, { dev: true, etag: true, setHeaders }),
  }));

  /** What `npm run bench` has fetched, for the bench page; loaded when that page asks. @type {PeerShelf | undefined} */
  let peers;
  const server = createServer(async (request, response) => {
    const { pathname, search } = new URL(`http://localhost${request.url}`); // which may be //
    const isPage = (request.headers['sec-fetch-dest'] ?? 'document') === 'document';
    const own = isolated && isPage ? { ...all, ...OF_PAGES } : all;
    // with every answer: WebKit refuses a worker whose 304 lacks them
    for (const [name, value] of Object.entries(own)) response.setHeader(name, value);
    if (pathname === '/') return response.writeHead(302, { location: HOME }).end();
    if (/^\/(peers|bench)\//.test(pathname)) {
      const { PeerShelf } = await import('../bench/page-peers.js');
      peers ??= new PeerShelf();
      return peers.answer(pathname, response);
    }
    const shelf = handlers.find(({ address }) => pathname.startsWith(address));
    const missing = () => {
      response.writeHead(404, { 'content-type': 'text/plain' }).end(`${pathname} is not here.\n`);
    };
    if (!shelf) return missing();
    request.url = pathname.slice(shelf.address.length - 1) + search;
    compress(request, response, () => shelf.handle(request, response, missing));
  });
  const taken = await listen(server, port);
  return {
    url: `http://127.0.0.1:${taken}${HOME}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Brotli or gzip, whichever the browser takes, for what gets smaller by it; .wisp files don't. */
export async function compression() {
  // @ts-expect-error: it has no types of its own
  const { default: middleware } = await import('compression');
  return middleware({ brotli: { params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY } } });
}

/**
 * @param {import('node:http').Server} server
 * @param {number | undefined} port
 * @returns {Promise<number>} the port it got
 */
async function listen(server, port) {
  for (let next = port ?? FIRST_PORT; ; next++) {
    try {
      await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(next, '127.0.0.1', () => resolve(server.removeListener('error', reject)));
      });
      return /** @type {import('node:net').AddressInfo} */ (server.address()).port;
    } catch (error) {
      const busy = /** @type {NodeJS.ErrnoException} */ (error).code === 'EADDRINUSE';
      if (!busy) throw error;
      if (port !== undefined)
        throw new Refusal(`Port ${port} is taken: set PORT to another one, or to none.`);
    }
  }
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await setUp('web');
    await build('web', 'docs');
    const port = process.env.PORT ? Number(process.env.PORT) : undefined;
    const { url } = await step('server', () => startServer({ port }));
    console.log(`\n  wisp is at ${url}   (Ctrl-C ends it)`);
  } catch (error) {
    fail(error);
  }
}
