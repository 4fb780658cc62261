// The code in a box, read: which part of the picture the decoder gets, which of its answers count.

import { WispError } from './error.js';

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Rect in pixels of the picture
 * @typedef {{data: Uint8ClampedArray, width: number, height: number}} Pixels RGBA
 *
 * @typedef {{x: number, y: number}} Point in pixels
 *
 * @typedef {object} Answer of zxing-wasm, as far as it is used here
 * @property {boolean} isValid
 * @property {string} [error] why it is not
 * @property {string} text
 * @property {Uint8Array} bytes
 * @property {string} format
 * @property {string} contentType
 * @property {{topLeft: Point, topRight: Point, bottomRight: Point, bottomLeft: Point}} position
 *
 * @typedef {(pixels: any, options: {tryDenoise?: boolean, textMode: 'Plain', formats?: any[]}) => Promise<Answer[]>}
 *   Decode
 *
 * @typedef {object} Reading
 * @property {Answer} answer
 * @property {Point[]} corners of the code in the picture: its own upper left, upper right, lower right, lower left
 */

const MARGIN = 0.25; // of the box's longer side: the quiet zone, and what the box may miss
const WIDE_MARGIN = 1; // where that was not enough
const LEAST_MARGIN = 8; // pixels
const LONGEST = 1200; // pixels: more only takes longer, a code has 177 modules at most
const SMALL = 600; // pixels: what is smaller gets a second try, twice as large
const SLACK = 0.1; // of the box: how far outside of it the middle of its code may lie

/**
 * A box with a margin, in whole pixels.
 * @param {Rect} box
 * @param {{width: number, height: number}} picture
 * @param {number} [share] of the box's longer side
 * @returns {Rect}
 */
export function regionOf(box, picture, share = MARGIN) {
  const margin = Math.max(LEAST_MARGIN, share * Math.max(box.width, box.height));
  const x = Math.max(0, Math.floor(box.x - margin));
  const y = Math.max(0, Math.floor(box.y - margin));
  const right = Math.min(picture.width, Math.ceil(box.x + box.width + margin));
  const bottom = Math.min(picture.height, Math.ceil(box.y + box.height + margin));
  return { x, y, width: Math.max(1, right - x), height: Math.max(1, bottom - y) };
}

/** All of the picture that may be asked for. @param {Rect} box @param {{width: number, height: number}} picture */
export const reachOf = (box, picture) => regionOf(box, picture, WIDE_MARGIN);

/**
 * What is shown to the decoder, one after the other until it reads something.
 * @param {Rect} box
 * @param {{width: number, height: number}} picture
 * @param {boolean} [invert] whether to try all of it light on dark too: the decoder does so by itself, but only for QR,
 *   Data Matrix and Aztec
 * @returns {{region: Rect, scale: number, tryDenoise: boolean, inverted: boolean}[]}
 */
export function attemptsAt(box, picture, invert = false) {
  const upright = [regionOf(box, picture), reachOf(box, picture)].flatMap((region) => {
    const longer = Math.max(region.width, region.height);
    const scale = Math.min(1, LONGEST / longer);
    const plain = { region, scale, tryDenoise: false, inverted: false };
    return longer > SMALL ? [plain] : [plain, { ...plain, scale: 2, tryDenoise: true }];
  });
  return invert ? [...upright, ...upright.map((one) => ({ ...one, inverted: true }))] : upright;
}

/**
 * @param {Decode} decode
 * @param {Rect} box
 * @param {{width: number, height: number}} picture
 * @param {(region: Rect, scale: number, inverted: boolean) => unknown} show a part of the picture, scaled, as the
 *   decoder takes it
 * @param {{invert?: boolean, formats?: readonly string[]}} [options] `invert`: where nothing is read, once more with
 *   inverted pixels; default false. `formats`, as zxing-wasm calls them: no others are looked for; default all
 * @returns {Promise<Reading | null>} null: nothing could be read
 * @throws {WispError} WISP_ERR_ARGUMENT for a format that the decoder doesn't know
 */
export async function readCode(decode, box, picture, show, { invert, formats = [] } = {}) {
  for (const { region, scale, tryDenoise, inverted } of attemptsAt(box, picture, invert)) {
    const how = { tryDenoise, textMode: /** @type {const} */ ('Plain'), formats: [...formats] };
    const answers = await decode(show(region, scale, inverted), how);
    const refused = answers.find(({ isValid, error }) => !isValid && error);
    if (refused)
      throw new WispError('WISP_ERR_ARGUMENT', `zxing-wasm refuses formats: ${refused.error}.`);
    const own = answers
      .filter(({ isValid }) => isValid)
      .map((answer) => {
        const corners = cornersOf(answer, region, scale);
        return { answer, corners, distance: distanceFrom(box, middleOf(corners)) };
      })
      .filter(({ distance }) => distance <= 0.5 + SLACK)
      .sort((a, b) => a.distance - b.distance);
    if (own.length > 0) return { answer: own[0].answer, corners: own[0].corners };
  }
  return null;
}

/**
 * In pixels of the picture.
 * @param {Answer} answer
 * @param {Rect} region
 * @param {number} scale
 * @returns {Point[]}
 */
function cornersOf({ position: { topLeft, topRight, bottomRight, bottomLeft } }, region, scale) {
  return [topLeft, topRight, bottomRight, bottomLeft].map(({ x, y }) => ({
    x: region.x + x / scale,
    y: region.y + y / scale,
  }));
}

/** @param {Point[]} corners @returns {Point} */
function middleOf(corners) {
  const mean = (/** @type {'x' | 'y'} */ axis) =>
    corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length;
  return { x: mean('x'), y: mean('y') };
}

/** In sides of the box: half of one is its edge. @param {Rect} box @param {Point} point */
function distanceFrom(box, { x, y }) {
  const across = Math.abs(x - box.x - box.width / 2) / box.width;
  const down = Math.abs(y - box.y - box.height / 2) / box.height;
  return Math.max(across, down);
}
