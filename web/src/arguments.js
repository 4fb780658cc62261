// What both doors take → what it means, or a sentence.

import { naming, WispError } from './error.js';

const MOST_THREADS = 64;

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

/** @typedef {import('./detect/engine.js').DetectOptions} DetectOptions */

/**
 * What is looked for, with defaults; again the same.
 * @param {DetectOptions} options
 * @returns {Required<Omit<DetectOptions, 'classes'>> & {classes?: (string | number)[]}}
 */
export function detection({ classes, ...options }) {
  const { confidence = 0.25, iou = 0.45, maxDetections = 300 } = options;
  const { classAgnostic = false, multiLabel = false } = options;
  for (const [name, value] of Object.entries({ confidence, iou }))
    if (!Number.isFinite(value)) throw wrong(`${name} is a number, not ${naming(value)}.`);
  if (!Number.isInteger(maxDetections) || maxDetections < 1)
    throw wrong(`maxDetections is a whole number from 1 on, not ${naming(maxDetections)}.`);
  for (const [name, value] of Object.entries({ classAgnostic, multiLabel }))
    if (typeof value !== 'boolean') throw wrong(`${name} is true or false, not ${naming(value)}.`);
  const rest = { classAgnostic, multiLabel, classes: classList(classes) };
  return { confidence, iou, maxDetections, ...rest };
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
