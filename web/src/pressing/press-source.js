// What a press is opened with → a float graph, and the sentence for what it can't be made of.

import { hex } from '../bytes/magic.js';
import { collect, fileBeside, fileName } from '../bytes/whole.js';
import { saying, WispError } from '../error.js';
import { IMPORTERS } from '../import/importers.js';

/**
 * @typedef {import('../bytes/download.js').ModelSource} ModelSource
 * @typedef {import('../graph/float-graph.js').FloatGraph} FloatGraph
 *
 * @typedef {object} ImportOptions
 * @property {AbortSignal} [signal]
 * @property {string} [name] what the .wisp file calls its source; default: that of the file
 * @property {readonly (readonly number[])[]} [anchors] of a file that doesn't decode its boxes: a list for each head,
 *   the largest map first: width, height, width, … in pixels, as in YOLOv5's .yaml files; default: YOLOv5's own
 * @property {Iterable<File>} [beside] files that the model names as beside it, which hold its weights (ONNX external
 *   data); of a model by path or address they are found by themselves
 */

/**
 * Not in the worker: there, pages have no import map for the importer's library.
 * @param {ModelSource | FloatGraph} model
 * @param {ImportOptions} options
 * @returns {Promise<{graph: FloatGraph, source: import('./press-service.js').Source}>}
 */
export async function importFrom(model, options) {
  const { signal, name } = options;
  if (isGraph(model)) return { graph: model, source: { name: name ?? 'a graph', ...model.source } };
  const file = await collect(model, signal);
  const { bytes } = file;
  try {
    const graph = await imported(bytes, file.name, model, options);
    const sha256 = await hashOf(bytes);
    const called = name ?? fileName(file.name);
    return { graph, source: { name: called, bytes: bytes.length, sha256, ...graph.source } };
  } catch (thrown) {
    throw prefixed(file.name, thrown);
  }
}

/**
 * @param {Uint8Array} bytes of a file of whichever format
 * @param {string} name
 * @param {ModelSource} model
 * @param {ImportOptions} options
 * @returns {Promise<FloatGraph>}
 */
async function imported(bytes, name, model, { signal, anchors, beside = [] }) {
  const importer = IMPORTERS.find(({ begins }) => begins(bytes));
  if (importer) {
    /** @type {Map<string, Uint8Array>} */
    const others = new Map();
    for (const other of (await importer.beside?.(bytes)) ?? [])
      others.set(other, await fileBeside(other, { name, model, given: [...beside], signal }));
    return importer.read(bytes, { anchors: anchorLists(anchors), beside: others });
  }
  const { fileKind } = await import('../bytes/file-kind.js'); // seldom needed
  const { what, advice } = fileKind(bytes);
  const either = new Intl.ListFormat('en', { type: 'disjunction' });
  const wanted = either.format(IMPORTERS.map(({ name }) => name));
  const sentence = `This is ${what}; the press reads ${wanted}.${advice ? ` ${advice}.` : ''}`;
  throw new WispError('WISP_ERR_FORMAT', sentence);
}

/** @param {ImportOptions['anchors']} anchors */
function anchorLists(anchors) {
  const lists = anchors?.map((list) => [...list]);
  const isSound = (/** @type {number[]} */ list) =>
    list.length > 0 && list.length % 2 === 0 && list.every((size) => size > 0 && size < 1e5);
  if (!lists || lists.every(isSound)) return lists;
  const given = JSON.stringify(anchors);
  const sentence = `anchors are lists of widths and heights in pixels, one for each head, not ${given}.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<string | null>} SHA-256 */
async function hashOf(bytes) {
  if (!globalThis.crypto?.subtle) return null; // no secure context
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

/** @param {ModelSource | FloatGraph} model @returns {model is FloatGraph} */
const isGraph = (model) => Array.isArray(Reflect.get(Object(model), 'nodes'));

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
