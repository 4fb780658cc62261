// Labels as COCO has them: one JSON file for all pictures.

import { readFile } from 'node:fs/promises';
import { WispError } from '../../web/src/index.js';
import { fileError } from '../files.js';

/** @typedef {import('../coco.js').GroundTruth} GroundTruth */

/**
 * @param {string} file
 * @param {number} limit only the first so many pictures
 * @returns {Promise<{truth: GroundTruth}>}
 */
export async function readCocoLabels(file, limit) {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw fileError(file, cause);
  });
  /** @type {GroundTruth} */
  let truth;
  try {
    truth = JSON.parse(text);
  } catch (cause) {
    const sentence = `${file} is not JSON: --labels takes COCO's instances_….json, or a folder of YOLO's .txt files.`;
    throw new WispError('WISP_ERR_FORMAT', sentence, { cause });
  }
  const parts = [truth?.images, truth?.annotations, truth?.categories];
  if (!parts.every(Array.isArray)) {
    const sentence = `${file} has no images, annotations and categories; --labels takes COCO's instances_….json.`;
    throw new WispError('WISP_ERR_FORMAT', sentence);
  }
  return { truth: only(truth, truth.images.slice(0, limit)) };
}

/**
 * The labels of these images.
 * @param {GroundTruth} truth
 * @param {GroundTruth['images']} images
 * @returns {GroundTruth}
 */
export function only(truth, images) {
  const ids = new Set(images.map(({ id }) => id));
  return {
    ...truth,
    images,
    annotations: truth.annotations.filter((one) => ids.has(one.image_id)),
  };
}
