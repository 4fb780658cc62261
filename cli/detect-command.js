// wisp detect: pictures in, boxes out as JSON, a line for each picture.

import { Command } from 'commander';
import { Detector, WispError } from '../web/src/index.js';
import { fraction, list, size, whole } from './arguments.js';

/**
 * @typedef {object} Options
 * @property {number} confidence
 * @property {number} iou
 * @property {number} maxDetections
 * @property {string[]} [classes]
 * @property {boolean} [classAgnostic]
 * @property {boolean} [multiLabel]
 * @property {{height: number, width: number}} [size]
 * @property {number} [threads]
 */

export function detectCommand() {
  return new Command('detect')
    .summary('find objects in pictures')
    .description(
      'Finds objects and prints them as JSON Lines: for each picture one line\n' +
        '  {"file", "width", "height", "boxes": [{"x", "y", "width", "height", "score", "label", "name"}], "times"}\n' +
        'in pixels of the picture and milliseconds. A picture that cannot be read is reported and the others go on.',
    )
    .argument('<model.wisp>')
    .argument('<picture...>', 'JPEG, PNG or WebP files, or addresses; - is standard input')
    .option('--confidence <share>', 'boxes score above it, 0 to 1', fraction, 0.25)
    .option('--iou <share>', 'boxes of one class overlap by at most this, 0 to 1', fraction, 0.45)
    .option('--max-detections <n>', 'boxes in a picture', whole(30000), 300)
    .option('--classes <names>', 'only these, by name or number, e.g. person,car', list)
    .option('--class-agnostic', 'let boxes suppress those of other classes')
    .option('--multi-label', 'a box for each class that scores, not only the best')
    .option(
      '--size <size>',
      "of the network's input, e.g. 640 or 384x640; default: the model's",
      size,
    )
    .option('--threads <n>', 'default: all cores but one, at most 8', whole(64))
    .addHelpText(
      'after',
      `
Examples:
  wisp detect best.wisp street.jpg
  wisp detect best.wisp *.jpg --classes person,car --confidence 0.5 > boxes.jsonl
  curl -s https://example.com/cat.jpg | wisp detect best.wisp - | jq '.boxes[].name'`,
    )
    .action(run);
}

/** @param {string} model @param {string[]} pictures @param {Options} options */
async function run(model, pictures, { size: input, threads, classes, ...options }) {
  const detector = await Detector.open(model, { size: input, threads });
  try {
    const wanted = classes?.map((name) => labelOf(name, detector.info.classes));
    for (const file of pictures) {
      try {
        const source = file === '-' ? await standardInput() : file;
        const result = await detector.detect(source, { ...options, classes: wanted });
        const { width, height, boxes, times } = result;
        await print(JSON.stringify({ file, width, height, boxes, times: rounded(times) }));
      } catch (error) {
        if (!(error instanceof WispError) || !OF_THE_PICTURE.includes(error.code)) throw error;
        console.error(`wisp: ${error.message} [${error.code}]`);
        process.exitCode = 1;
      }
    }
  } finally {
    await detector.close();
  }
}

/** The others can do without it. */
const OF_THE_PICTURE = ['WISP_ERR_SOURCE', 'WISP_ERR_FETCH'];

/** A number is the index of a class, unless a class is called so. @param {string} name @param {string[]} classes */
const labelOf = (name, classes) =>
  /^\d+$/.test(name) && !classes.includes(name) ? Number(name) : name;

async function standardInput() {
  const parts = [];
  for await (const part of process.stdin) parts.push(part);
  return Buffer.concat(parts);
}

/** To the microsecond. @param {import('../web/src/engine.js').Times} times */
function rounded(times) {
  return Object.fromEntries(Object.entries(times).map(([key, ms]) => [key, Number(ms.toFixed(3))]));
}

/** Waits for a slow reader. @param {string} line @returns {Promise<void>} */
function print(line) {
  return new Promise((resolve) => {
    process.stdout.write(`${line}\n`, () => resolve());
  });
}
