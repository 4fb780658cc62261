// Labelled pictures, however they are labelled: by COCO's JSON, YOLO's text files or a data.yaml that leads to these.

import { statSync } from 'node:fs';
import path from 'node:path';
import { Option } from 'commander';
import { WispError } from '../../web/src/index.js';
import { findPictures, requireThere } from '../files.js';
import { readCocoLabels } from './coco-labels.js';
import { readDataYaml, SPLITS } from './data-yaml.js';
import { readYoloLabels, swapped } from './yolo-labels.js';

/**
 * @typedef {import('../coco.js').GroundTruth} GroundTruth
 *
 * @typedef {object} Places
 * @property {string} [data]
 * @property {string} [labels]
 * @property {import('./data-yaml.js').Split} [split]
 *
 * @typedef {object} Labels
 * @property {GroundTruth} truth
 * @property {string} place of the pictures, for sentences
 * @property {string} folder that the names of the pictures start from; '' where they are whole paths
 * @property {boolean} [isNormalised] boxes are shares of the picture's width and height, not pixels
 * @property {Highest} [numbered] the categories are the model's classes, and this is the highest number of one
 *
 * @typedef {{label: number, where: string}} Highest a class by its number, and the line it stands in
 */

/** @param {import('commander').Command} command */
export function labelled(command) {
  return command
    .option('--data <place>', "of labelled pictures: a folder, or YOLO's data.yaml")
    .option(
      '--labels <place>',
      "of them: COCO's instances_….json, or a folder of YOLO's .txt files; default: labels/ beside images/",
    )
    .addOption(new Option('--split <name>', 'of a data.yaml').choices([...SPLITS]).default('val'));
}

/**
 * @param {Places} places
 * @param {number} [limit] only the first so many pictures
 * @returns {Promise<Labels | null>} null where nothing is named
 */
export async function readLabels(places, limit = Number.POSITIVE_INFINITY) {
  const { data, labels, split = 'val' } = places;
  if (data === undefined && labels === undefined) return null;
  if (data !== undefined && /\.ya?ml$/i.test(data)) {
    if (labels !== undefined)
      throw wrong(
        `${data} leads to its labels itself: leave --labels out, or name a folder with --data.`,
      );
    const { pictures, names } = await readDataYaml(data, split);
    return readYoloLabels({ place: data, pictures: pictures.slice(0, limit), names });
  }
  if (labels !== undefined && !isFolder(labels)) {
    if (data === undefined)
      throw wrong(`--labels ${labels} needs --data: the folder that its pictures are in.`);
    if (!isFolder(data)) throw noFolder(data);
    return { ...(await readCocoLabels(labels, limit)), place: data, folder: data };
  }
  const place = data ?? imagesOf(/** @type {string} */ (labels));
  if (!isFolder(place)) throw noFolder(place);
  const pictures = (await findPictures([place])).slice(0, limit);
  if (labels === undefined) requireLabels(place, pictures);
  return readYoloLabels({ place, pictures, labels });
}

/** @param {string} sentence */
const wrong = (sentence) => new WispError('WISP_ERR_ARGUMENT', sentence);

/** @param {string} data */
const noFolder = (data) =>
  wrong(`--data ${data} is no folder of pictures, nor a data.yaml that leads to them.`);

/** @param {string} place */
function isFolder(place) {
  requireThere(place);
  return statSync(place).isDirectory();
}

/** Where the pictures of a folder of labels are. @param {string} labels */
function imagesOf(labels) {
  const images = swapped(`${path.resolve(labels)}${path.sep}`, 'labels', 'images');
  if (images && statSync(images, { throwIfNoEntry: false })?.isDirectory()) return images;
  throw wrong(
    `--labels ${labels} needs --data, the folder of its pictures${images ? `: ${images} is none` : ''}.`,
  );
}

/** @param {string} data @param {string[]} pictures */
function requireLabels(data, pictures) {
  if (pictures.some((picture) => swapped(path.resolve(picture), 'images', 'labels'))) return;
  throw wrong(
    `--data ${data} needs --labels: COCO's instances_….json, or a folder of YOLO's .txt files.`,
  );
}
