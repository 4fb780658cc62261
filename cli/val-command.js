// wisp val: precision, recall and COCO's twelve figures of a model on labelled pictures.

import { Command, Option } from 'commander';
import { download } from '../web/src/bytes/download.js';
import { mayBeWisp } from '../web/src/bytes/magic.js';
import { Detector, WispError } from '../web/src/index.js';
import { Press } from '../web/src/press.js';
import { detecting, whole } from './arguments.js';
import { evaluate, MASKS, summary } from './coco.js';
import { requireWritable, writeWhole } from './files.js';
import { judge } from './judge.js';
import { labelled, readLabels } from './labels/labels.js';
import { textOf } from './masks/run-lengths.js';
import { precisionAndRecall } from './precision.js';
import { isModelName } from './zoo/list.js';

/**
 * @typedef {import('./coco.js').GroundTruth} GroundTruth
 * @typedef {import('./coco.js').Result} Result
 *
 * @typedef {object} Options
 * @property {string} [data]
 * @property {string} [labels]
 * @property {import('./labels/data-yaml.js').Split} [split]
 * @property {boolean} [float]
 * @property {string} [json]
 * @property {number} [limit]
 * @property {'square' | 'rect' | 'both'} shape
 * @property {import('../web/src/index.js').DetectOptions['tiles']} [tiles]
 * @property {boolean} [masks]
 * @property {number} confidence
 * @property {number} iou
 * @property {number} maxDetections
 * @property {string} [background]
 * @property {number} [maxPixels]
 * @property {{height: number, width: number}} [size]
 * @property {number} [threads]
 */

export function valCommand() {
  const command = labelled(new Command('val'))
    .summary('measure a model on labelled pictures')
    .description(
      "Measures precision and recall as YOLOv5's val does, and the twelve figures of COCO as pycocotools does.\n" +
        "Classes and categories go together by name; those of YOLO's .txt files without a data.yaml by number.",
    )
    .argument('<model>', 'a .wisp file; with --float a file that the press reads')
    .option('--float', 'run a .pt, .onnx or .tflite file in float, as the press sees it')
    .option('--json <file>', 'write the boxes in the COCO result format')
    .option('--masks', 'of a model that segments: its masks too, where the labels have polygons')
    .option('--limit <n>', 'only the first n pictures', whole(1e9))
    .addOption(
      new Option(
        '--shape <shape>',
        "square: all of the input, the reference; rect: what the picture needs of it, as detect's default",
      )
        .choices(['square', 'rect', 'both'])
        .default('square'),
    )
    .addHelpText(
      'after',
      `
Examples:
  wisp val best.wisp --data val2017/ --labels instances_val2017.json
  wisp val best.wisp --data data.yaml
  wisp val best.wisp --data images/val/ --labels labels/val/
  wisp val best.onnx --float --data val2017/ --labels instances_val2017.json --json boxes.json`,
    )
    .action(run);
  return detecting(command, { confidence: 0.001, iou: 0.6 });
}

/** @param {string} model @param {Options} options */
async function run(model, options) {
  const isFloat = Boolean(options.float);
  const isPressed = isModelName(model) || (await isWisp(model));
  if (isPressed && isFloat) throw wrong(`${model} is pressed already: leave --float out.`);
  if (!isPressed && !isFloat)
    throw wrong(`${model} is no .wisp file: press it first, or add --float.`);
  if (options.json) requireWritable(options.json);
  if (isFloat && options.shape !== 'square') throw wrong('A float network is always run square.');
  if (isFloat && options.tiles)
    throw wrong('A float network is shown whole pictures only: leave --tiles out.');
  const both = options.shape === 'both';
  if (both && options.json) throw wrong('--json takes the boxes of one shape: square or rect.');
  const labels = await readLabels(options, options.limit);
  if (!labels)
    throw wrong('Name labelled pictures: --data images/ --labels …, or --data data.yaml.');
  const opened = isFloat ? await openFloat(model, options) : await openIntegers(model, options);
  try {
    for (const rect of both ? [false, true] : [options.shape === 'rect']) {
      const detect = (/** @type {string} */ file) => opened.detect(file, rect);
      const judged = { detect, classes: opened.classes, masks: options.masks };
      const { results, truth } = await judge(judged, labels);
      report(truth, results, `${rect ? 'rect' : 'square'}${tilesIn(options)}`);
      if (options.masks)
        console.log(['masks', ...summary(evaluate(truth, results, MASKS))].join('\n'));
      if (options.json) writeWhole(options.json, JSON.stringify(results.map(asCoco)));
    }
  } finally {
    await opened.close();
  }
}

/** By its first bytes. @param {string} model a path or an address */
async function isWisp(model) {
  const { pieces } = await download(model);
  for await (const piece of pieces) return mayBeWisp(piece);
  return true; // empty, which Detector.open says
}

/** @param {string} sentence */
const wrong = (sentence) => new WispError('WISP_ERR_ARGUMENT', sentence);

/** @param {Result} result */
const asCoco = ({ mask, ...result }) =>
  mask ? { ...result, segmentation: { size: mask.size, counts: textOf(mask.counts) } } : result;

/** @param {Options} options */
const tilesIn = ({ tiles }) =>
  typeof tiles === 'object'
    ? `, tiles ${tiles.columns}x${tiles.rows}`
    : tiles
      ? `, tiles ${tiles}`
      : '';

/** @param {Options} options */
const detection = ({ confidence, iou, maxDetections, tiles, background, maxPixels, masks }) => ({
  ...{ confidence, iou, maxDetections, tiles, background, maxPixels },
  multiLabel: true,
  masks: /** @type {'rle' | 'none'} */ (masks ? 'rle' : 'none'),
});

/**
 * @typedef {object} Open
 * @property {(file: string, rect: boolean) => Promise<any>} detect
 * @property {string[]} classes
 * @property {() => Promise<void>} close
 */

/** @param {string} model @param {Options} options @returns {Promise<Open>} */
async function openIntegers(model, options) {
  const detector = await Detector.open(model, { size: options.size, threads: options.threads });
  return {
    detect: (file, rect) => detector.detect(file, { ...detection(options), rect }),
    classes: detector.info.classes,
    close: () => detector.close(),
  };
}

/** @param {string} model @param {Options} options @returns {Promise<Open>} */
async function openFloat(model, options) {
  const press = await Press.open(model, { size: options.size, threads: options.threads });
  return {
    detect: (file) => press.detect(file, detection(options)),
    classes: press.info.classes,
    close: () => press.close(),
  };
}

/** @param {GroundTruth} truth @param {Result[]} results @param {string} shape */
function report(truth, results, shape) {
  const { precision, recall, confidence } = precisionAndRecall(truth, results);
  const { images, annotations } = truth;
  console.log(
    [
      `pictures ${images.length}, labels ${annotations.length}, boxes ${results.length}, input ${shape}`,
      `P ${precision.toFixed(4)}, R ${recall.toFixed(4)} at IoU 0.5 and confidence ${confidence.toFixed(3)}`,
      ...summary(evaluate(truth, results)),
    ].join('\n'),
  );
}
