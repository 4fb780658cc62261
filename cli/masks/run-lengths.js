// COCO's run lengths: of zeros and of ones in turn, column after column; their text, their area, what two share.

import { WispError } from '../../web/src/index.js';

/** @typedef {number[]} Counts */

/** Numbers are groups of five bits, lowest first, each a letter from "0" on; from the third on they are differences. */
const GROUP = 5;
const MORE = 1 << GROUP;
const SIGN = MORE >> 1;
const ZERO = 48;

/** @param {Counts} counts @returns {string} as COCO's results have it */
export function textOf(counts) {
  let text = '';
  counts.forEach((count, i) => {
    let rest = i > 2 ? count - counts[i - 2] : count;
    for (let more = true; more; ) {
      const group = rest & (MORE - 1);
      rest >>= GROUP;
      more = rest !== (group & SIGN ? -1 : 0);
      text += String.fromCharCode((more ? group | MORE : group) + ZERO);
    }
  });
  return text;
}

/** @param {string} text @returns {Counts} */
export function countsOf(text) {
  /** @type {Counts} */
  const counts = [];
  for (let at = 0; at < text.length; ) {
    let [number, shift, group] = [0, 0, MORE];
    while (group & MORE) {
      group = text.charCodeAt(at++) - ZERO;
      if (!(group >= 0 && group < 2 * MORE) || shift > 30)
        throw new WispError('WISP_ERR_FORMAT', `"${text.slice(0, 40)}" is no mask of COCO's.`);
      number |= (group & (MORE - 1)) << shift;
      shift += GROUP;
    }
    if (group & SIGN && shift < 32) number |= -1 << shift;
    const i = counts.length;
    counts.push(i > 2 ? number + counts[i - 2] : number);
  }
  return counts;
}

/** How many are ones. @param {Counts} counts */
export function areaOf(counts) {
  let area = 0;
  for (let i = 1; i < counts.length; i += 2) area += counts[i];
  return area;
}

/**
 * What is in one of two masks of a picture, or in both.
 * @param {Counts} a
 * @param {Counts} b
 * @param {(a: boolean, b: boolean) => boolean} isIn
 * @returns {Counts}
 */
export function merged(a, b, isIn) {
  const counts = [0];
  const at = [0, 0];
  const left = [a[0] ?? 0, b[0] ?? 0];
  const lists = [a, b];
  while (at[0] < a.length && at[1] < b.length) {
    const some = Math.min(left[0], left[1]);
    const value = Number(isIn(at[0] % 2 === 1, at[1] % 2 === 1));
    if (some > 0 && (counts.length - 1) % 2 !== value) counts.push(0);
    counts[counts.length - 1] += some;
    for (const k of [0, 1]) {
      left[k] -= some;
      if (left[k] === 0) left[k] = lists[k][++at[k]] ?? 0;
    }
  }
  return counts;
}

/**
 * Intersection over union; over the detection's own area where the truth is a crowd.
 * @param {Counts} detection
 * @param {Counts} truth
 * @param {boolean} crowd
 */
export function maskIou(detection, truth, crowd) {
  const both = areaOf(merged(detection, truth, (a, b) => a && b));
  if (both === 0) return 0;
  const own = areaOf(detection);
  return both / (crowd ? own : own + areaOf(truth) - both);
}
