// What both doors take → what it means, or a sentence.

import { naming, WispError } from './error.js';

const MOST_THREADS = 64;
const MOST_PIXELS = 100_000_000;

/**
 * @param {number | {width: number, height: number}} [size]
 * @returns {{width: number, height: number}}
 */
export function inputSize(size = 0) {
  const { width, height } = typeof size === 'number' ? { width: size, height: size } : Object(size);
  const fits = (/** @type {unknown} */ side) => Number.isInteger(side) && Number(side) > 0;
  if (size === 0 || (fits(width) && fits(height))) return { width, height };
  const shown = typeof size === 'object' && size ? `${width} × ${height}` : naming(size);
  throw wrong(`size is a number or {width, height}, in pixels, not ${shown}.`);
}

/**
 * @typedef {import('./detect/engine.js').DetectOptions} DetectOptions
 * @typedef {import('./detect/engine.js').Detection} Detection
 */

/**
 * What is looked for, so that it can be sent to the worker.
 * @param {DetectOptions} options
 * @returns {Detection}
 */
export function detection({ classes, tiles, ...options }) {
  return { ...plain(options), ...tiling(tiles), classes: classList(classes) };
}

/** @param {DetectOptions['tiles']} tiles @returns {Detection} */
function tiling(tiles) {
  if (tiles === undefined || tiles === 'auto' || tiles === 'none') return { tiles };
  if (typeof tiles !== 'object' || tiles === null)
    throw wrong(`tiles is "auto", "none" or {columns, rows, overlap}, not ${naming(tiles)}.`);
  const { columns, rows, overlap, ...others } = tiles;
  for (const [name, count] of Object.entries({ columns, rows }))
    if (!Number.isInteger(count))
      throw wrong(`tiles.${name} is a whole number, not ${naming(count)}.`);
  if (overlap !== undefined && !Number.isFinite(overlap))
    throw wrong(`tiles.overlap is a number, not ${naming(overlap)}.`);
  const [other] = Object.keys(others);
  if (other) throw wrong(`There is no "${other}" in tiles; there is columns, rows, overlap.`);
  return { tiles: 'grid', tileColumns: columns, tileRows: rows, tileOverlap: overlap };
}

/**
 * Options that can be sent to a worker, whose module says what each may be.
 * @template {object} T
 * @param {T} options
 * @returns {T}
 */
export function plain(options) {
  for (const [name, value] of Object.entries(options))
    if (Object(value) === value || typeof value === 'symbol')
      throw wrong(`${name} is a number, a word, true or false, not ${naming(value)}.`);
  return options;
}

/**
 * How pictures are read, with defaults.
 * @param {import('./picture/picture.js').ReadOptions} options
 * @returns {{background: number, maxPixels: number}} background as 0xRRGGBB
 */
export function reading({ background = '#ffffff', maxPixels = MOST_PIXELS }) {
  const [, colour] = /^#([0-9a-f]{6})$/i.exec(String(background)) ?? [];
  if (!colour) throw wrong(`background is a colour such as "#ffffff", not ${naming(background)}.`);
  if (!(typeof maxPixels === 'number' && maxPixels >= 1))
    throw wrong(`maxPixels is a number from 1 on, not ${naming(maxPixels)}.`);
  return { background: Number.parseInt(colour, 16), maxPixels };
}

/**
 * @template {string | number} T
 * @param {readonly T[] | undefined} classes
 * @returns {T[] | undefined} a plain list: what a framework watches can't be sent to a worker
 */
export function classList(classes) {
  const fits = (/** @type {unknown} */ one) => ['string', 'number'].includes(typeof one);
  if (classes === undefined) return undefined;
  if (Array.isArray(classes) && classes.every(fits)) return [...classes];
  const what = Array.isArray(classes) ? classes.find((one) => !fits(one)) : classes;
  throw wrong(`classes is a list of names or indices, not ${naming(what)}.`);
}

/**
 * @param {'auto' | number} [threads]
 * @returns {'auto' | number}
 */
export function threadCount(threads = 'auto') {
  const fits = Number.isInteger(threads) && Number(threads) >= 1 && Number(threads) <= MOST_THREADS;
  if (threads === 'auto' || fits) return threads;
  throw wrong(`threads is "auto" or 1 … ${MOST_THREADS}, not ${naming(threads)}.`);
}

/** @param {string} sentence */
const wrong = (sentence) => new WispError('WISP_ERR_ARGUMENT', sentence);
