// How good a pressed network is: against labels where there are some, else against what the float network finds.

import path from 'node:path';
import { Detector } from '../web/src/index.js';
import { isOfPicture } from '../web/src/picture/picture-fault.js';
import { evaluate } from './coco.js';
import { judge } from './judge.js';
import { Progress } from './progress.js';

/**
 * @typedef {import('./coco.js').GroundTruth} GroundTruth
 * @typedef {import('./labels/labels.js').Labels} Labels
 * @typedef {import('../web/src/press.js').Press} Press
 * @typedef {import('../web/src/press.js').ReadOptions} ReadOptions
 * @typedef {{ap: number, ap50: number}} Score shares, 0 … 1
 *
 * @typedef {object} Measure
 * @property {'labels' | 'agreement'} kind agreement: the float network's own boxes are the truth
 * @property {number} pictures
 * @property {Score | null} float null where the float network is the truth
 */

/** As YOLOv5's val; the float network has no rectangles. */
const JUDGED = { confidence: 0.001, iou: 0.6, maxDetections: 300, multiLabel: true, rect: false };

/** Boxes of the float network that count as truth: those that a detector shows. */
const SHOWN = { confidence: 0.25, iou: 0.45, rect: false };

/** Pictures that the float network is compared on. */
const COMPARED = 32;

export class Yardstick {
  /** @type {Labels} */
  #labels;
  #wanted;

  /** Use Yardstick.make. @param {Labels} labels @param {Measure} measure @param {ReadOptions} reads */
  constructor(labels, measure, reads) {
    this.#labels = labels;
    this.#wanted = { ...JUDGED, ...reads };
    this.measure = measure;
  }

  /**
   * @param {Press} press that has its network
   * @param {Labels | null} labels
   * @param {string[]} pictures to calibrate with, without labels
   * @param {ReadOptions} [reads] how pictures are read
   */
  static async make(press, labels, pictures, reads = {}) {
    if (!labels) return Yardstick.#ofFloat(press, pictures, reads);
    const wanted = { ...JUDGED, ...reads };
    const { classes } = press.info;
    const float = { detect: (/** @type {string} */ file) => press.detect(file, wanted), classes };
    const { results, truth: found } = await judge(float, labels);
    const score = scoreOf(found, results);
    const measure = { kind: /** @type {const} */ ('labels'), pictures: found.images.length };
    return new Yardstick(labels, { ...measure, float: score }, reads);
  }

  /** @param {Press} press @param {string[]} pictures @param {ReadOptions} reads */
  static async #ofFloat(press, pictures, reads) {
    const compared = pictures.slice(0, COMPARED);
    const progress = new Progress('detecting in float', compared.length);
    /** @type {GroundTruth} */
    const truth = {
      images: [],
      annotations: [],
      categories: press.info.classes.map((name, id) => ({ id, name })),
    };
    for (const [id, file] of compared.entries()) {
      const found = await press.detect(file, { ...SHOWN, ...reads }).catch((error) => {
        if (!isOfPicture(error)) throw error;
        return null; // observing has told of it
      });
      progress.step();
      if (!found) continue;
      truth.images.push({ id, file_name: path.resolve(file) });
      for (const { x, y, width, height, label } of found.boxes) {
        const box = {
          bbox: /** @type {[number, number, number, number]} */ ([x, y, width, height]),
        };
        const ids = { id: truth.annotations.length + 1, image_id: id, category_id: label };
        truth.annotations.push({ ...ids, ...box, area: width * height, iscrowd: 0 });
      }
    }
    progress.end();
    const measure = { kind: /** @type {const} */ ('agreement'), float: null };
    const labels = { truth, place: 'The calibration', folder: '' };
    return new Yardstick(labels, { ...measure, pictures: truth.images.length }, reads);
  }

  /** @param {Uint8Array} bytes a .wisp file @param {number} [threads] @returns {Promise<Score>} */
  async score(bytes, threads) {
    const detector = await Detector.open(bytes, { threads });
    try {
      const { classes } = detector.info;
      const detect = (/** @type {string} */ file) => detector.detect(file, this.#wanted);
      const { results, truth } = await judge({ detect, classes }, this.#labels);
      return scoreOf(truth, results);
    } finally {
      await detector.close();
    }
  }
}

/** @param {GroundTruth} truth @param {import('./coco.js').Result[]} results @returns {Score} */
function scoreOf(truth, results) {
  const [ap, ap50] = evaluate(truth, results);
  return { ap, ap50 };
}
