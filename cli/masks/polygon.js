// Polygons of labels → run lengths, pixel for pixel as pycocotools has them.

import { WispError } from '../../web/src/index.js';
import { countsOf, merged } from './run-lengths.js';

/**
 * @typedef {import('./run-lengths.js').Counts} Counts
 * @typedef {number[][] | {counts: string | number[]}} Segmentation polygons of x and y in turn, in pixels; or COCO's
 *   run lengths
 */

/** Edges are walked on a grid this many times finer than pixels. */
const FINE = 5;

/**
 * @param {Segmentation} segmentation
 * @param {{width: number, height: number}} size
 * @returns {Counts}
 */
export function maskOf(segmentation, size) {
  if (!Array.isArray(segmentation)) {
    const { counts } = Object(segmentation);
    return typeof counts === 'string' ? countsOf(counts) : counts;
  }
  const parts = segmentation.map((points) => polygonMask(points, size));
  if (parts.length > 0) return parts.reduce((all, part) => merged(all, part, (a, b) => a || b));
  throw new WispError('WISP_ERR_FORMAT', 'A label has a polygon without points.');
}

/** @param {number[]} points @param {{width: number, height: number}} size @returns {Counts} */
function polygonMask(points, { width, height }) {
  const crossings = [];
  const outline = outlineOf(points);
  for (let i = 1; i < outline.length; i++) {
    const [x, y] = outline[i];
    const [before, above] = outline[i - 1];
    if (x === before) continue;
    const at = (x < before ? x + 0.5 : x - 0.5) / FINE - 0.5;
    if (!Number.isInteger(at) || at < 0 || at > width - 1) continue;
    const row = Math.min(Math.max((Math.min(y, above) + 0.5) / FINE - 0.5, 0), height);
    crossings.push(at * height + Math.ceil(row));
  }
  return between([...crossings.sort((a, b) => a - b), width * height]);
}

/**
 * The distances between places in order. Two at one place cancel each other.
 * @param {number[]} places
 * @returns {Counts}
 */
function between(places) {
  const distances = places.map((place, i) => place - (places[i - 1] ?? 0));
  const counts = [distances[0]];
  for (let i = 1; i < distances.length; i++) {
    if (distances[i] > 0) counts.push(distances[i]);
    else counts[counts.length - 1] += distances[++i] ?? 0;
  }
  return counts;
}

/** All points of the outline on the fine grid, edge after edge. @param {number[]} points @returns {number[][]} */
function outlineOf(points) {
  /** @type {number[][]} */
  const corners = [];
  for (let i = 0; i + 1 < points.length; i += 2)
    corners.push([points[i], points[i + 1]].map((v) => Math.trunc(FINE * v + 0.5)));
  return corners.flatMap((from, i) => edgeOf(from, corners[(i + 1) % corners.length]));
}

/** @param {number[]} from @param {number[]} to @returns {number[][]} */
function edgeOf(from, to) {
  const [dx, dy] = [0, 1].map((axis) => Math.abs(to[axis] - from[axis]));
  const long = dx >= dy ? 0 : 1;
  const isBack = from[long] > to[long];
  const [start, end] = isBack ? [to, from] : [from, to];
  const length = Math.max(dx, dy);
  const slope = (end[1 - long] - start[1 - long]) / length;
  return Array.from({ length: length + 1 }, (_, i) => {
    const t = isBack ? length - i : i;
    const other = Math.trunc(start[1 - long] + slope * t + 0.5);
    return long === 0 ? [start[0] + t, other] : [other, start[1] + t];
  });
}
