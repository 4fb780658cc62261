// What a press is opened with → a float graph, and the sentence for what it can't be made of.

import { download } from '../bytes/download.js';
import { hex } from '../bytes/magic.js';
import { saying, WispError } from '../error.js';
import { IMPORTERS } from '../import/importers.js';

/**
 * @typedef {import('../bytes/download.js').ModelSource} ModelSource
 * @typedef {import('../graph/float-graph.js').FloatGraph} FloatGraph
 */

/**
 * Not in the worker: there, pages have no import map for the importer's library.
 * @param {ModelSource | FloatGraph} model
 * @param {{signal?: AbortSignal, name?: string}} options
 * @returns {Promise<{graph: FloatGraph, source: import('./press-service.js').Source}>}
 */
export async function importFrom(model, { signal, name }) {
  if (isGraph(model)) return { graph: model, source: { name: name ?? 'a graph', ...model.source } };
  const file = await collect(model, signal);
  const { bytes } = file;
  try {
    const graph = await imported(bytes);
    const sha256 = await hashOf(bytes);
    const called = name ?? fileName(file.name);
    return { graph, source: { name: called, bytes: bytes.length, sha256, ...graph.source } };
  } catch (thrown) {
    throw prefixed(file.name, thrown);
  }
}

/** @param {Uint8Array} bytes of a file of whichever format @returns {Promise<FloatGraph>} */
async function imported(bytes) {
  const importer = IMPORTERS.find(({ begins }) => begins(bytes));
  if (importer) return importer.read(bytes);
  const { fileKind } = await import('../bytes/file-kind.js'); // seldom needed
  const { what, advice } = fileKind(bytes);
  const wanted = IMPORTERS.map(({ name }) => name).join(' or ');
  const sentence = `This is ${what}; the press reads ${wanted}.${advice ? ` ${advice}.` : ''}`;
  throw new WispError('WISP_ERR_FORMAT', sentence);
}

/**
 * @param {ModelSource} model
 * @param {AbortSignal | undefined} signal
 */
async function collect(model, signal) {
  const { name, pieces } = await download(model, signal);
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  for await (const piece of pieces) parts.push(/** @type {Uint8Array<ArrayBuffer>} */ (piece));
  return { name, bytes: new Uint8Array(await new Blob(parts).arrayBuffer()) };
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<string | null>} SHA-256 */
async function hashOf(bytes) {
  if (!globalThis.crypto?.subtle) return null; // no secure context
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

/** @param {ModelSource | FloatGraph} model @returns {model is FloatGraph} */
const isGraph = (model) => Array.isArray(Reflect.get(Object(model), 'nodes'));

/** A file's own name, without the folders it is in: those are nobody else's business. @param {string} path */
const fileName = (path) => path.split(/[\\/]/).pop() || path;

/**
 * What is wrong with a file, with its name.
 * @param {string} name
 * @param {unknown} thrown
 */
export function prefixed(name, thrown) {
  const code = Reflect.get(Object(thrown), 'code');
  if (typeof code !== 'string' || !OF_THE_FILE.includes(code)) return thrown;
  return new WispError(code, `${name}: ${saying(thrown)}.`, { cause: thrown });
}

const OF_THE_FILE = ['FORMAT', 'TRUNCATED', 'UNSUPPORTED', 'LIMIT'].map(
  (kind) => `WISP_ERR_${kind}`,
);
