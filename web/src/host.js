// The page or the Node process that wisp is used from: its worker, its cores, its addresses and files.

import { Threads } from './crew/threads.js';
import { saying, WispError } from './error.js';

/**
 * A worker, of whichever kind the host has.
 * @typedef {object} Crew
 * @property {(message: object, transfer: Transferable[]) => void} post
 * @property {(busy: boolean) => void} hold keeps a Node process alive while there is work
 * @property {() => Promise<void>} dismiss ends it at once, whatever it is doing
 *
 * @typedef {object} CrewEvents
 * @property {(message: any) => void} onMessage
 * @property {(why: string) => void} onDeath not called after `dismiss`
 */

export function isNode() {
  return (
    typeof process === 'object' && // webpack and others give pages a `process`, Electron a real one
    typeof process.versions?.node === 'string' &&
    Reflect.get(process, 'type') !== 'renderer'
  );
}

/** Node's own modules without an import: bundlers for browsers would stumble over it. */
function nodeModules() {
  if (!process.getBuiltinModule) {
    throw new WispError(
      'WISP_ERR_ENGINE',
      `Node ${process.versions.node} is too old: wisp needs 20.16, 22.3 or newer.`,
    );
  }
  return {
    fs: process.getBuiltinModule('node:fs'),
    os: process.getBuiltinModule('node:os'),
    url: process.getBuiltinModule('node:url'),
    threads: process.getBuiltinModule('node:worker_threads'),
  };
}

export function countCores() {
  return isNode() ? nodeModules().os.availableParallelism() : navigator.hardwareConcurrency || 1;
}

/**
 * What a user may write as an address: in a page relative to it, in Node also a path.
 * @param {string | URL} address
 * @returns {URL}
 */
export function absolute(address) {
  if (address instanceof URL) return address;
  if (!isNode()) return new URL(address, globalThis.document?.baseURI ?? location.href);
  return /^(https?|file|data):/i.test(address)
    ? new URL(address)
    : nodeModules().url.pathToFileURL(address);
}

/** What a user calls a file of this machine. @param {string | URL} address */
export function pathOf(address) {
  const isAddress = address instanceof URL || /^file:/i.test(address);
  return isAddress ? nodeModules().url.fileURLToPath(address) : address;
}

/**
 * @param {URL} address of a file of this machine
 * @returns {AsyncIterable<Uint8Array>}
 */
export function readFile(address) {
  return nodeModules().fs.createReadStream(address, { highWaterMark: 1 << 20 });
}

/** @param {boolean | string} folder true: the user's own @param {string} name */
function keptPath(folder, name) {
  const path = process.getBuiltinModule('node:path');
  if (typeof folder === 'string') return path.join(folder, `${name}.wisp`);
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const base = XDG_CACHE_HOME || LOCALAPPDATA || path.join(nodeModules().os.homedir(), '.cache');
  return path.join(base, 'wisp', `${name}.wisp`);
}

/** @param {boolean | string} folder @param {string} name @returns {Promise<Uint8Array<ArrayBuffer> | undefined>} */
export async function readKept(folder, name) {
  const bytes = await nodeModules().fs.promises.readFile(keptPath(folder, name));
  return new Uint8Array(bytes);
}

/** @param {boolean | string} folder @param {string} name */
export async function removeKept(folder, name) {
  await nodeModules().fs.promises.rm(keptPath(folder, name), { force: true });
}

/**
 * Whole or not at all: another process may read it at the same time.
 * @param {boolean | string} folder
 * @param {string} name
 * @param {Uint8Array} bytes
 */
export async function keepFile(folder, name, bytes) {
  const { promises } = nodeModules().fs;
  const file = keptPath(folder, name);
  const half = `${file}.${process.pid}.${crypto.randomUUID()}`;
  await promises.mkdir(process.getBuiltinModule('node:path').dirname(file), { recursive: true });
  try {
    await promises.writeFile(half, bytes);
    await promises.rename(half, file);
  } catch (cause) {
    await promises.rm(half, { force: true });
    throw cause;
  }
}

/**
 * @typedef {object} WorkerFiles of the package
 * @property {() => Worker} inPage starts it: bundlers see a worker only where `new Worker` holds its address
 * @property {string} inNode address of the one for Node, from this module
 */

/** @type {WorkerFiles} */
const RUNTIME = {
  inPage: () =>
    new Worker(new URL('./detect/worker.js', import.meta.url), { type: 'module', name: 'wisp' }),
  inNode: './detect/worker-node.js',
};

/**
 * @param {string | URL | undefined} address of another worker file than the package's own
 * @param {CrewEvents} events
 * @param {WorkerFiles} [own]
 * @returns {Crew}
 */
export function startWorker(address, events, own = RUNTIME) {
  return isNode()
    ? startThread(address, events, own.inNode)
    : startWebWorker(address, events, own.inPage);
}

/** @param {string | URL | undefined} address @param {CrewEvents} events @param {string} own @returns {Crew} */
function startThread(address, { onMessage, onDeath }, own) {
  const here = import.meta.url; // apart, so that no bundler for browsers follows the address
  const file = address ? absolute(address) : new URL(own, here);
  const worker = new (nodeModules().threads.Worker)(file, {
    name: 'wisp',
    execArgv: [], // not the parent's --input-type and the like
  });
  let dismissed = false;
  const die = (/** @type {string} */ why) => {
    if (!dismissed) onDeath(why);
  };
  worker.on('message', onMessage);
  worker.on('error', (thrown) => die(saying(thrown)));
  worker.on('exit', (code) => die(`it ended with code ${code}`));
  worker.unref();
  return {
    post: (message, transfer) => worker.postMessage(message, /** @type {any} */ (transfer)),
    hold: (busy) => (busy ? worker.ref() : worker.unref()),
    async dismiss() {
      dismissed = true;
      await worker.terminate();
    },
  };
}

/**
 * @param {string | URL | undefined} address
 * @param {CrewEvents} events
 * @param {() => Worker} own
 * @returns {Crew}
 */
function startWebWorker(address, { onMessage, onDeath }, own) {
  const worker = newWebWorker(address, own);
  const threads = new Threads(worker);
  worker.onmessage = ({ data }) => {
    if (!threads.receive(data)) onMessage(data);
  };
  worker.onmessageerror = () => onDeath('a message could not be read');
  worker.onerror = (event) => {
    event.preventDefault?.();
    onDeath(event.message || NOT_STARTED);
  };
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    hold() {},
    async dismiss() {
      worker.onmessage = worker.onmessageerror = worker.onerror = null;
      worker.terminate();
      threads.end();
    },
  };
}

const NOT_STARTED =
  'its file or one that it imports did not arrive as JavaScript. Let the bundler see it (Vite: ' +
  "optimizeDeps.exclude: ['wisp']) or give its address as workerUrl; on a page with " +
  'Cross-Origin-Embedder-Policy, send that header with it too, for Safari also with 304 answers';

/** @param {string | URL | undefined} address @param {() => Worker} own */
function newWebWorker(address, own) {
  try {
    return address ? new Worker(absolute(address), { type: 'module', name: 'wisp' }) : own();
  } catch (cause) {
    const where = address ?? 'of wisp';
    throw new WispError(
      'WISP_ERR_ENGINE',
      `The worker ${where} was refused: ${saying(cause)}. It must come from the page's own origin; see workerUrl.`,
      { cause },
    );
  }
}
