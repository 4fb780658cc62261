// Where files are that some bundlers leave behind: `wisp copy` puts them under one address, as the package has them.

import { absolute, isNode } from '../host.js';

/**
 * @typedef {object} Places
 * @property {string | URL} [base] folder that `wisp copy` has filled
 * @property {string | URL} [wasmBase] folder that holds the .mjs and .wasm files, if not `base`
 * @property {string | URL} [workerUrl] the worker's file, if not in `base`
 */

/**
 * @param {Places} options
 * @param {import('./start.js').WorkerFiles['inPackage']} worker
 * @returns {{wasmBase?: URL, workerUrl?: string | URL}}
 */
export function placesOf({ base, wasmBase, workerUrl }, worker) {
  if (base !== undefined) {
    const at = (/** @type {string} */ name) =>
      new URL(name, absolute(String(base).replace(/\/*$/, '/')));
    wasmBase ??= at('dist/');
    workerUrl ??= at(isNode() ? worker.node : worker.page);
  }
  return { wasmBase: wasmBase === undefined ? undefined : absolute(wasmBase), workerUrl };
}
