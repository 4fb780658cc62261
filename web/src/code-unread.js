// Why a code that was found could not be read, as far as its pixels tell.

import { partOf } from './code-pixels.js';

/**
 * @typedef {import('./code-reading.js').Rect} Rect
 * @typedef {'cut off' | 'too small' | 'too faint' | 'blurred' | 'not yet'} Why cut off by the edge of the picture; too
 *   small in pixels; without contrast; without edges; still being tried, in a video
 */

const EDGE = 2; // pixels
const SMALL = 56; // pixels of the longer side: no code has its modules two pixels wide then, but the smallest
const FAINT = 40; // grey levels between what is dark and what is light in it
const DARK = 0.05; // share of its pixels that is no lighter
const STEEPEST = 0.02; // share of its pixels where it changes most
const BLURRED = 0.3; // of the contrast, from a pixel to the next: an edge that takes three or more

/**
 * @param {import('./code-pixels.js').Grey} grey
 * @param {Rect} at what of the picture that is
 * @param {Rect} box
 * @param {{width: number, height: number}} picture
 * @returns {Why | null} null: that does not tell
 */
export function whyUnread(grey, at, box, picture) {
  const [right, bottom] = [box.x + box.width, box.y + box.height];
  const isCut = box.x < EDGE || box.y < EDGE || right > picture.width - EDGE;
  if (isCut || bottom > picture.height - EDGE) return 'cut off';
  if (Math.max(box.width, box.height) < SMALL) return 'too small';
  const x = Math.max(0, Math.floor(box.x - at.x));
  const y = Math.max(0, Math.floor(box.y - at.y));
  const width = Math.min(grey.width - x, Math.ceil(box.width));
  const height = Math.min(grey.height - y, Math.ceil(box.height));
  if (width < 2 || height < 2) return null;
  const inside = partOf(grey, { x, y, width, height });
  const levels = countsOf(inside.data, (i) => inside.data[i]);
  const contrast = levelAt(levels, 1 - DARK) - levelAt(levels, DARK);
  if (contrast < FAINT) return 'too faint';
  const steps = countsOf(inside.data, (i) => {
    const across = Math.abs(inside.data[i] - (inside.data[i + 1] ?? inside.data[i]));
    const down = Math.abs(inside.data[i] - (inside.data[i + width] ?? inside.data[i]));
    return (i + 1) % width === 0 ? down : Math.max(across, down);
  });
  return levelAt(steps, 1 - STEEPEST) < BLURRED * contrast ? 'blurred' : null;
}

/** How often each level comes. @param {ArrayLike<number>} data @param {(i: number) => number} level 0 … 255 */
function countsOf(data, level) {
  const counts = new Uint32Array(256);
  for (let i = 0; i < data.length; i++) counts[level(i)]++;
  return counts;
}

/** The level that this share of all does not exceed. @param {Uint32Array} counts @param {number} share */
function levelAt(counts, share) {
  let left = share * counts.reduce((sum, count) => sum + count, 0);
  return counts.findIndex((count) => {
    left -= count;
    return left <= 0;
  });
}
