// What a model finds in labelled pictures, ready to be compared with the labels.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { WispError } from '../web/src/index.js';
import { isOfPicture } from '../web/src/picture/picture-fault.js';
import { only } from './labels/coco-labels.js';
import { requireClass } from './labels/yolo-labels.js';
import { maskOf } from './masks/polygon.js';
import { areaOf } from './masks/run-lengths.js';
import { Progress } from './progress.js';

/**
 * @typedef {import('./coco.js').GroundTruth} GroundTruth
 * @typedef {import('./coco.js').Result} Result
 * @typedef {import('../web/src/wasm/boxes.js').Box} Box
 * @typedef {import('./labels/labels.js').Labels} Labels
 * @typedef {{boxes: Box[], width: number, height: number}} Found in a picture of this size
 * @typedef {{detect: (file: string) => Promise<Found>, classes: string[], masks?: boolean}} Judged masks: whether those
 *   of boxes and labels are wanted
 */

/**
 * @param {Judged} judged
 * @param {Labels} labels
 * @returns {Promise<{results: Result[], truth: GroundTruth}>} truth: of the pictures that could be read and of the
 *   classes that the model has
 */
export async function judge(judged, labels) {
  const { place, folder, isNormalised } = labels;
  const { truth, categories } = matched(judged.classes, labels);
  const pathOf = (/** @type {GroundTruth['images'][number]} */ image) =>
    path.join(folder, image.file_name);
  const present = truth.images.filter((image) => existsSync(pathOf(image)));
  const missing = truth.images.length - present.length;
  if (present.length === 0) {
    const sentence = `${place} has none of the ${truth.images.length} pictures of the labels.`;
    throw new WispError('WISP_ERR_SOURCE', sentence);
  }
  const progress = new Progress('detecting', present.length);
  if (missing > 0)
    progress.warn(
      `${place} lacks ${missing} of the ${truth.images.length} pictures; they don't count.`,
    );
  /** @type {Result[]} */
  const results = [];
  /** @type {Map<number, Found>} */
  const seen = new Map();
  for (const image of present) {
    const found = await boxesIn(judged, pathOf(image), progress);
    progress.step();
    if (found === null) continue;
    seen.set(image.id, found);
    results.push(...resultsOf(image.id, found, categories));
  }
  progress.end();
  const left = only(
    truth,
    present.filter(({ id }) => seen.has(id)),
  );
  const counted = known(isNormalised ? inPixels(left, seen) : left, categories);
  return { results, truth: judged.masks ? withMasks(counted, seen, labels) : counted };
}

/**
 * The labels' pixels. YOLO's tell no area, so it is theirs.
 * @param {GroundTruth} truth
 * @param {Map<number, Found>} seen
 * @param {Labels} labels
 * @returns {GroundTruth}
 */
function withMasks(truth, seen, { place, isNormalised }) {
  const annotations = truth.annotations.map((one) => {
    const { segmentation, area } = one;
    if (!segmentation)
      throw new WispError('WISP_ERR_ARGUMENT', `A label of ${place} has no polygon for --masks.`);
    const counts = maskOf(segmentation, /** @type {Found} */ (seen.get(one.image_id)));
    return { ...one, mask: { counts }, area: isNormalised ? areaOf(counts) : area };
  });
  return { ...truth, annotations };
}

/** @param {number} image @param {Found} found @param {(number | null)[]} categories @returns {Result[]} */
function resultsOf(image, { boxes }, categories) {
  return boxes.flatMap(({ x, y, width, height, score, label, mask }) => {
    const category = categories[label];
    if (category === null) return [];
    /** @type {Result} */
    const result = { image_id: image, category_id: category, bbox: [x, y, width, height], score };
    return [mask && 'counts' in mask ? { ...result, mask } : result];
  });
}

/** @param {GroundTruth} truth in shares of the pictures @param {Map<number, Found>} seen @returns {GroundTruth} */
function inPixels(truth, seen) {
  const annotations = truth.annotations.map((one) => {
    const { width, height } = /** @type {Found} */ (seen.get(one.image_id));
    const [x, y, w, h] = one.bbox;
    /** @type {import('./coco.js').Bbox} */
    const bbox = [x * width, y * height, w * width, h * height];
    const segmentation =
      Array.isArray(one.segmentation) &&
      one.segmentation.map((points) => points.map((v, i) => v * (i % 2 ? height : width)));
    return { ...one, bbox, area: bbox[2] * bbox[3], segmentation: segmentation || undefined };
  });
  return { ...truth, annotations };
}

/**
 * The labels, and the category of each class of the model; null: none.
 * @param {string[]} classes
 * @param {Labels} labels
 * @returns {{truth: GroundTruth, categories: (number | null)[]}}
 */
function matched(classes, { truth, numbered, place, isNormalised }) {
  if (!numbered) {
    if (isNormalised) tellOfOrder(classes, truth, place);
    return { truth, categories: categoriesOf(classes, truth) };
  }
  requireClass(numbered, classes, 'the model');
  const categories = classes.map((name, id) => ({ id, name }));
  return { truth: { ...truth, categories }, categories: classes.map((_, id) => id) };
}

/**
 * YOLO's tools take a class by its number; where that is another class here, people should know.
 * @param {string[]} classes
 * @param {GroundTruth} truth
 * @param {string} place
 */
function tellOfOrder(classes, { categories }, place) {
  const at = classes.findIndex((name, i) => categories[i] && categories[i].name !== name);
  const isShared = categories.some(({ name }) => classes.includes(name));
  if (at < 0 || !isShared) return;
  console.error(
    `wisp: class ${at} is ${categories[at].name} in ${place} and ${classes[at]} in the model: ` +
      'they go together by name.',
  );
}

/**
 * The labels of these categories: a model that was cut to some classes is not blamed for the others.
 * @param {GroundTruth} truth
 * @param {(number | null)[]} categories
 * @returns {GroundTruth}
 */
function known(truth, categories) {
  const ids = new Set(categories);
  const left = truth.categories.filter(({ id }) => !ids.has(id)).length;
  if (left === 0) return truth;
  const those = left === 1 ? 'One category' : `${left} categories`;
  console.error(`wisp: ${those} of the labels the model doesn't have; that doesn't count.`);
  return {
    ...truth,
    categories: truth.categories.filter(({ id }) => ids.has(id)),
    annotations: truth.annotations.filter((one) => ids.has(one.category_id)),
  };
}

/**
 * @param {Judged} judged
 * @param {string} file
 * @param {Progress} progress
 * @returns {Promise<Found | null>} null if the picture can't be read
 */
async function boxesIn(judged, file, progress) {
  try {
    return await judged.detect(file);
  } catch (error) {
    if (!isOfPicture(error)) throw error;
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
