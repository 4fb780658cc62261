// Boxes of one frame after another → things that keep their numbers: greedy by overlap, the surest boxes first.

import { naming, WispError } from './error.js';

/**
 * @typedef {import('./wasm/boxes.js').Box} Box
 *
 * @typedef {Box & {id: number | null}} TrackedBox id: the number of the thing in the box, 1, 2, 3 … as things turn up;
 *   null while it was seen in too few frames to be counted
 *
 * @typedef {object} TrackOptions
 * @property {number} [iou] how much of a box and of where its thing is expected must overlap, 0 … 1; default 0.3
 * @property {number} [confidence] score from which on a box begins a new thing; weaker ones only continue one that is
 *   known, so detect with a lower `confidence` than this; default 0.25
 * @property {number} [hits] frames in a row in which a new thing must be seen until it has a number; default 3
 * @property {number} [keepSeconds] how long a thing that is out of sight keeps its number; default 1
 *
 * @typedef {object} Count
 * @property {number} label index of the class
 * @property {string} name of the class
 * @property {number} count of the things that had a number so far
 */

const DEFAULTS = { iou: 0.3, confidence: 0.25, hits: 3, keepSeconds: 1 };
/** Least and most of each. @type {Record<string, [number, number]>} */
const BOUNDS = { iou: [0, 1], confidence: [0, 1], hits: [1, 1000], keepSeconds: [0, 3600] };
const NAMES = Object.keys(DEFAULTS).join(', ');
const SMOOTHING = 0.5; // share of the newest movement in the velocity: boxes tremble

/** Follows things through a video or before a camera, and counts them. */
export class Tracker {
  #options;
  /** @type {Track[]} */
  #tracks = [];
  /** @type {Map<number, Count>} */
  #counts = new Map();
  #seconds = Number.NEGATIVE_INFINITY;
  #last = 0;

  /**
   * @param {TrackOptions} [options]
   * @throws {WispError} WISP_ERR_ARGUMENT for what is no option, or out of its bounds
   */
  constructor(options = {}) {
    for (const [name, value] of Object.entries(options)) {
      if (!Object.hasOwn(DEFAULTS, name))
        throw wrong(`There is no "${name}" in a tracker's options; there is ${NAMES}.`);
      const [least, most] = BOUNDS[name];
      if (value !== undefined && !(value >= least && value <= most))
        throw wrong(`${name} is ${least} … ${most}, not ${naming(value)}.`);
    }
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    this.#options = { ...DEFAULTS, .../** @type {TrackOptions} */ (Object.fromEntries(given)) };
  }

  /**
   * The boxes of the next frame, in the order in which they are given, each with the number of its thing.
   * @param {readonly Box[]} boxes of a result of `detect`
   * @param {number} seconds when the frame was taken, on any clock that runs forward, as `video.currentTime` or
   *   `performance.now() / 1000`; where it runs back, as in a video that starts again, all things are new
   * @returns {TrackedBox[]}
   * @throws {WispError} WISP_ERR_ARGUMENT where that are no boxes, or no time
   */
  update(boxes, seconds) {
    requireSound(boxes, seconds);
    const { confidence, keepSeconds } = this.#options;
    const before = this.#seconds;
    this.#seconds = seconds;
    // one that has no number yet must be seen in every frame, however long a frame takes
    const isWaitedFor = (/** @type {Track} */ { id, seen }) =>
      seen === before || (id !== null && seconds - seen <= keepSeconds);
    const waiting = new Set(seconds < before ? [] : this.#tracks.filter(isWaitedFor));
    const isStrong = (/** @type {Box} */ { score }) => score >= confidence;
    const tracks = [
      ...this.#match(boxes.filter(isStrong), waiting),
      ...this.#match(
        boxes.filter((box) => !isStrong(box)),
        new Set([...waiting].filter(({ seen }) => seen === before)),
      ),
    ];
    const owners = new Map(tracks);
    for (const box of boxes)
      if (isStrong(box) && !owners.has(box)) owners.set(box, new Track(box, seconds));
    for (const box of boxes) this.#take(owners.get(box), box);
    const found = new Set(owners.values());
    this.#tracks = [...found, ...[...waiting].filter((track) => !found.has(track))];
    return boxes.map((box) => ({ ...box, id: owners.get(box)?.id ?? null }));
  }

  /** How many things there were so far, most frequent class first. @returns {Count[]} */
  get counts() {
    return [...this.#counts.values()]
      .sort((a, b) => b.count - a.count || a.label - b.label)
      .map((count) => ({ ...count }));
  }

  /**
   * Pairs of a box and the thing in it, those that overlap most first.
   * @param {readonly Box[]} boxes
   * @param {Set<Track>} tracks those that were found leave it
   * @returns {[Box, Track][]}
   */
  #match(boxes, tracks) {
    const pairs = [];
    for (const track of tracks) {
      const expected = track.at(this.#seconds);
      for (const box of boxes) {
        const iou = box.label === track.box.label ? overlap(expected, box) : 0;
        if (iou > 0 && iou >= this.#options.iou) pairs.push({ box, track, iou });
      }
    }
    pairs.sort((a, b) => b.iou - a.iou);
    /** @type {Map<Box, Track>} */
    const matched = new Map();
    for (const { box, track } of pairs)
      if (!matched.has(box) && tracks.delete(track)) matched.set(box, track);
    return [...matched];
  }

  /** @param {Track | undefined} track @param {Box} box */
  #take(track, box) {
    if (!track) return;
    track.take(box, this.#seconds);
    if (track.id !== null || track.hits < this.#options.hits) return;
    track.id = ++this.#last;
    const { label, name } = box;
    const count = this.#counts.get(label) ?? { label, name, count: 0 };
    count.count++;
    this.#counts.set(label, count);
  }
}

/** A thing: where it was seen last, and how it moves. */
class Track {
  /** @type {number | null} */
  id = null;
  hits = 0;
  #velocity = { x: 0, y: 0 }; // of the centre, pixels a second

  /** @param {Box} box @param {number} seconds */
  constructor(box, seconds) {
    this.box = box;
    this.seen = seconds;
  }

  /** Where it should be by now. @param {number} seconds */
  at(seconds) {
    const passed = seconds - this.seen;
    const { x, y, width, height } = this.box;
    const { x: across, y: down } = this.#velocity;
    return { x: x + across * passed, y: y + down * passed, width, height };
  }

  /** @param {Box} box @param {number} seconds */
  take(box, seconds) {
    const passed = seconds - this.seen;
    if (passed > 0) {
      const [from, to] = [centre(this.box), centre(box)];
      const share = this.hits > 1 ? SMOOTHING : 1;
      this.#velocity.x += share * ((to.x - from.x) / passed - this.#velocity.x);
      this.#velocity.y += share * ((to.y - from.y) / passed - this.#velocity.y);
    }
    if (passed > 0 || this.hits === 0) this.hits++; // the same frame may be looked at again
    this.box = box;
    this.seen = seconds;
  }
}

/** @typedef {{x: number, y: number, width: number, height: number}} Rect */

/** @param {Rect} rect */
const centre = ({ x, y, width, height }) => ({ x: x + width / 2, y: y + height / 2 });

/** Intersection over union. @param {Rect} a @param {Rect} b */
function overlap(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / (a.width * a.height + b.width * b.height - both);
}

/** @param {unknown} boxes @param {unknown} seconds */
function requireSound(boxes, seconds) {
  const isBox = (/** @type {unknown} */ box) => {
    const { x, y, width, height, score } = Object(box);
    return [x, y, width, height, score].every(Number.isFinite);
  };
  if (!Array.isArray(boxes) || !boxes.every(isBox)) {
    const what = Array.isArray(boxes) ? boxes.find((box) => !isBox(box)) : boxes;
    throw wrong(`A tracker takes the boxes of a result of detect, not ${naming(what)}.`);
  }
  if (!Number.isFinite(seconds))
    throw wrong(`A tracker takes the time of the frame in seconds, not ${naming(seconds)}.`);
}

/** @param {string} sentence */
const wrong = (sentence) => new WispError('WISP_ERR_ARGUMENT', sentence);
