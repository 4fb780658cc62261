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
