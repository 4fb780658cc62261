// Files of the command line: pictures in folders, bytes and text that appear whole or not at all.

import {
  accessSync,
  constants,
  existsSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { glob, isDynamicPattern } from 'tinyglobby';
import { reasonOf } from '../web/src/bytes/file-fault.js';
import embedded from '../web/src/codes.js';
import { WispError } from '../web/src/index.js';

/** The model that comes with wisp, where none is named. */
export function defaultModel() {
  const file = fileURLToPath(embedded);
  if (existsSync(file)) return file;
  const sentence = `No model is named, and the one that comes with wisp is not at ${file}. Name a .wisp file first.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}

const PICTURE = /\.(jpe?g|png|webp|gif|bmp|tiff?|avif|hei[cf]|p[gp]m)$/i;

/** By its name. @param {string} file */
export const isPicture = (file) => PICTURE.test(file);

/**
 * The files named, and the pictures in the folders and of the patterns named, in a fixed order.
 * @param {string[]} places
 * @param {(file: string) => boolean} [isWanted] by its name, where it is not named itself
 * @returns {Promise<string[]>}
 */
export async function findPictures(places, isWanted = isPicture) {
  const found = await Promise.all(places.map((place) => picturesOf(place, isWanted)));
  return found.flat();
}

/** A folder, or a pattern that no file is called by. @param {string} place */
export const isMany = (place) =>
  existsSync(place) ? statSync(place).isDirectory() : isPattern(place);

const isPattern = (/** @type {string} */ place) =>
  isDynamicPattern(place) && !/^[a-z]{2,}:/i.test(place);

/** @param {string} place @param {(file: string) => boolean} isWanted */
async function picturesOf(place, isWanted) {
  if (!existsSync(place) && isPattern(place)) return matching(place, isWanted);
  requireThere(place);
  if (!statSync(place).isDirectory()) return [place];
  const names = await readdir(place, { recursive: true }).catch((cause) => {
    throw fileError(place, cause);
  });
  return names
    .filter(isWanted)
    .sort()
    .map((name) => path.join(place, name));
}

/** @param {string} pattern as shells take it, in quotes @param {(file: string) => boolean} isWanted */
async function matching(pattern, isWanted) {
  const found = (await glob(pattern.replaceAll('\\', '/'), { expandDirectories: false })).filter(
    isWanted,
  );
  if (found.length > 0) return found.sort();
  throw new WispError('WISP_ERR_FETCH', `${pattern}: no picture is called so.`);
}

/** @param {string} place */
export function requireThere(place) {
  try {
    statSync(place);
  } catch (cause) {
    throw fileError(place, cause);
  }
}

/** @param {string} place */
export function requireFolder(place) {
  requireThere(place);
  if (!statSync(place).isDirectory())
    throw new WispError('WISP_ERR_ARGUMENT', `${place} is a file, and a folder is wanted.`);
}

/** @param {string} place @param {unknown} cause an error of Node's file system */
export function fileError(place, cause) {
  const why = reasonOf(cause, 'there is no such file or folder');
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

/** Nothing is written over what it is made from. @param {string} file @param {string} model */
export function requireOther(file, model) {
  if (!existsSync(file) || !existsSync(model) || realpathSync(file) !== realpathSync(model)) return;
  const sentence = `${file} is the model itself, which would be lost: name another file after -o.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}

/** Says early what `writeWhole` would say after minutes of work. @param {string} file */
export function requireWritable(file) {
  try {
    const there = statSync(file, { throwIfNoEntry: false });
    if (there?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    const isOrdinary = there?.isFile() ?? true;
    if (isOrdinary && !statSync(path.dirname(file)).isDirectory())
      throw Object.assign(new Error(), { code: 'ENOTDIR' });
    accessSync(isOrdinary ? path.dirname(file) : file, constants.W_OK);
  } catch (cause) {
    throw unwritable(file, cause);
  }
}

/** @param {string} file @param {unknown} cause @param {string} [absent] what it means that there is nothing there */
export function unwritable(file, cause, absent = 'there is no such folder') {
  const why = reasonOf(cause, absent);
  return new WispError('WISP_ERR_FETCH', `${file} can't be written: ${why}.`, { cause });
}

/** Of the ways to end a process that can be put off. */
const ENDINGS = /** @type {const} */ ({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 });

/**
 * The file has all of the bytes or is as it was before, whenever the process ends. What is no file, such as
 * /dev/stdout, is written to as it is.
 * @param {string} file
 * @param {Uint8Array | string} content
 */
export function writeWhole(file, content) {
  requireWritable(file);
  const isOrdinary = statSync(file, { throwIfNoEntry: false })?.isFile() ?? true;
  const draft = isOrdinary ? `${file}.${process.pid}.tmp` : file;
  const later = (/** @type {keyof typeof ENDINGS} */ signal) => process.exit(ENDINGS[signal]);
  // a listener waits for the end of this function, and the draft with it
  for (const signal of Object.keys(ENDINGS)) process.once(signal, later);
  try {
    writeFileSync(draft, content);
    if (isOrdinary) renameSync(draft, file);
  } catch (cause) {
    if (isOrdinary) rmSync(draft, { force: true });
    throw unwritable(file, cause);
  } finally {
    setImmediate(() => {
      for (const signal of Object.keys(ENDINGS)) process.off(signal, later);
    });
  }
}
