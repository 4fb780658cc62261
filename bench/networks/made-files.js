// When a file that the bench has made is stale: once a module changes that decides its bytes.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { root } from '../root.js';
import { referencesOf } from './imports.js';

/** @typedef {(name: string) => Promise<Uint8Array | null>} Read a file by its path from the root; null: not there */

/** @type {Read} */
const readOwn = (name) => readFile(path.join(root, name)).catch(() => null);

/**
 * A module, all that it refers to and all that these do, WebAssembly too; and package.json, for the versions of the
 * packages among them.
 * @param {string} entry from the root, with slashes
 * @param {Read} [read]
 * @returns {Promise<Map<string, Uint8Array>>} name → bytes
 */
export async function makersOf(entry, read = readOwn) {
  const makers = new Map();
  const names = new Set(['package.json', entry]);
  for (const name of names) {
    const bytes = await read(name);
    if (!bytes) continue;
    makers.set(name, bytes);
    if (!/\.m?js$/.test(name)) continue;
    for (const { to } of referencesOf(name, new TextDecoder().decode(bytes))) names.add(to);
  }
  return makers;
}

/** @param {...Uint8Array | Uint8ClampedArray} parts @returns {string} eight digits */
export function hashOf(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 8);
}
