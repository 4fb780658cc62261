// The COCO evaluation of boxes and masks: average precision and recall as pycocotools computes them.

import { areaOf, maskIou } from './masks/run-lengths.js';

/**
 * @typedef {[number, number, number, number]} Bbox x, y, width, height in pixels
 * @typedef {{id: number, image_id: number, category_id: number, bbox: Bbox, area: number,
 *   iscrowd?: number, ignore?: number, segmentation?: import('./masks/polygon.js').Segmentation,
 *   mask?: {counts: number[]}}} Annotation
 * @typedef {{image_id: number, category_id: number, bbox: Bbox, score: number,
 *   mask?: import('../web/src/wasm/boxes.js').RunLengths}} Result
 * @typedef {object} Measure what is compared
 * @property {(found: Result, truth: Annotation, crowd: boolean) => number} overlap intersection over union; over the
 *   detection's own area where the truth is a crowd
 * @property {(found: Result) => number} area in pixels²
 * @typedef {{images: {id: number, file_name: string}[], annotations: Annotation[],
 *   categories: {id: number, name: string}[]}} GroundTruth
 * @typedef {{scores: number[], matched: Uint8Array[], ignored: Uint8Array[], truths: number}} Outcome
 *   of one image, category and area: for each threshold and detection, whether it found a truth, and whether it
 *   counts at all; `truths` that count
 */

/** @param {number} first @param {number} last @param {number} count as NumPy spaces them */
const evenly = (first, last, count) => {
  const step = (last - first) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? last : i * step + first));
};

const IOU_THRESHOLDS = evenly(0.5, 0.95, 10);
const RECALLS = evenly(0, 1, 101);
const MAX_DETECTIONS = [1, 10, 100];

/** @type {Measure} */
const BOXES = {
  overlap: (found, truth, crowd) => iou(found.bbox, truth.bbox, crowd),
  area: ({ bbox }) => bbox[2] * bbox[3],
};

/** @type {Measure} */
export const MASKS = {
  overlap: ({ mask: a }, { mask: b }, crowd) => (a && b ? maskIou(a.counts, b.counts, crowd) : 0),
  area: ({ mask }) => areaOf(mask?.counts ?? []),
};

/** Areas in pixels². @type {Record<string, [number, number]>} */
const AREAS = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
};

/** The twelve lines: what, IoU threshold (null: the mean of all), area, at most so many detections. */
const LINES = /** @type {const} */ ([
  ['AP', null, 'all', 100],
  ['AP', 0.5, 'all', 100],
  ['AP', 0.75, 'all', 100],
  ['AP', null, 'small', 100],
  ['AP', null, 'medium', 100],
  ['AP', null, 'large', 100],
  ['AR', null, 'all', 1],
  ['AR', null, 'all', 10],
  ['AR', null, 'all', 100],
  ['AR', null, 'small', 100],
  ['AR', null, 'medium', 100],
  ['AR', null, 'large', 100],
]);

/**
 * @param {GroundTruth} truth its images are the ones that count
 * @param {Result[]} results
 * @param {Measure} [measure] of boxes, if none is named
 * @returns {number[]} the twelve figures of COCO, 0…1; −1 where no truth counts
 */
export function evaluate(truth, results, measure = BOXES) {
  const images = truth.images.map(({ id }) => id).sort((a, b) => a - b);
  const truths = grouped(truth.annotations);
  const found = grouped(results);
  const categories = truth.categories.map(({ id }) => id);
  /** @type {Map<string, {precision: (number[] | null)[], recall: (number | null)[]}>} */
  const curves = new Map();
  for (const [name, area] of Object.entries(AREAS)) {
    const perCategory = categories.map((category) =>
      images.flatMap((image) => {
        const key = `${category} ${image}`;
        return outcome(truths.get(key) ?? [], found.get(key) ?? [], area, measure) ?? [];
      }),
    );
    for (const most of MAX_DETECTIONS) curves.set(`${name} ${most}`, accumulate(perCategory, most));
  }
  return LINES.map(([what, iou, area, most]) => {
    const curve = /** @type {NonNullable<ReturnType<typeof curves.get>>} */ (
      curves.get(`${area} ${most}`)
    );
    const values = what === 'AP' ? curve.precision : curve.recall;
    const count = IOU_THRESHOLDS.length;
    const at = iou === null ? null : IOU_THRESHOLDS.findIndex((t) => Math.abs(t - iou) < 1e-9);
    return mean(values.filter((_, i) => at === null || i % count === at).flatMap((v) => v ?? []));
  });
}

/**
 * @param {number[]} stats of `evaluate`
 * @returns {string[]} twelve lines in the words of pycocotools, one decimal more
 */
export function summary(stats) {
  return LINES.map(([what, iou, area, most], index) => {
    const title = what === 'AP' ? 'Average Precision' : 'Average Recall';
    const range = iou === null ? '0.50:0.95' : iou.toFixed(2);
    return (
      ` ${title.padEnd(18)} (${what}) @[ IoU=${range.padEnd(9)} | area=${area.padStart(6)} | ` +
      `maxDets=${String(most).padStart(3)} ] = ${stats[index].toFixed(4)}`
    );
  });
}

/** @param {number[]} values */
const mean = (values) =>
  values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : -1;

/**
 * @template {{category_id: number, image_id: number}} T
 * @param {T[]} items
 * @returns {Map<string, T[]>} by "category image"
 */
export function grouped(items) {
  /** @type {Map<string, T[]>} */
  const groups = new Map();
  for (const item of items) {
    const key = `${item.category_id} ${item.image_id}`;
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/**
 * Intersection over union; over the detection's own area where the truth is a crowd.
 * @param {Bbox} detection
 * @param {Bbox} truth
 * @param {boolean} crowd
 */
export function iou([dx, dy, dw, dh], [tx, ty, tw, th], crowd) {
  const width = Math.min(dx + dw, tx + tw) - Math.max(dx, tx);
  const height = Math.min(dy + dh, ty + th) - Math.max(dy, ty);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / (crowd ? dw * dh : dw * dh + tw * th - both);
}

/**
 * Matches the detections of one category in one image with its truths.
 * @param {Annotation[]} annotations
 * @param {Result[]} results
 * @param {[number, number]} area
 * @param {Measure} measure
 * @returns {Outcome | null} null if there is nothing at all
 */
function outcome(annotations, results, area, measure) {
  if (annotations.length === 0 && results.length === 0) return null;
  const outside = (/** @type {number} */ size) => size < area[0] || size > area[1];
  const most = MAX_DETECTIONS[MAX_DETECTIONS.length - 1];
  const detections = results.toSorted((a, b) => b.score - a.score).slice(0, most);
  // truths that count stand before those that don't: matching prefers them
  const truths = annotations
    .map((annotation) => ({
      annotation,
      crowd: annotation.iscrowd === 1,
      ignore: annotation.iscrowd === 1 || annotation.ignore === 1 || outside(annotation.area),
    }))
    .sort((a, b) => Number(a.ignore) - Number(b.ignore));
  const overlaps = detections.map((d) =>
    truths.map((t) => measure.overlap(d, t.annotation, t.crowd)),
  );
  const away = detections.map((d) => outside(measure.area(d)));
  const matches = IOU_THRESHOLDS.map((threshold) => match(overlaps, truths, away, threshold));
  return {
    scores: detections.map(({ score }) => score),
    matched: matches.map(({ matched }) => matched),
    ignored: matches.map(({ ignored }) => ignored),
    truths: truths.filter(({ ignore }) => !ignore).length,
  };
}

/**
 * @param {number[][]} overlaps IoU of each detection, best score first, with each truth
 * @param {{crowd: boolean, ignore: boolean}[]} truths
 * @param {boolean[]} away whether a detection's area is outside the range
 * @param {number} threshold
 */
function match(overlaps, truths, away, threshold) {
  const taken = new Uint8Array(truths.length);
  const matched = new Uint8Array(overlaps.length);
  const ignored = new Uint8Array(overlaps.length);
  overlaps.forEach((row, detection) => {
    const best = bestTruth(row, truths, taken, threshold);
    if (best < 0) {
      ignored[detection] = Number(away[detection]);
      return;
    }
    taken[best] = 1;
    matched[detection] = 1;
    ignored[detection] = Number(truths[best].ignore);
  });
  return { matched, ignored };
}

/**
 * The free truth of highest overlap; one that doesn't count only if none that counts will do.
 * @param {number[]} row
 * @param {{crowd: boolean, ignore: boolean}[]} truths
 * @param {Uint8Array} taken
 * @param {number} threshold
 */
function bestTruth(row, truths, taken, threshold) {
  let best = -1;
  let overlap = Math.min(threshold, 1 - 1e-10);
  for (const [index, { crowd, ignore }] of truths.entries()) {
    if (taken[index] && !crowd) continue;
    if (best >= 0 && !truths[best].ignore && ignore) break;
    if (row[index] < overlap) continue;
    overlap = row[index];
    best = index;
  }
  return best;
}

/**
 * Precision at each recall, and the last recall, for each category and threshold.
 * @param {Outcome[][]} perCategory
 * @param {number} most detections of an image that count
 * @returns {{precision: (number[] | null)[], recall: (number | null)[]}} [category][threshold], flat
 */
function accumulate(perCategory, most) {
  /** @type {(number[] | null)[]} */
  const precision = [];
  /** @type {(number | null)[]} */
  const recall = [];
  for (const outcomes of perCategory) {
    const truths = outcomes.reduce((sum, { truths: count }) => sum + count, 0);
    const ranked = outcomes
      .flatMap((one) => one.scores.slice(0, most).map((score, index) => ({ score, index, one })))
      .sort((a, b) => b.score - a.score);
    IOU_THRESHOLDS.forEach((_, t) => {
      const curve = truths > 0 ? curveOf(ranked, truths, t) : null;
      precision.push(curve?.precision ?? null);
      recall.push(curve?.recall ?? null);
    });
  }
  return { precision, recall };
}

/**
 * @param {{index: number, one: Outcome}[]} ranked detections of one category, best first
 * @param {number} truths
 * @param {number} t index of the threshold
 */
function curveOf(ranked, truths, t) {
  /** @type {number[]} */
  const recalls = [];
  /** @type {number[]} */
  const precisions = [];
  let right = 0;
  let wrong = 0;
  for (const { index, one } of ranked) {
    if (one.ignored[t][index]) {
      // stands in the ranking without changing it, as in pycocotools
    } else if (one.matched[t][index]) right++;
    else wrong++;
    recalls.push(right / truths);
    precisions.push(right / (right + wrong + Number.EPSILON));
  }
  for (let i = precisions.length - 1; i > 0; i--) {
    precisions[i - 1] = Math.max(precisions[i - 1], precisions[i]);
  }
  let at = 0;
  const precision = RECALLS.map((wanted) => {
    while (at < recalls.length && recalls[at] < wanted) at++;
    return precisions[at] ?? 0;
  });
  return { precision, recall: recalls[recalls.length - 1] ?? 0 };
}
