// The values of options: what they may be, and the sentence for what they may not.

import { InvalidArgumentError } from 'commander';

/** @param {string} text */
export function fraction(text) {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It is a number from 0 to 1.');
}

/** @param {string} text */
export function positive(text) {
  const value = Number(text);
  if (value > 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new InvalidArgumentError('It is a number above 0.');
}

/** @param {string} text @returns {number | 'auto'} */
export function bits(text) {
  if (text === 'auto') return text;
  if (/^[2-7]$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number from 2 to 7, or auto.');
}

/** @param {number} most @param {number} [least] @returns {(text: string) => number} */
export function whole(most, least = 1) {
  return (text) => {
    if (/^\d+$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
    throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
  };
}

/** 640, or 384x640 as height × width. @param {string} text */
export function size(text) {
  const [, height, width = height] = /^(\d+)(?:x(\d+))?$/.exec(text) ?? [];
  if (height) return { height: Number(height), width: Number(width) };
  throw new InvalidArgumentError('It is a side such as 640, or height x width such as 384x640.');
}

/** auto, or columns × rows. @param {string} text @returns {import('../web/src/index.js').DetectOptions['tiles']} */
export function tiles(text) {
  const [, columns, rows] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  if (columns) return { columns: Number(columns), rows: Number(rows) };
  if (text === 'auto') return text;
  throw new InvalidArgumentError('It is auto, or columns x rows such as 3x2.');
}

/** Lists as in YOLOv5's .yaml files, between spaces. @param {string} text */
export function anchors(text) {
  const lists = text
    .trim()
    .split(/\s+/)
    .map((part) => part.split(',').map(Number));
  if (lists.flat().every((size) => size > 0)) return lists;
  throw new InvalidArgumentError(
    "It is widths and heights in pixels, a list a head: '10,13,16,30,33,23 30,61,…'.",
  );
}

/** @param {string} text */
export function colour(text) {
  if (/^#[0-9a-f]{6}$/i.test(text)) return text;
  throw new InvalidArgumentError('It is a colour such as #ffffff.');
}

/** @param {string} text */
export const list = (text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);

/**
 * Adds what every command that reads pictures takes.
 * @param {import('commander').Command} command
 */
export function reading(command) {
  return command
    .option(
      '--background <colour>',
      'shows through where a picture is transparent, e.g. "#000000"; default: white',
      colour,
    )
    .option(
      '--max-pixels <n>',
      'of a picture, else it is refused before it is decoded; default: 100 million',
      whole(2 ** 31),
    );
}

/**
 * Adds what every command that detects takes.
 * @param {import('commander').Command} command
 * @param {{confidence: number, iou: number}} defaults
 */
export function detecting(command, { confidence, iou }) {
  return reading(command)
    .option('--confidence <share>', 'boxes score above it, 0 to 1', fraction, confidence)
    .option('--iou <share>', 'boxes of one class overlap by at most this, 0 to 1', fraction, iou)
    .option('--max-detections <n>', 'boxes in a picture', whole(30000), 300)
    .option(
      '--size <size>',
      "of the network's input, e.g. 640 or 384x640; default: the model's",
      size,
    )
    .option(
      '--tiles <tiles>',
      'to find small things, look at overlapping tiles of a picture too: auto (only of those much larger than the ' +
        'input), or columns x rows, e.g. 3x2',
      tiles,
    )
    .option('--threads <n>', 'default: all cores but one, at most 8', whole(64));
}

/**
 * Adds what decides which boxes there are, for commands that show them.
 * @param {import('commander').Command} command
 */
export function looking(command) {
  return command
    .option('--classes <names>', 'only these, by name or number, e.g. person,car', list)
    .option('--class-agnostic', 'let boxes suppress those of other classes')
    .option('--multi-label', 'a box for each class that scores, not only the best')
    .option('--masks', 'with each box its pixels: "mask", COCO\'s uncompressed run lengths')
    .option('--no-rect', 'compute the whole input, its border too, as exports of a fixed size do');
}

/**
 * @typedef {object} Looking what `looking` and `detecting` add
 * @property {number} confidence
 * @property {number} iou
 * @property {number} maxDetections
 * @property {string[]} [classes]
 * @property {boolean} [classAgnostic]
 * @property {boolean} [multiLabel]
 * @property {boolean} rect
 * @property {import('../web/src/index.js').DetectOptions['tiles']} [tiles]
 * @property {boolean} [masks]
 * @property {string} [background]
 * @property {number} [maxPixels]
 * @property {{height: number, width: number}} [size]
 * @property {number} [threads]
 */

/**
 * What of these options `detect` takes.
 * @param {Looking} options
 * @param {string[]} names of the model's classes
 * @returns {import('../web/src/index.js').DetectOptions}
 */
export function detection(options, names) {
  const { confidence, iou, maxDetections, classAgnostic, multiLabel, rect, tiles } = options;
  const { classes, masks, background, maxPixels } = options;
  return {
    ...{ confidence, iou, maxDetections, classAgnostic, multiLabel, rect, tiles },
    ...{ background, maxPixels },
    classes: classes?.map((name) => labelOf(name, names)),
    masks: masks ? 'rle' : 'none',
  };
}

/** A number is the index of a class, unless a class is called so. @param {string} name @param {string[]} classes */
const labelOf = (name, classes) =>
  /^\d+$/.test(name) && !classes.includes(name) ? Number(name) : name;
