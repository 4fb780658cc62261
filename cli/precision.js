// P and R as YOLOv5's val prints them: at the confidence where F1, averaged over classes, is best.

import { grouped, iou } from './coco.js';

/**
 * @typedef {import('./coco.js').GroundTruth} GroundTruth
 * @typedef {import('./coco.js').Annotation} Annotation
 * @typedef {import('./coco.js').Result} Result
 */

const IOU = 0.5;
/** Confidences at which P and R are sampled: 0, 1/999, … 1. */
const SAMPLES = 1000;
/** Samples that the smoothed F1 averages: a tenth of all, odd. */
const SMOOTH = 101;

/**
 * @param {GroundTruth} truth
 * @param {Result[]} results
 * @returns {{precision: number, recall: number, confidence: number}}
 */
export function precisionAndRecall(truth, results) {
  const labels = truth.annotations.filter(({ iscrowd }) => iscrowd !== 1);
  const right = rightResults(labels, results);
  const categories = [...new Set(labels.map(({ category_id }) => category_id))];
  const curves = categories.map((category) => {
    const ranked = results
      .filter(({ category_id }) => category_id === category)
      .sort((a, b) => b.score - a.score);
    const count = labels.filter(({ category_id }) => category_id === category).length;
    return sampledCurves(ranked, right, count);
  });
  const at = (/** @type {number} */ sample) => ({
    precision: mean(curves.map(({ precision }) => precision[sample])),
    recall: mean(curves.map(({ recall }) => recall[sample])),
  });
  const f1 = Array.from({ length: SAMPLES }, (_, sample) =>
    mean(curves.map(({ precision: p, recall: r }) => f1Of(p[sample], r[sample]))),
  );
  const smooth = smoothed(f1);
  const best = smooth.indexOf(Math.max(...smooth));
  return { ...at(best), confidence: best / (SAMPLES - 1) };
}

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** @param {number} p @param {number} r */
const f1Of = (p, r) => (2 * p * r) / (p + r + 1e-16);

/**
 * The results that find a label. Each result goes for the label it overlaps most; the first there gets it.
 * @param {Annotation[]} labels
 * @param {Result[]} results
 */
function rightResults(labels, results) {
  /** @type {Set<Result>} */
  const right = new Set();
  const found = grouped(results);
  for (const [key, truths] of grouped(labels)) {
    const taken = new Set();
    for (const result of (found.get(key) ?? []).toSorted((a, b) => b.score - a.score)) {
      const overlaps = truths.map((label) => iou(result.bbox, label.bbox, false));
      const best = overlaps.indexOf(Math.max(...overlaps));
      if (overlaps[best] < IOU || taken.has(best)) continue;
      taken.add(best);
      right.add(result);
    }
  }
  return right;
}

/**
 * Precision and recall of one class by confidence.
 * @param {Result[]} ranked
 * @param {Set<Result>} right
 * @param {number} labels
 */
function sampledCurves(ranked, right, labels) {
  if (ranked.length === 0) {
    return { precision: new Array(SAMPLES).fill(0), recall: new Array(SAMPLES).fill(0) };
  }
  let hits = 0;
  const points = ranked.map((result, index) => {
    if (right.has(result)) hits++;
    return { score: result.score, precision: hits / (index + 1), recall: hits / labels };
  });
  const precision = [];
  const recall = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    const point = interpolated(points, sample / (SAMPLES - 1));
    precision.push(point.precision);
    recall.push(point.recall);
  }
  return { precision, recall };
}

/**
 * @param {{score: number, precision: number, recall: number}[]} points by falling score
 * @param {number} score
 */
function interpolated(points, score) {
  if (score > points[0].score) return { precision: 1, recall: 0 };
  const next = points.findLastIndex((point) => point.score >= score);
  const [a, b] = [points[next], points[next + 1] ?? points[next]];
  const part = a.score > b.score ? (a.score - score) / (a.score - b.score) : 0;
  return {
    precision: a.precision + (b.precision - a.precision) * part,
    recall: a.recall + (b.recall - a.recall) * part,
  };
}

/** @param {number[]} values */
function smoothed(values) {
  const half = (SMOOTH - 1) / 2;
  const clamped = (/** @type {number} */ at) =>
    values[Math.min(Math.max(at, 0), values.length - 1)];
  return values.map((_, index) => {
    let sum = 0;
    for (let at = index - half; at <= index + half; at++) sum += clamped(at);
    return sum / SMOOTH;
  });
}
