// What both doors take → what it means, or a sentence.

import { naming, WispError } from './error.js';

const MOST_THREADS = 64;

/**
 * @param {number | {width: number, height: number}} [size]
 * @returns {{width: number, height: number}}
 */
export function inputSize(size = 0) {
  const { width, height } = typeof size === 'number' ? { width: size, height: size } : Object(size);
  if (Number.isInteger(width) && Number.isInteger(height)) return { width, height };
  const sentence = `size is a number or {width, height} in pixels, not ${naming(size)}.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}

/**
 * @template {string | number} T
 * @param {T[] | undefined} classes
 * @returns {T[] | undefined} a plain list: what a framework watches can't be sent to a worker
 */
export function classList(classes) {
  const fits = (/** @type {unknown} */ one) => ['string', 'number'].includes(typeof one);
  if (classes === undefined) return undefined;
  if (Array.isArray(classes) && classes.every(fits)) return [...classes];
  const what = Array.isArray(classes) ? classes.find((one) => !fits(one)) : classes;
  const sentence = `classes is a list of names or indices, not ${naming(what)}.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}

/**
 * @param {'auto' | number} [threads]
 * @returns {'auto' | number}
 */
export function threadCount(threads = 'auto') {
  const fits = Number.isInteger(threads) && Number(threads) >= 1 && Number(threads) <= MOST_THREADS;
  if (threads === 'auto' || fits) return threads;
  const sentence = `threads is "auto" or 1 … ${MOST_THREADS}, not ${naming(threads)}.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}
