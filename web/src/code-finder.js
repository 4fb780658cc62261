// What codes in pictures say: found by a detector, read one by one; the same in pages and under Node.

import { reading } from './arguments.js';
import { decoderHere, decoderIn } from './code-decoder.js';
import { attemptsAt, attemptsAtAll, wishFor } from './code-reading.js';
import codes from './codes.js';
import { naming, WispError } from './error.js';
import { Detector } from './index.js';
import { pack } from './picture/pack.js';
import { release } from './picture/picture.js';
import { Spares } from './picture/spares.js';
import { readPicture } from './reading/read.js';
import { Tracker } from './track.js';

/**
 * @typedef {import('./code-reading.js').Point} Point
 * @typedef {import('./code-reading.js').Attempt} Attempt
 * @typedef {import('./code-decoder.js').Zxing} Zxing
 * @typedef {import('./wasm/boxes.js').Box} Box
 * @typedef {import('./picture/picture.js').PictureSource} PictureSource
 *
 * @typedef {object} Code
 * @property {string | null} text null where it was found but can't be read
 * @property {Uint8Array | null} bytes what it holds, before anything made a text of it
 * @property {string | null} format as zxing-wasm calls it: QRCode, DataMatrix, EAN13, Code128 …
 * @property {Point[] | null} corners four, in pixels of the source: upper left, upper right, lower right and lower left
 *   of the code itself, however it is turned
 * @property {{x: number, y: number, width: number, height: number}} box in pixels of the source
 * @property {number} score of the box, 0 … 1; 0 where only the decoder found it
 * @property {string} name of the class that the detector gives it
 * @property {string | null} contentType of the text as zxing-wasm tells it: Text, Binary, GS1 …
 * @property {boolean} readable
 * @property {import('./code-unread.js').Why | null} why it is not; null: its pixels don't tell
 *
 * @typedef {Code & {id: number | null}} FollowedCode id: 1, 2, 3 … as codes turn up; null in a code's first frame
 *
 * @typedef {object} ReaderOptions
 * @property {Detector} [detector] finds the codes, and stays yours to close; default: one of the model
 * @property {import('./index.js').ModelSource} [model] default: the one that comes with wisp
 * @property {'auto' | number} [threads] of the model's detector
 * @property {Zxing} [zxing] the module zxing-wasm/reader, where it can't be found by that name
 * @property {string | URL} [zxingWasm] address of its zxing_reader.wasm; pages need it, or a `zxing` that is prepared
 * @property {Worker} [worker] decodes the codes, in place of the thread that calls; its file calls `serveCodes` of
 *   wisp-yolo/code-worker, and it stays yours to end
 *
 * @typedef {Omit<import('./index.js').DetectOptions, 'masks'> & {formats?: readonly string[]}} ReadOptions
 *   `confidence`, 0.25, is for what can't be read; what is read counts from 0.1 on. `formats`, as zxing-wasm calls them
 *   (QRCode, EAN13 …): codes of others are not read; default all
 * @typedef {{codes: Code[], width: number, height: number}} CodeResult best first; width and height of the source
 * @typedef {{codes: FollowedCode[], width: number, height: number}} FollowResult
 *
 * @typedef {object} Place
 * @property {() => import('./picture/picture.js').Reader} reader
 * @property {import('./code-decoder.js').Library} library
 */

const CONFIDENCE = 0.25; // of a code that need not be read to count
const WEAK = 0.1; // of one that counts once it is read
const HITS = 2; // frames in a row: a code that is seen once may be none
const AGAIN_SECONDS = 0.5; // until one that could not be read, or has moved, is tried again
const ANEW_SECONDS = 1; // until one that was read is read again: another may be in its place
const STEP_SECONDS = 0.06; // between its attempts, but for the first two: most that fail hold no code
const MOST_ROUNDS = 3; // after which that does not double any more
const MOST_KNOWN = 256; // the one first seen is forgotten then, and read anew should it still be there
const MOST_SPARE = 1 << 24; // bytes of a frame that are kept for the next: fresh ones cost more than the copy
const MOVED = 0.5; // of its longer side

/**
 * @typedef {object} Memory of a code that is followed
 * @property {number} tried seconds
 * @property {Box} box where that was
 * @property {Code | null} code
 * @property {import('./code-unread.js').Why | null} why
 * @property {number} by which of the attempts it was read; 0 as long as it was not
 * @property {number} next of the attempts at it, one a frame, counted from that one on
 * @property {number} rounds in which all of them failed
 */

/**
 * @typedef {Box & {id: number}} Numbered
 * @typedef {Pick<Box, 'x' | 'y' | 'width' | 'height' | 'score' | 'name'>} PlacedBox
 * @typedef {(box: Box | null, attempts: (picture: import('./code-reading.js').Pixels) => Attempt[]) =>
 *   Promise<import('./code-reading.js').Reply>} Ask what is read in a box, or anywhere
 */

export class CodeFinder {
  #detector;
  #isOwn;
  #answer;
  #reader;
  #tracker = new Tracker({ hits: HITS });
  #spares = new Spares();
  /** @type {Map<number, Memory>} */
  #known = new Map();
  #seconds = Number.NEGATIVE_INFINITY;

  /**
   * Use CodeReader.open.
   * @param {Detector} detector
   * @param {ReaderOptions} options
   * @param {Place} place
   */
  constructor(detector, { detector: given, zxing, zxingWasm, worker }, place) {
    this.#detector = detector;
    this.#isOwn = !given;
    this.#reader = place.reader();
    this.#answer = worker ? decoderIn(worker) : decoderHere(place.library, { zxing, zxingWasm });
  }

  /**
   * All codes in a picture.
   * @param {PictureSource} source whatever `detect` takes
   * @param {ReadOptions} [options] those of `detect`; `tiles` is 'auto' here
   * @returns {Promise<CodeResult>}
   */
  async read(source, options = {}) {
    const looking = { tiles: /** @type {const} */ ('auto'), ...options };
    return this.#look(source, looking, async ({ boxes, width, height }, ask) => {
      /** @type {Code[]} */
      const found = [];
      for (const box of boxes) {
        const { readings, why } = await ask(box, (size) => attemptsAt(box, size, isSure(box)));
        found.push(readings.length > 0 ? readAs(readings[0], box) : unread(box, why));
      }
      if (!found.some(({ readable }) => readable)) {
        const { readings } = await ask(null, attemptsAtAll); // what the model has missed
        found.unshift(...readings.map((reading) => readAs(reading, boxAround(reading))));
      }
      return { codes: found.filter((code) => counts(code, options)), width, height };
    });
  }

  /**
   * Codes in the next frame of a video, with at most one attempt at one of them a frame: while a code is unread, once
   * it has moved, and every second, since another may be in its place. Frames of one video in their order, each
   * awaited before the next.
   * @param {PictureSource} frame
   * @param {number} seconds when it was taken, on a clock that runs forward, such as `video.currentTime`
   * @param {ReadOptions} [options] those of `detect`
   * @returns {Promise<FollowResult>}
   */
  async follow(frame, seconds, options = {}) {
    return this.#look(frame, options, async ({ boxes, width, height }, ask) => {
      if (seconds < this.#seconds) this.#known.clear();
      const tracked = this.#tracker.update(boxes, seconds);
      this.#seconds = seconds;
      const due = this.#due(tracked, seconds);
      if (due) await this.#try(due, seconds, ask);
      const found = tracked.map((box) => ({ ...this.#remembered(box), id: box.id }));
      return { codes: found.filter((code) => counts(code, options)), width, height };
    });
  }

  /** The detector ends, unless it was handed over. @returns {Promise<void>} */
  async close() {
    if (this.#isOwn) await this.#detector.close();
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }

  /**
   * @template T
   * @param {PictureSource} source
   * @param {ReadOptions} options
   * @param {(result: {boxes: Box[], width: number, height: number}, ask: Ask) => Promise<T>} then
   * @returns {Promise<T>}
   */
  async #look(source, options, then) {
    const { formats, ...detecting } = options;
    requireFormats(formats);
    const { signal, background, maxPixels } = detecting;
    signal?.throwIfAborted();
    const how = reading({ background, maxPixels });
    const picture = await pack(source, this.#spares);
    /** @type {Promise<import('./code-reading.js').Pixels> | undefined} */
    let decoded;
    const pixels = () => {
      decoded ??= this.#pixels(picture, { maxPixels: how.maxPixels, signal });
      return decoded;
    };
    try {
      // a frame of a video is only read back where there is a code in it
      const isLight = picture.kind === 'frame' || (picture.kind === 'bitmap' && !picture.asStored);
      const seen = isLight ? picture.image : await pixels();
      const confidence = Math.min(options.confidence ?? CONFIDENCE, WEAK);
      const result = await this.#detector.detect(seen, { ...detecting, confidence });
      return await then(result, async (box, attempts) => {
        signal?.throwIfAborted();
        const whole = await pixels();
        const wished = { background: how.background, formats };
        return this.#answer(wishFor(whole, box, attempts(whole), wished));
      });
    } finally {
      if (picture.kind === 'raw' && picture.data.length <= MOST_SPARE)
        this.#spares.keep([picture.data.buffer], undefined);
      release(picture);
    }
  }

  /**
   * @param {import('./picture/picture.js').Picture} picture
   * @param {import('./picture/picture.js').Limits} limits
   */
  async #pixels(picture, limits) {
    if (picture.kind === 'raw') {
      const { data, width, height } = picture; // a copy already
      return {
        data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.length),
        width,
        height,
      };
    }
    let pixels = { data: new Uint8ClampedArray(), width: 0, height: 0 };
    const room = (/** @type {number} */ width, /** @type {number} */ height) => {
      pixels = { data: new Uint8ClampedArray(width * height * 4), width, height };
      return pixels.data;
    };
    await readPicture(this.#reader, picture, room, limits);
    return pixels;
  }

  /**
   * The one that waits longest, of those that are unread if there are any.
   * @param {import('./track.js').TrackedBox[]} boxes
   * @param {number} seconds
   */
  #due(boxes, seconds) {
    const due = [];
    for (const { id, ...box } of boxes) {
      if (id === null) continue;
      const known = this.#known.get(id);
      const waited = known ? seconds - known.tried : Number.POSITIVE_INFINITY;
      const isRead = Boolean(known?.code);
      if (!known || isDue(known, box, waited)) due.push({ box: { ...box, id }, waited, isRead });
    }
    due.sort((a, b) => Number(a.isRead) - Number(b.isRead) || b.waited - a.waited);
    return due[0]?.box ?? null;
  }

  /** The next attempt at a code that is followed. @param {Numbered} box @param {number} seconds @param {Ask} ask */
  async #try(box, seconds, ask) {
    const { next = 0, rounds = 0, by = 0 } = this.#known.get(box.id) ?? {};
    let [at, isLast] = [0, false];
    const { readings, why } = await ask(box, (size) => {
      const attempts = attemptsAt(box, size);
      at = (by + next) % attempts.length; // there are fewer once it has grown
      isLast = next >= attempts.length - 1;
      return [attempts[at]];
    });
    const isRead = readings.length > 0;
    const before = this.#known.get(box.id)?.code ? this.#remembered(box) : null;
    const code = isRead ? readAs(readings[0], box) : before;
    const isOver = isRead || isLast;
    const failed = isRead ? 0 : rounds + Number(isLast);
    const progress = { by: isRead ? at : by, next: isOver ? 0 : next + 1, rounds: failed };
    this.#known.set(box.id, { tried: seconds, box, code, why, ...progress });
    const [first] = this.#known.keys();
    if (this.#known.size > MOST_KNOWN) this.#known.delete(first);
  }

  /** What is known of the code in a box, moved along with it. @param {Box & {id: number | null}} box @returns {Code} */
  #remembered(box) {
    const known = box.id === null ? undefined : this.#known.get(box.id);
    if (!known?.code) return unread(box, known?.rounds ? known.why : 'not yet');
    const from = known.box;
    const corners = known.code.corners?.map(({ x, y }) => ({
      x: box.x + ((x - from.x) / from.width) * box.width,
      y: box.y + ((y - from.y) / from.height) * box.height,
    }));
    return { ...known.code, ...placeOf(box), corners: corners ?? null };
  }
}

/**
 * @param {Memory} known
 * @param {Box} box where it is now
 * @param {number} waited seconds
 */
function isDue({ next, rounds, code, box: before }, box, waited) {
  if (code) return waited >= (hasMoved(before, box) ? AGAIN_SECONDS : ANEW_SECONDS);
  if (next > 0) return next === 1 || waited >= STEP_SECONDS; // in the middle of its attempts
  return waited >= AGAIN_SECONDS * 2 ** Math.min(MOST_ROUNDS, Math.max(0, rounds - 1));
}

/** @param {ReaderOptions} options @returns {Promise<Detector>} */
export function detectorOf({ detector, model = codes, threads }) {
  return detector ? Promise.resolve(detector) : Detector.open(model, { threads });
}

/** @param {Code} code @param {ReadOptions} options */
const counts = ({ readable, score }, { confidence = CONFIDENCE }) =>
  readable || score >= confidence;

/** @param {PlacedBox} box */
const placeOf = ({ x, y, width, height, score, name }) => ({
  box: { x, y, width, height },
  score,
  name,
});

/** @param {Box} box @param {Code['why']} why @returns {Code} */
const unread = (box, why) => ({
  text: null,
  bytes: null,
  format: null,
  contentType: null,
  corners: null,
  ...placeOf(box),
  readable: false,
  why,
});

/** @param {import('./code-reading.js').Reading} reading @param {PlacedBox} box @returns {Code} */
const readAs = (reading, box) => ({ ...reading, ...placeOf(box), readable: true, why: null });

/** Most of the others hold no code. @param {Box} box */
const isSure = ({ score }) => score >= CONFIDENCE;

/** Classes of the model, by the format that is in them; of all others, linear. @type {Record<string, string>} */
const CLASSES = {
  QRCode: 'qr_code',
  MicroQRCode: 'micro_qr',
  RMQRCode: 'rmqr',
  DataMatrix: 'data_matrix',
  Aztec: 'aztec',
  PDF417: 'pdf417',
  MaxiCode: 'maxicode',
};

/** Of a code that the model has not found. @param {import('./code-reading.js').Reading} reading @returns {PlacedBox} */
function boxAround({ corners, format }) {
  const [across, down] = [corners.map(({ x }) => x), corners.map(({ y }) => y)];
  const [x, y] = [Math.min(...across), Math.min(...down)];
  const [width, height] = [Math.max(...across) - x, Math.max(...down) - y];
  return { x, y, width, height, score: 0, name: CLASSES[format] ?? 'linear' };
}

/** @param {Box} from @param {Box} to */
function hasMoved(from, to) {
  const longer = Math.max(from.width, from.height);
  const across = Math.abs(from.x + from.width / 2 - to.x - to.width / 2);
  const down = Math.abs(from.y + from.height / 2 - to.y - to.height / 2);
  return Math.max(across, down) > MOVED * longer;
}

/** @param {unknown} formats */
function requireFormats(formats) {
  const fits = Array.isArray(formats) && formats.every((one) => typeof one === 'string');
  if (formats === undefined || fits) return;
  const sentence = `formats is a list of names such as "QRCode" or "EAN13", not ${naming(formats)}.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}

/** @param {ReaderOptions} options */
export function requireAddress({ zxing, zxingWasm, worker }) {
  if (worker || zxing || typeof zxingWasm === 'string' || zxingWasm instanceof URL) return;
  const sentence = `zxingWasm is the address of zxing_reader.wasm on a server of yours, not ${naming(zxingWasm)}.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}
