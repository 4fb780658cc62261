// wisp val: precision, recall and COCO's twelve figures of a model on labelled pictures.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { Detector, WispError } from '../web/src/index.js';
import { Press } from '../web/src/press.js';
import { fraction, size, whole } from './arguments.js';
import { evaluate, summary } from './coco.js';
import { fileError, requireWritable, writeWhole } from './files.js';
import { precisionAndRecall } from './precision.js';
import { Progress } from './progress.js';

/**
 * @typedef {import('./coco.js').GroundTruth} GroundTruth
 * @typedef {import('./coco.js').Result} Result
 * @typedef {import('../web/src/engine.js').Box} Box
 * @typedef {{detect: (file: string) => Promise<{boxes: Box[]}>, classes: string[], close: () => Promise<void>}} Judged
 *
 * @typedef {object} Options
 * @property {string} data
 * @property {string} labels
 * @property {boolean} [float]
 * @property {string} [json]
 * @property {number} [limit]
 * @property {number} confidence
 * @property {number} iou
 * @property {number} maxDetections
 * @property {{height: number, width: number}} [size]
 * @property {number} [threads]
 */

export function valCommand() {
  return new Command('val')
    .summary('measure a model on labelled pictures')
    .description(
      "Measures precision and recall as YOLOv5's val does, and the twelve figures of COCO as pycocotools does.\n" +
        'Classes and categories go together by name.',
    )
    .argument('<model>', 'a .wisp file; with --float an ONNX file')
    .requiredOption('--data <folder>', 'of the pictures')
    .requiredOption('--labels <file>', 'COCO labels of them: instances_….json')
    .option('--float', 'run an ONNX file in float, as the press sees it')
    .option('--json <file>', 'write the boxes in the COCO result format')
    .option('--limit <n>', 'only the first n pictures', whole(1e9))
    .option('--confidence <share>', 'boxes score above it, 0 to 1', fraction, 0.001)
    .option('--iou <share>', 'boxes of one class overlap by at most this, 0 to 1', fraction, 0.6)
    .option('--max-detections <n>', 'boxes in a picture', whole(30000), 300)
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
  wisp val best.wisp --data val2017/ --labels instances_val2017.json
  wisp val best.onnx --float --data val2017/ --labels instances_val2017.json --json boxes.json`,
    )
    .action(run);
}

/** @param {string} model @param {Options} options */
async function run(model, options) {
  const isOnnx = /\.onnx$/i.test(model);
  if (isOnnx !== Boolean(options.float)) {
    const advice = isOnnx
      ? 'press it first, or add --float'
      : 'leave --float out, or name the ONNX file';
    throw new WispError(
      'WISP_ERR_ARGUMENT',
      `${model} ${isOnnx ? 'is' : 'is not'} an ONNX file: ${advice}.`,
    );
  }
  if (options.json) requireWritable(options.json);
  const labels = await readLabels(options);
  const judged = isOnnx ? await openFloat(model, options) : await openIntegers(model, options);
  try {
    const { results, truth } = await detectAll(judged, labels, options);
    report(truth, results);
    if (options.json) writeWhole(options.json, JSON.stringify(results));
  } finally {
    await judged.close();
  }
}

/** @param {Options} options */
const detection = ({ confidence, iou, maxDetections }) => ({
  confidence,
  iou,
  maxDetections,
  multiLabel: true,
});

/** @param {string} model @param {Options} options @returns {Promise<Judged>} */
async function openIntegers(model, options) {
  const detector = await Detector.open(model, { size: options.size, threads: options.threads });
  return {
    detect: (file) => detector.detect(file, detection(options)),
    classes: detector.info.classes,
    close: () => detector.close(),
  };
}

/** @param {string} model @param {Options} options @returns {Promise<Judged>} */
async function openFloat(model, options) {
  const press = await Press.open(model, { size: options.size, threads: options.threads });
  return {
    detect: (file) => press.detect(file, detection(options)),
    classes: press.info.classes,
    close: () => press.close(),
  };
}

/** @param {Options} options @returns {Promise<GroundTruth>} */
async function readLabels({ labels, limit = Number.POSITIVE_INFINITY }) {
  const text = await readFile(labels, 'utf8').catch((cause) => {
    throw fileError(labels, cause);
  });
  /** @type {GroundTruth} */
  let truth;
  try {
    truth = JSON.parse(text);
  } catch (cause) {
    throw new WispError('WISP_ERR_FORMAT', `${labels} is not JSON.`, { cause });
  }
  const parts = [truth?.images, truth?.annotations, truth?.categories];
  if (!parts.every(Array.isArray)) {
    const sentence = `${labels} has no images, annotations and categories; it takes COCO's instances_….json.`;
    throw new WispError('WISP_ERR_FORMAT', sentence);
  }
  return only(truth, truth.images.slice(0, limit));
}

/**
 * The labels of these images.
 * @param {GroundTruth} truth
 * @param {GroundTruth['images']} images
 * @returns {GroundTruth}
 */
function only(truth, images) {
  const ids = new Set(images.map(({ id }) => id));
  return {
    ...truth,
    images,
    annotations: truth.annotations.filter((one) => ids.has(one.image_id)),
  };
}

/**
 * @param {Judged} judged
 * @param {GroundTruth} labels
 * @param {Options} options
 * @returns {Promise<{results: Result[], truth: GroundTruth}>} truth: of the pictures that could be read
 */
async function detectAll(judged, labels, { data }) {
  const categories = categoriesOf(judged.classes, labels);
  const present = labels.images.filter(({ file_name }) => existsSync(path.join(data, file_name)));
  const missing = labels.images.length - present.length;
  if (present.length === 0) {
    const sentence = `${data} has none of the ${labels.images.length} pictures of the labels.`;
    throw new WispError('WISP_ERR_SOURCE', sentence);
  }
  const progress = new Progress('detecting', present.length);
  if (missing > 0)
    progress.warn(
      `${data} lacks ${missing} of the ${labels.images.length} pictures; they don't count.`,
    );
  /** @type {Result[]} */
  const results = [];
  const seen = [];
  for (const image of present) {
    const boxes = await boxesIn(judged, path.join(data, image.file_name), progress);
    progress.step();
    if (boxes === null) continue;
    seen.push(image);
    for (const { x, y, width, height, score, label } of boxes) {
      const category = categories[label];
      if (category === null) continue;
      results.push({
        image_id: image.id,
        category_id: category,
        bbox: [x, y, width, height],
        score,
      });
    }
  }
  progress.end();
  return { results, truth: only(labels, seen) };
}

/**
 * @param {Judged} judged
 * @param {string} file
 * @param {Progress} progress
 * @returns {Promise<Box[] | null>} null if the picture can't be read
 */
async function boxesIn(judged, file, progress) {
  try {
    return (await judged.detect(file)).boxes;
  } catch (error) {
    if (!(error instanceof WispError) || error.code !== 'WISP_ERR_SOURCE') throw error;
    progress.warn(`${error.message} It doesn't count.`);
    return null;
  }
}

/**
 * @param {string[]} classes
 * @param {GroundTruth} labels
 * @returns {(number | null)[]} the category of each class; null: none
 */
function categoriesOf(classes, { categories }) {
  const byName = new Map(categories.map(({ id, name }) => [name, id]));
  const found = classes.map((name) => byName.get(name) ?? null);
  const strangers = classes.filter((name) => !byName.has(name));
  if (strangers.length === 0) return found;
  if (strangers.length < classes.length) {
    console.error(
      `wisp: ${strangers.join(', ')}: not among the categories of the labels, so left out.`,
    );
    return found;
  }
  if (classes.length !== categories.length) {
    const [some, others] = [classes.slice(0, 3), categories.slice(0, 3).map(({ name }) => name)];
    const sentence = `No class of the model (${some.join(', ')}…) is a category of the labels (${others.join(', ')}…).`;
    throw new WispError('WISP_ERR_ARGUMENT', sentence);
  }
  console.error(
    `wisp: no class is called as a category (${classes[0]}…), so they go together in order.`,
  );
  return categories.map(({ id }) => id).sort((a, b) => a - b);
}

/** @param {GroundTruth} truth @param {Result[]} results */
function report(truth, results) {
  const { precision, recall, confidence } = precisionAndRecall(truth, results);
  const { images, annotations } = truth;
  console.log(
    [
      `pictures ${images.length}, labels ${annotations.length}, boxes ${results.length}`,
      `P ${precision.toFixed(4)}, R ${recall.toFixed(4)} at IoU 0.5 and confidence ${confidence.toFixed(3)}`,
      ...summary(evaluate(truth, results)),
    ].join('\n'),
  );
}
