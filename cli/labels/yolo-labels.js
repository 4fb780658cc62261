// Labels as YOLO has them: a text file for each picture, a line for each box, in shares of the picture's size.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { WispError } from '../../web/src/index.js';
import { fileError } from '../files.js';

/**
 * @typedef {import('../coco.js').Bbox} Bbox
 * @typedef {import('../coco.js').Annotation} Annotation
 * @typedef {{label: number, box: Bbox, line: number, polygon?: number[]}} Row
 *
 * @typedef {object} Wanted
 * @property {string} place of the pictures, for sentences
 * @property {string[]} pictures
 * @property {string} [labels] the folder with a .txt for each picture of `place`; default: where YOLOv5 looks
 * @property {string[]} [names] of the classes; default: those of the model
 */

const TOGETHER = 64; // files that are read at once

/**
 * A picture without a file of labels is background.
 * @param {Wanted} wanted
 * @returns {Promise<import('./labels.js').Labels>}
 */
export async function readYoloLabels({ place, pictures, labels, names }) {
  if (pictures.length === 0)
    throw new WispError('WISP_ERR_SOURCE', `${place}: there are no pictures in it.`);
  const whole = pictures.map((picture) => path.resolve(picture));
  const files = whole.map((picture) =>
    labels === undefined ? besides(picture) : mirrored(picture, path.resolve(place), labels),
  );
  const texts = await readAll(files);
  if (texts.every((text) => text === null)) {
    const sentence = `None of the ${pictures.length} pictures has labels`;
    throw new WispError(
      'WISP_ERR_SOURCE',
      `${sentence}: those of ${pictures[0]} would be in ${files[0]}.`,
    );
  }
  /** @type {Annotation[]} */
  const annotations = [];
  let highest = { label: -1, where: '' };
  for (const [image, text] of texts.entries()) {
    for (const { label, box, line, polygon } of rowsOf(text ?? '', files[image])) {
      const where = `${files[image]}, line ${line}`;
      if (label > highest.label) highest = { label, where };
      const ids = { id: annotations.length + 1, image_id: image, category_id: label };
      const segmentation = polygon && [polygon];
      annotations.push({ ...ids, bbox: box, area: box[2] * box[3], iscrowd: 0, segmentation });
    }
  }
  if (names) requireClass(highest, names, place);
  const images = whole.map((file_name, id) => ({ id, file_name }));
  const categories = (names ?? []).map((name, id) => ({ id, name }));
  const truth = { images, annotations, categories };
  return { truth, place, folder: '', isNormalised: true, numbered: names ? undefined : highest };
}

/**
 * @param {import('./labels.js').Highest} highest
 * @param {string[]} classes
 * @param {string} of which they are
 */
export function requireClass({ label, where }, classes, of) {
  if (label < classes.length) return;
  const last = classes.length - 1;
  const sentence = `${where}: there is no class ${label}; ${of} has 0 to ${last} (${classes[last]}).`;
  throw new WispError('WISP_ERR_FORMAT', sentence);
}

/**
 * The path with one folder's name in place of another's, where it stands last.
 * @param {string} file
 * @param {string} from
 * @param {string} to
 * @returns {string | null} null where it doesn't stand there
 */
export function swapped(file, from, to) {
  const name = `${path.sep}${from}${path.sep}`;
  const at = file.lastIndexOf(name);
  if (at < 0) return null;
  return `${file.slice(0, at)}${path.sep}${to}${path.sep}${file.slice(at + name.length)}`;
}

/** @param {string} file */
const asText = (file) => file.slice(0, file.length - path.extname(file).length).concat('.txt');

/** As YOLOv5: in labels/ for images/, else beside the picture. @param {string} picture */
const besides = (picture) => asText(swapped(picture, 'images', 'labels') ?? picture);

/** @param {string} picture @param {string} folder of it @param {string} labels */
const mirrored = (picture, folder, labels) =>
  path.join(labels, asText(path.relative(folder, picture)));

/** @param {string[]} files @returns {Promise<(string | null)[]>} null where there is none */
async function readAll(files) {
  const texts = [];
  for (let i = 0; i < files.length; i += TOGETHER)
    texts.push(...(await Promise.all(files.slice(i, i + TOGETHER).map(readText))));
  return texts;
}

/** @param {string} file */
async function readText(file) {
  try {
    return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (cause) {
    if (Reflect.get(Object(cause), 'code') === 'ENOENT') return null;
    throw fileError(file, cause);
  }
}

/** One line twice is one box, as in YOLOv5. @param {string} text @param {string} file @returns {Row[]} */
function rowsOf(text, file) {
  /** @type {Map<string, Row>} */
  const rows = new Map();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const row = rowOf(line.trim().split(/\s+/), i + 1, file);
    rows.set(`${row.label} ${row.box}`, rows.get(`${row.label} ${row.box}`) ?? row);
  }
  return [...rows.values()];
}

/** @param {string[]} words @param {number} line @param {string} file @returns {Row} */
function rowOf(words, line, file) {
  const refuse = (/** @type {string} */ why) =>
    new WispError('WISP_ERR_FORMAT', `${file}, line ${line}: ${why}.`);
  const stranger = words.find((word) => !NUMBER.test(word));
  if (stranger !== undefined) throw refuse(`${JSON.stringify(stranger.slice(0, 40))} is no number`);
  const [label, ...numbers] = words.map(Number);
  if (!Number.isInteger(label) || label < 0)
    throw refuse(`the class is ${words[0]}, and not a whole number from 0`);
  const isSegment = numbers.length >= 6 && numbers.length % 2 === 0;
  if (numbers.length !== 4 && !isSegment)
    throw refuse(`it has ${words.length} numbers, and not a class and x y width height or points`);
  const [x, y, width, height] = isSegment ? around(numbers) : numbers;
  const outside = [x, y, width, height].find((share) => !(share >= 0 && share <= 1));
  if (outside !== undefined)
    throw refuse(`${outside} is not from 0 to 1; numbers are shares of the picture's size`);
  const polygon = isSegment ? numbers : undefined;
  return { label, box: [x - width / 2, y - height / 2, width, height], line, polygon };
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** @param {number[]} points x and y in turn @returns {number[]} centre and size of the box around them */
function around(points) {
  const ends = [0, 1].map((axis) => {
    const values = points.filter((_, i) => i % 2 === axis);
    return [Math.min(...values), Math.max(...values)];
  });
  const [[left, right], [top, bottom]] = ends;
  return [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top];
}
