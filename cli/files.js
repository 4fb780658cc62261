// Files of the command line: pictures in folders, bytes and text that appear whole or not at all.

import { accessSync, constants, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { WispError } from '../web/src/index.js';

const PICTURE = /\.(jpe?g|png|webp)$/i;

/**
 * The files named, and the pictures in the folders named, in a fixed order.
 * @param {string[]} places
 * @returns {Promise<string[]>}
 */
export async function findPictures(places) {
  const found = await Promise.all(places.map(picturesOf));
  return found.flat();
}

/** @param {string} place */
async function picturesOf(place) {
  const { isFolder } = await kindOf(place);
  if (!isFolder) return [place];
  const names = await readdir(place, { recursive: true });
  return names
    .filter((name) => PICTURE.test(name))
    .sort()
    .map((name) => path.join(place, name));
}

/** @param {string} place */
async function kindOf(place) {
  try {
    return { isFolder: (await stat(place)).isDirectory() };
  } catch (cause) {
    throw fileError(place, cause);
  }
}

/** @param {string} place @param {unknown} cause an error of Node's file system */
export function fileError(place, cause) {
  const { code } = /** @type {NodeJS.ErrnoException} */ (cause);
  const why = code === 'ENOENT' ? 'there is no such file or folder' : String(code);
  return new WispError('WISP_ERR_FETCH', `${place}: ${why}.`, { cause });
}

/**
 * At most `limit` items, spread evenly.
 * @template T
 * @param {T[]} items
 * @param {number} limit
 */
export function spread(items, limit) {
  if (items.length <= limit) return items;
  return Array.from({ length: limit }, (_, i) => items[Math.floor((i * items.length) / limit)]);
}

/** Says early what `writeWhole` would say after minutes of work. @param {string} file */
export function requireWritable(file) {
  try {
    accessSync(path.dirname(file), constants.W_OK);
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
      throw Object.assign(new Error(), { code: 'EISDIR' });
    }
  } catch (cause) {
    throw unwritable(file, cause);
  }
}

/** @param {string} file @param {unknown} cause */
function unwritable(file, cause) {
  const { code } = /** @type {NodeJS.ErrnoException} */ (cause);
  return new WispError('WISP_ERR_FETCH', `${file} can't be written: ${code}.`, { cause });
}

/**
 * The file has all of the bytes or is as it was before, whenever the process ends.
 * @param {string} file
 * @param {Uint8Array | string} content
 */
export function writeWhole(file, content) {
  const draft = `${file}.${process.pid}.tmp`;
  const later = () => process.exit(130);
  process.once('SIGINT', later); // waits for the end of this function, and the draft with it
  try {
    writeFileSync(draft, content);
    renameSync(draft, file);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw unwritable(file, cause);
  } finally {
    setImmediate(() => process.off('SIGINT', later));
  }
}
