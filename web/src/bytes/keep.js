// A model whose hash is known, and which may be kept for the next time. Loaded where somebody wants that.

import { WispError } from '../error.js';
import { download, fromBytes } from './download.js';
import { checking, requireIntegrity } from './integrity.js';
import { keep, recall } from './store.js';

/**
 * @typedef {import('./download.js').Download} Download
 * @typedef {import('./download.js').ModelSource} ModelSource
 *
 * @typedef {object} Origin
 * @property {AbortSignal} [signal]
 * @property {string} [integrity] "sha256-" and the hash in base64: no other bytes are taken
 * @property {boolean | string} [cache] keeps the model under that hash for the next time: in the page's Cache
 *   Storage, under Node in the folder named or the user's own; needs `integrity`
 */

/**
 * @param {ModelSource} model
 * @param {Origin} origin
 * @returns {Promise<Download>}
 */
export async function downloadKept(model, { signal, integrity, cache = false }) {
  if (integrity === undefined) {
    const sentence = 'cache needs integrity: a model is kept under its hash.';
    throw new WispError('WISP_ERR_ARGUMENT', sentence);
  }
  const hash = requireIntegrity(integrity);
  const kept = cache ? await recall(hash, cache) : undefined;
  signal?.throwIfAborted();
  if (kept) return { ...fromBytes(kept.buffer, 0, kept.length), fromCache: true };
  const { name, total, pieces } = await download(model, signal);
  const onWhole = async (/** @type {Uint8Array<ArrayBuffer>} */ whole) =>
    cache ? keep(hash, cache, whole) : undefined;
  return { name, total, pieces: checking(pieces, hash, name, onWhole) };
}
