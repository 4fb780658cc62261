// Models kept between visits under their hash: in a page's Cache Storage, under Node in a folder.

import { isNode } from '../host.js';
import { hashOf } from './integrity.js';
import { keepFile, readKept, removeKept } from './kept.js';
import { hex } from './magic.js';

const CACHE = 'wisp-models';

/**
 * The bytes kept under `integrity`. A damaged entry is removed, never returned.
 * @param {string} integrity
 * @param {boolean | string} cache true, or the folder under Node
 * @returns {Promise<Uint8Array<ArrayBuffer> | undefined>}
 */
export async function recall(integrity, cache) {
  try {
    const bytes = isNode()
      ? await readKept(cache, nameOf(integrity))
      : await readCache(nameOf(integrity));
    if (!bytes || (await hashOf(bytes)) === integrity) return bytes;
    await (isNode() ? removeKept(cache, nameOf(integrity)) : removeCached(nameOf(integrity)));
  } catch {
    // no storage here: the model comes over the network
  }
  return undefined;
}

/**
 * Keeps bytes that were checked; a full disk or a page without storage only costs the next visit its time.
 * @param {string} integrity
 * @param {boolean | string} cache
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
export async function keep(integrity, cache, bytes) {
  try {
    if (isNode()) await keepFile(cache, nameOf(integrity), bytes);
    else await (await caches.open(CACHE)).put(keyOf(nameOf(integrity)), new Response(bytes));
  } catch {
    // as said above
  }
}

/** The hash in hexadecimal digits: it serves as an address and as a file's name. @param {string} integrity */
function nameOf(integrity) {
  const hash = atob(integrity.slice('sha256-'.length));
  return hex(Uint8Array.from(hash, (letter) => letter.charCodeAt(0)));
}

/** Never fetched. @param {string} name */
const keyOf = (name) => new URL(`/.wisp/${name}.wisp`, location.origin).href;

/** @param {string} name */
async function readCache(name) {
  const kept = await (await caches.open(CACHE)).match(keyOf(name));
  return kept && new Uint8Array(await kept.arrayBuffer());
}

/** @param {string} name */
async function removeCached(name) {
  await (await caches.open(CACHE)).delete(keyOf(name));
}
