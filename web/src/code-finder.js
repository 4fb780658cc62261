// What codes in pictures say: found by a detector, read one by one; the same in pages and under Node.

import { reading } from './arguments.js';
import { greyFile } from './code-pixels.js';
import { readCode } from './code-reading.js';
import codes from './codes.js';
import { naming, saying, WispError } from './error.js';
import { Detector } from './index.js';
import { pack } from './picture/pack.js';
import { release } from './picture/picture.js';
import { readPicture } from './reading/read.js';
import { Tracker } from './track.js';

/**
 * @typedef {import('./code-reading.js').Point} Point
 * @typedef {import('./code-reading.js').Decode} Decode
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
 * @property {number} score of the box, 0 … 1
 * @property {string} name of the class that the detector gives it
 * @property {boolean} readable
 *
 * @typedef {Code & {id: number | null}} FollowedCode id: 1, 2, 3 … as codes turn up; null in a code's first frame
 *
 * @typedef {object} ReaderOptions
 * @property {Detector} [detector] finds the codes, and stays yours to close; default: one of the model
 * @property {import('./index.js').ModelSource} [model] default: the one that comes with wisp
 * @property {'auto' | number} [threads] of the model's detector
 * @property {Zxing} [zxing] the module zxing-wasm/reader, where it can't be found by that name
 * @property {string | URL} [zxingWasm] address of its zxing_reader.wasm; pages need it, or a `zxing` that is prepared
 *
 * @typedef {object} Zxing
 * @property {(picture: any, options?: any) => Promise<any[]>} readBarcodes
 * @property {(options?: any) => any} prepareZXingModule
 *
 * @typedef {Omit<import('./index.js').DetectOptions, 'masks'> & {formats?: readonly string[]}} ReadOptions
 *   `confidence`, 0.25, is for what can't be read; what is read counts from 0.1 on. `formats`, as zxing-wasm calls them
 *   (QRCode, EAN13 …): codes of others are not read; default all
 * @typedef {{codes: Code[], width: number, height: number}} CodeResult best first; width and height of the source
 * @typedef {{codes: FollowedCode[], width: number, height: number}} FollowResult
 *
 * @typedef {object} Place
 * @property {() => import('./picture/picture.js').Reader} reader
 * @property {() => Promise<Zxing>} load finds zxing-wasm
 * @property {(address?: string | URL) => object | Promise<object>} overrides where zxing-wasm has its wasm from
 */

const CONFIDENCE = 0.25; // of a code that need not be read to count
const WEAK = 0.1; // of one that counts once it is read
const HITS = 2; // frames in a row: a code that is seen once may be none
const AGAIN_SECONDS = 0.5; // until one that could not be read, or has moved, is tried again
const MOST_KNOWN = 256; // the one first seen is forgotten then, and read anew should it still be there
const MOVED = 0.5; // of its longer side

/**
 * @typedef {object} Memory of a code that is followed
 * @property {number} tried seconds
 * @property {Box} box where that was
 * @property {Code | null} code
 */

export class CodeFinder {
  #detector;
  #isOwn;
  #decode;
  #reader;
  #tracker = new Tracker({ hits: HITS });
  /** @type {Map<number, Memory>} */
  #known = new Map();
  #seconds = Number.NEGATIVE_INFINITY;

  /**
   * Use CodeReader.open.
   * @param {Detector} detector
   * @param {ReaderOptions} options
   * @param {Place} place
   */
  constructor(detector, { detector: given, zxing, zxingWasm }, place) {
    this.#detector = detector;
    this.#isOwn = !given;
    this.#reader = place.reader();
    /** @type {Promise<Decode> | undefined} */
    let loading;
    this.#decode = () => {
      loading ??= load(place, zxing, zxingWasm).catch((thrown) => {
        loading = undefined;
        throw thrown;
      });
      return loading;
    };
  }

  /**
   * All codes in a picture.
   * @param {PictureSource} source whatever `detect` takes
   * @param {ReadOptions} [options] those of `detect`
   * @returns {Promise<CodeResult>}
   */
  async read(source, options = {}) {
    return this.#look(source, options, async ({ boxes, width, height }, read) => {
      /** @type {Code[]} */
      const found = [];
      for (const box of boxes) found.push((await read(box)) ?? unread(box));
      return { codes: found.filter((code) => counts(code, options)), width, height };
    });
  }

  /**
   * Codes in the next frame of a video: each is read once, and again while it is unread or once it has moved; at most
   * one a frame. Frames of one video in their order, each awaited before the next.
   * @param {PictureSource} frame
   * @param {number} seconds when it was taken, on a clock that runs forward, such as `video.currentTime`
   * @param {ReadOptions} [options] those of `detect`
   * @returns {Promise<FollowResult>}
   */
  async follow(frame, seconds, options = {}) {
    return this.#look(frame, options, async ({ boxes, width, height }, read) => {
      if (seconds < this.#seconds) this.#known.clear();
      const tracked = this.#tracker.update(boxes, seconds);
      this.#seconds = seconds;
      const due = this.#due(tracked, seconds);
      if (due) {
        const code = await read(due);
        const before = this.#known.get(due.id)?.code ?? null;
        const kept = before && this.#remembered(due);
        this.#known.set(due.id, { tried: seconds, box: due, code: code ?? kept });
        const [first] = this.#known.keys();
        if (this.#known.size > MOST_KNOWN) this.#known.delete(first);
      }
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
   * @param {(result: {boxes: Box[], width: number, height: number}, read: (box: Box) => Promise<Code | null>) =>
   *   Promise<T>} then
   * @returns {Promise<T>}
   */
  async #look(source, options, then) {
    const { formats, ...detecting } = options;
    requireFormats(formats);
    const { signal, background, maxPixels } = detecting;
    signal?.throwIfAborted();
    const how = reading({ background, maxPixels });
    const picture = await pack(source);
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
      return await then(result, async (box) => {
        signal?.throwIfAborted();
        const [decode, whole] = [await this.#decode(), await pixels()];
        return codeIn(decode, box, whole, { background: how.background, formats });
      });
    } finally {
      release(picture);
    }
  }

  /**
   * @param {import('./picture/picture.js').Picture} picture
   * @param {import('./picture/picture.js').Limits} limits
   */
  async #pixels(picture, limits) {
    let pixels = { data: new Uint8ClampedArray(), width: 0, height: 0 };
    const room = (/** @type {number} */ width, /** @type {number} */ height) => {
      pixels = { data: new Uint8ClampedArray(width * height * 4), width, height };
      return pixels.data;
    };
    await readPicture(this.#reader, picture, room, limits);
    return pixels;
  }

  /**
   * The one that waits longest.
   * @param {import('./track.js').TrackedBox[]} boxes
   * @param {number} seconds
   */
  #due(boxes, seconds) {
    let [due, longest] = [/** @type {(Box & {id: number}) | null} */ (null), -1];
    for (const { id, ...box } of boxes) {
      if (id === null) continue;
      const known = this.#known.get(id);
      const waited = known ? seconds - known.tried : Number.POSITIVE_INFINITY;
      const isDue =
        !known || (waited >= AGAIN_SECONDS && (!known.code || hasMoved(known.box, box)));
      if (isDue && waited > longest) [due, longest] = [{ ...box, id }, waited];
    }
    return due;
  }

  /** What is known of the code in a box, moved along with it. @param {Box & {id: number | null}} box @returns {Code} */
  #remembered(box) {
    const known = box.id === null ? undefined : this.#known.get(box.id);
    if (!known?.code) return unread(box);
    const from = known.box;
    const corners = known.code.corners?.map(({ x, y }) => ({
      x: box.x + ((x - from.x) / from.width) * box.width,
      y: box.y + ((y - from.y) / from.height) * box.height,
    }));
    return { ...known.code, ...placeOf(box), corners: corners ?? null };
  }
}

/** @param {ReaderOptions} options @returns {Promise<Detector>} */
export function detectorOf({ detector, model = codes, threads }) {
  return detector ? Promise.resolve(detector) : Detector.open(model, { threads });
}

/** @param {Code} code @param {ReadOptions} options */
const counts = ({ readable, score }, { confidence = CONFIDENCE }) =>
  readable || score >= confidence;

/** @param {Box} box */
const placeOf = ({ x, y, width, height, score, name }) => ({
  box: { x, y, width, height },
  score,
  name,
});

/** @param {Box} box @returns {Code} */
const unread = (box) => ({
  text: null,
  bytes: null,
  format: null,
  corners: null,
  ...placeOf(box),
  readable: false,
});

/** @param {Box} from @param {Box} to */
function hasMoved(from, to) {
  const longer = Math.max(from.width, from.height);
  const across = Math.abs(from.x + from.width / 2 - to.x - to.width / 2);
  const down = Math.abs(from.y + from.height / 2 - to.y - to.height / 2);
  return Math.max(across, down) > MOVED * longer;
}

/**
 * @param {Decode} decode
 * @param {Box} box
 * @param {import('./code-reading.js').Pixels} picture
 * @param {{background: number, formats?: readonly string[]}} options
 * @returns {Promise<Code | null>}
 */
async function codeIn(decode, box, picture, { background, formats }) {
  /** @type {Parameters<typeof readCode>[3]} */
  const show = (part, scale, inverted) => greyFile(picture, part, scale, { inverted, background });
  const found = await readCode(decode, box, picture, show, { invert: true, formats });
  if (!found) return null;
  const { text, bytes, format } = found.answer;
  return { text, bytes, format, corners: found.corners, ...placeOf(box), readable: true };
}

/**
 * @param {Place} place
 * @param {Zxing | undefined} given
 * @param {string | URL | undefined} address
 * @returns {Promise<Decode>}
 */
async function load(place, given, address) {
  const { prepareZXingModule, readBarcodes } = given ?? (await place.load().catch(missing));
  if (given && address === undefined) return readBarcodes;
  try {
    const overrides = await place.overrides(address);
    await prepareZXingModule({ overrides, fireImmediately: true });
  } catch (cause) {
    const where = address === undefined ? 'zxing-wasm' : String(address);
    const sentence = `The decoder of codes did not load from ${where}: ${saying(cause)}.`;
    throw new WispError('WISP_ERR_FETCH', sentence, { cause });
  }
  return readBarcodes;
}

/** @param {unknown} cause @returns {never} */
function missing(cause) {
  const why = `which could not be loaded (${saying(cause)})`;
  const sentence = `Codes are read by zxing-wasm, ${why}: "npm install zxing-wasm@^3.1.4" adds it.`;
  throw new WispError('WISP_ERR_ENGINE', sentence, { cause });
}

/** @param {unknown} formats */
function requireFormats(formats) {
  const fits = Array.isArray(formats) && formats.every((one) => typeof one === 'string');
  if (formats === undefined || fits) return;
  const sentence = `formats is a list of names such as "QRCode" or "EAN13", not ${naming(formats)}.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}

/** @param {ReaderOptions} options */
export function requireAddress({ zxing, zxingWasm }) {
  if (zxing || typeof zxingWasm === 'string' || zxingWasm instanceof URL) return;
  const sentence = `zxingWasm is the address of zxing_reader.wasm on a server of yours, not ${naming(zxingWasm)}.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}
