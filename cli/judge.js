// What a model finds in labelled pictures, ready to be compared with the labels.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { WispError } from '../web/src/index.js';
import { fileError } from './files.js';
import { Progress } from './progress.js';

/**
 * @typedef {import('./coco.js').GroundTruth} GroundTruth
 * @typedef {import('./coco.js').Result} Result
 * @typedef {import('../web/src/wasm/boxes.js').Box} Box
 * @typedef {{detect: (file: string) => Promise<{boxes: Box[]}>, classes: string[]}} Judged
 */

/**
 * @param {string} labels a file of COCO labels
 * @param {number} [limit] only the first so many pictures
 * @returns {Promise<GroundTruth>}
 */
export async function readLabels(labels, limit = Number.POSITIVE_INFINITY) {
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
 * @param {string} data the folder of the pictures
 * @returns {Promise<{results: Result[], truth: GroundTruth}>} truth: of the pictures that could be read and of the
 *   classes that the model has
 */
export async function judge(judged, labels, data) {
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
  return { results, truth: known(only(labels, seen), categories) };
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
