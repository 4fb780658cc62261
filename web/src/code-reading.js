// The code in a box, read: which part of the picture the decoder gets, which of its answers count.

import { greyFile, greyOf, partOf, scaled, sharpened } from './code-pixels.js';
import { whyUnread } from './code-unread.js';
import { fromUpright, turnIn, upright } from './code-upright.js';
import { WispError } from './error.js';

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Rect in pixels of the picture
 * @typedef {{data: Uint8ClampedArray, width: number, height: number}} Pixels RGBA
 * @typedef {import('./code-pixels.js').Grey} Grey
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
 * @typedef {(pixels: any, options: Omit<Attempt['how'], 'formats'> & {textMode: 'Plain', formats?: any[]}) =>
 *   Promise<Answer[]>} Decode
 *
 * @typedef {object} Reading
 * @property {string} text
 * @property {Uint8Array} bytes
 * @property {string} format
 * @property {string} contentType
 * @property {Point[]} corners of the code in the picture: its own upper left, upper right, lower right, lower left
 *
 * @typedef {object} Attempt what is shown to the decoder, and what it looks for
 * @property {Rect} region
 * @property {number} scale
 * @property {boolean} inverted light on dark
 * @property {boolean} [isUpright] turned until its edges lie level and plumb
 * @property {{tryDenoise: boolean, tryInvert: boolean, formats?: string[]}} how
 *
 * @typedef {object} Wish what a decoder is asked, here or in a worker
 * @property {Grey} grey
 * @property {Rect} at what of the picture that is
 * @property {{width: number, height: number}} picture
 * @property {Rect | null} box only the code in it; null: all that are read
 * @property {Attempt[]} attempts one after the other until something is read
 * @property {readonly string[]} [formats] as zxing-wasm calls them: no others are looked for
 *
 * @typedef {{readings: Reading[], why: import('./code-unread.js').Why | null}} Reply why: nothing was read in the box
 */

const MARGIN = 0.25; // of the box's longer side: the quiet zone, and what the box may miss
const WIDE_MARGIN = 1; // where that was not enough
const LEAST_MARGIN = 8; // pixels
const LONGEST = 1200; // pixels: more only takes longer, a code has 177 modules at most
const SMALL = 600; // pixels: what is smaller gets a second try, twice as large
const TINY = 250; // or three times
const SHARPER = 2; // strength, of what stands upright: over one of its old pixels to each side
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

/** What zxing-wasm does not read light on dark by itself. @type {Attempt['how']} */
const LIGHT = {
  tryDenoise: false,
  tryInvert: false,
  formats: ['AllLinear', 'PDF417', 'MaxiCode'],
};

/**
 * The attempts at a box, one after the other until something is read: those first that have read most.
 * @param {Rect} box
 * @param {{width: number, height: number}} picture
 * @param {boolean} [isSure] false: most such boxes hold no code, so they get fewer
 * @returns {Attempt[]}
 */
export function attemptsAt(box, picture, isSure = true) {
  const how = { tryDenoise: false, tryInvert: true };
  const plain = [regionOf(box, picture), reachOf(box, picture)].map((region) => ({
    region,
    scale: Math.min(1, LONGEST / Math.max(region.width, region.height)),
    inverted: false,
    how,
  }));
  if (!isSure) return plain;
  const [near, wide] = plain;
  const denoised = { ...how, tryDenoise: true };
  return [
    near,
    ...enlarged(near, { how, isUpright: true }),
    ...enlarged(near, { how: denoised }),
    wide,
    ...enlarged(wide, { how, isUpright: true }),
    ...plain.map((one) => ({ ...one, inverted: true, how: LIGHT })),
  ];
}

/** If it is small. @param {Attempt} attempt @param {Partial<Attempt>} changes @returns {Attempt[]} */
function enlarged(attempt, changes) {
  const longer = Math.max(attempt.region.width, attempt.region.height);
  return longer > SMALL ? [] : [{ ...attempt, scale: longer > TINY ? 2 : 3, ...changes }];
}

/** The whole picture, made so small that it does not take long. @param {Pixels} picture @returns {Attempt[]} */
export function attemptsAtAll({ width, height }) {
  const region = { x: 0, y: 0, width, height };
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  return [{ region, scale, inverted: false, how: { tryDenoise: false, tryInvert: true } }];
}

/**
 * @param {Pixels} picture
 * @param {Rect | null} box
 * @param {Attempt[]} attempts one at least
 * @param {{formats?: readonly string[], background?: number}} [options] background: 0xRRGGBB
 * @returns {Wish}
 */
export function wishFor(picture, box, attempts, { formats, background } = {}) {
  const [at] = attempts.map(({ region }) => region).sort((a, b) => areaOf(b) - areaOf(a));
  const { width, height } = picture;
  const grey = greyOf(picture, at, background);
  return { grey, at, picture: { width, height }, box, attempts, formats };
}

/** @param {Rect} rect */
const areaOf = ({ width, height }) => width * height;

/**
 * @param {Decode} decode
 * @param {Wish} wish
 * @returns {Promise<Reply>}
 * @throws {WispError} WISP_ERR_ARGUMENT for a format that the decoder doesn't know
 */
export async function answerTo(decode, { grey, at, picture, box, attempts, formats }) {
  for (const attempt of attempts) {
    const { pixels, placed } = shown(grey, at, attempt, box);
    const { how, inverted } = attempt;
    const answers = await readAll(decode, greyFile(pixels, { inverted }), how, formats);
    const readings = answers.map((answer) => readingOf(answer, placed));
    const own = box ? inBox(readings, box) : readings;
    if (own.length > 0) return { readings: own, why: null };
  }
  return { readings: [], why: box && whyUnread(grey, at, box, picture) };
}

/**
 * What the decoder gets to see, and where in the picture a place of that lies.
 * @param {Grey} grey
 * @param {Rect} at
 * @param {Attempt} attempt
 * @param {Rect | null} box
 * @returns {{pixels: Grey, placed: (place: Point) => Point}}
 */
function shown(grey, at, { region, scale, isUpright }, box) {
  const inside = (/** @type {Rect} */ rect) => ({ ...rect, x: rect.x - at.x, y: rect.y - at.y });
  if (box && isUpright) {
    const turn = turnIn(grey, inside(box));
    const pixels = sharpened(upright(grey, inside(region), turn, scale), scale, SHARPER);
    return { pixels, placed: (place) => fromUpright(place, region, turn, scale) };
  }
  return {
    pixels: scaled(partOf(grey, inside(region)), scale),
    placed: ({ x, y }) => ({ x: region.x + x / scale, y: region.y + y / scale }),
  };
}

/**
 * The code in a box of a picture, with all attempts.
 * @param {Decode} decode
 * @param {Pixels} picture
 * @param {Rect} box
 * @returns {Promise<Reading | null>} null: nothing could be read
 */
export async function readCode(decode, picture, box) {
  const wish = wishFor(picture, box, attemptsAt(box, picture));
  return (await answerTo(decode, wish)).readings[0] ?? null;
}

/**
 * @param {Decode} decode
 * @param {Uint8Array} file
 * @param {Attempt['how']} how
 * @param {readonly string[]} [wanted]
 * @returns {Promise<Answer[]>}
 */
async function readAll(decode, file, { formats = [], ...how }, wanted = []) {
  const looked = wanted.length > 0 ? wanted : formats;
  const answers = await decode(file, { ...how, textMode: 'Plain', formats: [...looked] });
  const refused = answers.find(({ isValid, error }) => !isValid && error);
  if (refused)
    throw new WispError('WISP_ERR_ARGUMENT', `zxing-wasm refuses formats: ${refused.error}.`);
  return answers.filter(({ isValid }) => isValid);
}

/**
 * @param {Answer} answer
 * @param {(place: Point) => Point} placed
 * @returns {Reading}
 */
function readingOf({ text, bytes, format, contentType, position }, placed) {
  const { topLeft, topRight, bottomRight, bottomLeft } = position;
  const corners = [topLeft, topRight, bottomRight, bottomLeft].map(placed);
  return { text, bytes, format, contentType, corners };
}

/** The one whose middle is nearest to that of the box. @param {Reading[]} readings @param {Rect} box */
const inBox = (readings, box) =>
  readings
    .map((reading) => ({ reading, distance: distanceFrom(box, middleOf(reading.corners)) }))
    .filter(({ distance }) => distance <= 0.5 + SLACK)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 1)
    .map(({ reading }) => reading);

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
