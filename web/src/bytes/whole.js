// A model's file as a whole, and what it keeps in files beside it.

import { saying, WispError } from '../error.js';
import { absolute } from '../host.js';
import { download } from './download.js';

/** @typedef {import('./download.js').ModelSource} ModelSource */

/**
 * @param {ModelSource} model
 * @param {AbortSignal} [signal]
 */
export async function collect(model, signal) {
  const { name, pieces } = await download(model, signal);
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  for await (const piece of pieces) parts.push(/** @type {Uint8Array<ArrayBuffer>} */ (piece));
  return { name, bytes: new Uint8Array(await new Blob(parts).arrayBuffer()) };
}

/** A file's own name, without the folders it is in: those are nobody else's business. @param {string} path */
export const fileName = (path) => path.split(/[\\/]/).pop() || path;

const PLAIN_NAME = /^(?!\.\.?$)[^\\/:]+$/;

/**
 * A file that a model names as beside it: of those given, or where the model itself is.
 * @param {string} other as the model calls it
 * @param {{name: string, model: ModelSource, given: File[], signal?: AbortSignal}} where
 */
export async function fileBeside(other, { name, model, given, signal }) {
  if (!PLAIN_NAME.test(other)) {
    const sentence = `It keeps weights in "${other}", which is no file in the same folder.`;
    throw new WispError('WISP_ERR_UNSUPPORTED', sentence);
  }
  const file = given.find((one) => one.name === other);
  if (file) return new Uint8Array(await file.arrayBuffer());
  const isAddress = typeof model === 'string' || model instanceof URL;
  try {
    if (!isAddress) throw new Error('it was not handed over');
    return (await collect(new URL(encodeURIComponent(other), absolute(model)), signal)).bytes;
  } catch (cause) {
    signal?.throwIfAborted();
    const merge = `import onnx; onnx.save(onnx.load('${fileName(name)}'), 'one.onnx')`;
    const sentence =
      `${name} keeps its weights in a second file, ${other} (${saying(cause)}): give both (option beside; in a ` +
      `page choose or drop both), or make one of them: python -c "${merge}".`;
    throw new WispError('WISP_ERR_FETCH', sentence, { cause });
  }
}
