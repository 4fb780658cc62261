// The page or the Node process that wisp is used from: its cores, its addresses and files.

import { WispError } from './error.js';

export function isNode() {
  return (
    typeof process === 'object' && // webpack and others give pages a `process`, Electron a real one
    typeof process.versions?.node === 'string' &&
    Reflect.get(process, 'type') !== 'renderer' &&
    globalThis.navigator?.userAgent !== 'Cloudflare-Workers' // they have a `process` too, and no threads
  );
}

/** Node's own modules without an import: bundlers for browsers would stumble over it. */
export function nodeModules() {
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

/**
 * With the folders above it. Node's own way to do that never ends where none can be made, such as in /proc.
 * @param {string} folder
 */
export async function makeFolder(folder) {
  const { promises } = nodeModules().fs;
  const path = process.getBuiltinModule('node:path');
  const code = (/** @type {unknown} */ thrown) => Reflect.get(Object(thrown), 'code');
  const make = () =>
    promises.mkdir(folder).catch((thrown) => {
      if (code(thrown) !== 'EEXIST') throw thrown;
    });
  await make().catch(async (thrown) => {
    if (code(thrown) !== 'ENOENT') throw thrown;
    await makeFolder(path.dirname(folder));
    await make();
  });
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
  await makeFolder(process.getBuiltinModule('node:path').dirname(file));
  try {
    await promises.writeFile(half, bytes);
    await promises.rename(half, file);
  } catch (cause) {
    await promises.rm(half, { force: true });
    throw cause;
  }
}
