// codes.js - looks at pictures with the page's detector and CodeReader: what is found, and what the codes in it say.
import { CodeReader } from 'wisp-yolo/code-reader';
import { CodeList } from './code-list.js';
import { codeOf } from './code-text.js';
import { isCode } from './sentences.js';

/**
 * @typedef {import('../src/index.js').Box} Box
 * @typedef {import('../src/index.js').Result} Result
 * @typedef {import('../src/index.js').DetectOptions & {confidence: number}} Options
 * @typedef {import('../src/code-reader.js').Code & {id?: number | null}} Found
 * @typedef {import('./code-text.js').Code} Code
 * @typedef {import('./sources.js').Source} Source
 *
 * @typedef {Box & {code?: Code, why?: string | null}} Seen code: what was read in it; why: what it was not read for
 */

export class Codes {
  #list;
  #detect;
  #classes;
  #onError;
  /** @type {Promise<CodeReader> | undefined} */
  #reader;
  /** @type {Source | null} */
  #source = null;
  #broken = false;
  /** @type {AbortController | undefined} */
  #reading;
  /** Who waits for what is found, by the signal of the look. @type {WeakMap<AbortSignal, (result: Result) => void>} */
  #waiting = new WeakMap();

  /**
   * @param {object} callbacks
   * @param {(picture: any, options: Partial<Options>) => Promise<Result> | null} callbacks.detect
   * @param {() => string[]} callbacks.classes of the model
   * @param {(box: Box | null) => void} callbacks.onHighlight null for none
   * @param {(error: unknown) => void} callbacks.onError
   */
  constructor({ detect, classes, onHighlight, onError }) {
    this.#detect = detect;
    this.#classes = classes;
    this.#onError = onError;
    this.#list = new CodeList(onHighlight);
  }

  /**
   * What is in the present picture of a source. What codes say comes with it while a video runs, else later.
   * @param {Source} source
   * @param {Options} options
   * @param {(result: Result) => void} onRead
   * @returns {Promise<Result>}
   */
  async look(source, options, onRead) {
    if (source !== this.#source) this.clear();
    this.#source = source;
    this.#reading?.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    /** @type {Promise<Result>} */
    const found = new Promise((resolve) => this.#waiting.set(signal, resolve));
    const seen = this.#seen(source, { ...options, signal }).then(
      ({ codes }) => codes,
      async (error) => {
        const isFound = await Promise.race([found, false]);
        if (!isFound) throw error;
        if (signal.aborted) return null;
        this.#giveUp(error);
        return [];
      },
    );
    if (isLive(source)) return this.#told(source, await found, await seen, options);
    const result = await Promise.race([found, seen.then(() => found)]);
    void seen.then((codes) => {
      if (codes && !signal.aborted) onRead(this.#told(source, result, codes, options));
    });
    return this.#told(source, result, null, options);
  }

  clear() {
    this.#reading?.abort();
    this.#source = null;
    this.#list.clear();
  }

  /** @param {Source} source @param {Options & {signal: AbortSignal}} how */
  async #seen({ frame, element }, how) {
    this.#reader ??= CodeReader.open({
      detector: /** @type {any} */ ({
        detect: (/** @type {any} */ picture, /** @type {any} */ options) =>
          this.#find(picture, options),
      }),
      worker: new Worker(new URL('./code-worker.js', import.meta.url), {
        type: 'module',
        name: 'code reader',
      }),
    });
    const reader = await this.#reader;
    if (this.#broken) return { codes: [], ...(await this.#find(frame, how)) };
    const isMoving = element instanceof HTMLVideoElement && !element.paused;
    return isMoving ? reader.follow(frame, element.currentTime, how) : reader.read(frame, how);
  }

  /** For the reader: the codes; all else is told to who waits. @param {any} picture @param {Options} options */
  async #find(picture, { signal, ...options }) {
    const result = await this.#detect(picture, options);
    if (!result) throw new DOMException('The model was closed.', 'AbortError');
    if (signal) this.#waiting.get(signal)?.(result);
    return { ...result, boxes: result.boxes.filter(({ name }) => isCode(name)) };
  }

  /**
   * @param {Source} source
   * @param {Result} result
   * @param {Found[] | null} codes null: not known yet
   * @param {Options} options
   * @returns {Result} what is shown: boxes that are sure enough, and those in which something was read
   */
  #told(source, result, codes, { confidence }) {
    const classes = this.#classes();
    const known = new Map(codes?.map((code) => [placeOf(code.box), code]));
    /** @type {Seen[]} */
    const boxes = result.boxes.map((box) => told(box, known.get(placeOf(box))));
    const places = new Set(boxes.map(placeOf));
    for (const code of codes ?? [])
      if (!places.has(placeOf(code.box))) {
        const { box, score, name } = code; // only the decoder found it
        boxes.unshift(
          told({ ...box, score, name, label: Math.max(0, classes.indexOf(name)) }, code),
        );
      }
    const shown = boxes.filter(({ score, code }) => code || score >= confidence);
    const entries = shown.flatMap((box) => {
      const code = known.get(placeOf(box));
      return isCode(box.name) ? { box, id: code?.id, code: box.code, bytes: code?.bytes } : [];
    });
    this.#list.show(entries, {
      isLive: isLive(source),
      isDone: codes !== null,
      isBroken: this.#broken,
    });
    return { ...result, boxes: shown };
  }

  /** Once is enough: the decoder is not there. @param {unknown} error */
  #giveUp(error) {
    if (!this.#broken) this.#onError(error);
    this.#broken = true;
  }
}

/** @param {Source} source */
const isLive = ({ element }) => element instanceof HTMLVideoElement && !element.paused;

/** @param {{x: number, y: number, width: number, height: number}} box */
const placeOf = ({ x, y, width, height }) => `${x} ${y} ${width} ${height}`;

/** @param {Box} box @param {Found | undefined} found @returns {Seen} */
function told(box, found) {
  if (!found) return box;
  if (found.readable) return { ...box, code: codeOf(found) };
  return found.why === 'not yet' ? box : { ...box, why: found.why };
}
