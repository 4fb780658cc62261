// How well a model finds codes in real pictures, and how many are read from its boxes:
//   node tests/demo/codes-full.js MODEL.wisp
// The pictures are WISP_DATA/codes, a folder for each class; zxing-wasm reads each whole, boxes as the
// demo does, and CodeReader each picture.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CodeReader } from '../../web/src/code-reader-node.js';
import { readCode } from '../../web/src/code-reading.js';
import { Detector } from '../../web/src/index.js';
import { decodeImage } from '../../web/src/reading/read-node.js';
import { dataPath, without } from '../support/test-data.js';
import { decoder } from './code-pictures.js';

const CONFIDENCE = 0.25;
const NONE = 'none'; // the folder of pictures without a code
const SEVERAL = 'multi'; // of pictures with codes of several classes
const FULL = 0.7; // share of the picture that a code has which fills it, as the decoder places it

/**
 * @typedef {object} Line
 * @property {number} pictures
 * @property {number} found with the right class
 * @property {number} full pictures that a code fills
 * @property {number} fullFound
 * @property {number} boxes
 * @property {number} whole pictures that the decoder reads
 * @property {number} crops pictures of which it reads a box
 * @property {number} reader pictures of which CodeReader reads a code
 * @property {string[]} lost
 */

const [model] = process.argv.slice(2);
const folder = dataPath('codes');
if (!model || without('codes')) {
  console.error(
    'node tests/demo/codes-full.js MODEL.wisp, with WISP_DATA naming a folder that has codes/',
  );
  process.exit(2);
}
const detector = await Detector.open(model);
const reader = await CodeReader.open({ detector });
const decode = await decoder();
/** @type {Record<string, Line>} */
const lines = {};
for (const name of readdirSync(folder)) {
  const counts = {
    pictures: 0,
    found: 0,
    full: 0,
    fullFound: 0,
    boxes: 0,
    whole: 0,
    crops: 0,
    reader: 0,
  };
  const line = { ...counts, lost: [] };
  lines[name] = line;
  for (const file of readdirSync(path.join(folder, name))) {
    if (!file.endsWith('.txt')) await examine(path.join(folder, name, file), name, line);
  }
}
await detector.close();
console.table(lines, [
  'pictures',
  'found',
  'full',
  'fullFound',
  'boxes',
  'whole',
  'crops',
  'reader',
]);
const coded = Object.entries(lines).filter(([name]) => name !== NONE);
const sum = (/** @type {Exclude<keyof Line, 'lost'>} */ key) =>
  coded.reduce((total, [, line]) => total + line[key], 0);
console.log(
  `${sum('found')} of ${sum('pictures')} pictures found with the right class at confidence ${CONFIDENCE}; ` +
    `${lines[NONE]?.boxes ?? 0} boxes where there is no code; ` +
    `${sum('crops')} read from boxes, ${sum('whole')} from whole pictures, ${sum('reader')} by CodeReader; ` +
    `${sum('fullFound')} found of ${sum('full')} that a code fills`,
);
for (const [name, { lost }] of coded)
  for (const file of lost) console.log(`not found: ${name}/${file}`);

/** @param {string} file @param {string} name of the class @param {Line} line */
async function examine(file, name, line) {
  const picture = await decodeImage(new Uint8Array(readFileSync(file)));
  const { boxes } = await detector.detect(picture, { confidence: CONFIDENCE });
  line.pictures++;
  line.boxes += boxes.length;
  const isFound = boxes.some((box) => box.name === name || (name === SEVERAL && boxes.length > 0));
  if (isFound) line.found++;
  else line.lost.push(path.basename(file));
  const whole = (await decode(picture, /** @type {any} */ ({ textMode: 'Plain' }))).filter(
    ({ isValid }) => isValid,
  );
  if (whole.length > 0) line.whole++;
  if (whole.some(({ position }) => shareOf(position, picture) >= FULL)) {
    line.full++;
    if (isFound) line.fullFound++;
  }
  const { codes } = await reader.read(picture, { confidence: CONFIDENCE });
  if (codes.some(({ readable }) => readable)) line.reader++;
  for (const box of boxes) {
    if (!(await readCode(decode, picture, box))) continue;
    line.crops++;
    break;
  }
}

/**
 * The part of the picture in the upright box around a code.
 * @param {import("zxing-wasm/reader").Position} position its corners
 * @param {{width: number, height: number}} picture
 */
function shareOf(position, { width, height }) {
  const corners = Object.values(position);
  const reach = (/** @type {'x' | 'y'} */ axis) => {
    const places = corners.map((corner) => corner[axis]);
    return Math.max(...places) - Math.min(...places);
  };
  return (reach('x') * reach('y')) / (width * height);
}
