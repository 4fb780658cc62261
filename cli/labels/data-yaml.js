// A data.yaml as YOLO has it → the pictures of one of its splits, and the names of the classes.

import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { WispError } from '../../web/src/index.js';
import { fileError, findPictures, isPicture } from '../files.js';

/** @typedef {typeof SPLITS[number]} Split */

export const SPLITS = /** @type {const} */ (['train', 'val', 'test']);

/**
 * Folders are relative to `path`, and that to the file; as in YOLOv5 a split is a folder, a .txt list of pictures, or a
 * list of both, and "../x" also means "x" where only that is there.
 * @param {string} file
 * @param {Split} split
 * @returns {Promise<{pictures: string[], names: string[]}>}
 */
export async function readDataYaml(file, split) {
  const data = await parsed(file);
  const names = namesIn(file, data);
  const root = path.resolve(path.dirname(file), textOf(file, 'path', data.path ?? '.'));
  const given = data[split];
  const places = (Array.isArray(given) ? given : [given]).filter((one) => one != null);
  if (places.length === 0) {
    const others = SPLITS.filter((name) => data[name] != null).join(' and ') || 'none';
    throw wrong(`${file} has no ${split}: of train, val and test it has ${others}.`);
  }
  const found = [];
  for (const place of places) found.push(...(await picturesAt(file, split, root, place)));
  if (found.length === 0)
    throw wrong(`${file}: there are no pictures in its ${split}, ${places.join(', ')}.`);
  return { pictures: [...new Set(found)].sort(), names };
}

/** @param {string} sentence */
const wrong = (sentence) => new WispError('WISP_ERR_FORMAT', sentence);

/** @param {string} file @returns {Promise<Record<string, unknown>>} */
async function parsed(file) {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw fileError(file, cause);
  });
  const { parse } = await import('yaml'); // seldom needed
  let data;
  try {
    data = parse(text, { logLevel: 'error' });
  } catch (cause) {
    const [why] = String(/** @type {Error} */ (cause).message).split('\n');
    throw new WispError('WISP_ERR_FORMAT', `${file} is not YAML: ${why.replace(/[:.]$/, '')}.`, {
      cause,
    });
  }
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data;
  throw wrong(`${file} is no data.yaml: it has no names and no train, val or test.`);
}

/** @param {string} file @param {Record<string, unknown>} data @returns {string[]} by number */
function namesIn(file, { names, nc }) {
  if (typeof names !== 'object' || names === null)
    throw wrong(`${file} has no names: a list of the classes, or a map such as 0: person.`);
  const rows = Object.entries(names);
  const listed = rows.map((_, number) => /** @type {Record<string, unknown>} */ (names)[number]);
  const stranger = rows.find(([key]) => !/^\d+$/.test(key) || Number(key) >= rows.length);
  if (stranger)
    throw wrong(
      `${file}: names has the class ${JSON.stringify(stranger[0])}, which is none of 0 to ${rows.length - 1}.`,
    );
  const bad = listed.findIndex((name) => typeof name === 'object' || name === '');
  if (bad >= 0 || rows.length === 0)
    throw wrong(`${file}: ${rows.length === 0 ? 'names is empty' : `class ${bad} has no name`}.`);
  if (nc != null && nc !== rows.length)
    throw wrong(`${file}: nc is ${JSON.stringify(nc)}, but there are ${rows.length} names.`);
  return listed.map(String);
}

/** @param {string} file @param {string} field @param {unknown} value */
function textOf(file, field, value) {
  if (typeof value === 'string') return value;
  throw wrong(`${file}: ${field} is ${JSON.stringify(value)}, and not a path.`);
}

/** @param {string} file @param {Split} split @param {string} root @param {unknown} given */
async function picturesAt(file, split, root, given) {
  const text = textOf(file, split, given);
  const tried = [path.resolve(root, text)];
  if (text.startsWith('../')) tried.push(path.resolve(root, text.slice(3)));
  const place = tried.find((one) => statSync(one, { throwIfNoEntry: false }));
  if (!place)
    throw new WispError(
      'WISP_ERR_FETCH',
      `${file}: its ${split} is not there: ${tried.join(', ')}.`,
    );
  return /\.txt$/i.test(place) ? listedIn(place) : findPictures([place]);
}

/** The pictures that a .txt file names, a line each, from its own folder. @param {string} file */
async function listedIn(file) {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw fileError(file, cause);
  });
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines.filter(isPicture).map((line) => path.resolve(path.dirname(file), line));
}
