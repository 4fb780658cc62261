// What a worker does with each verb.

import { Requests } from '../crew/requests.js';
import { WispError } from '../error.js';
import { bringsLanding, release } from '../picture/picture.js';
import { readPicture } from '../reading/read.js';
import { Engine } from './engine.js';
import { chooseVariant } from './variant.js';

/**
 * @typedef {import('../picture/picture.js').Picture} Picture
 * @typedef {import('../picture/picture.js').Reader} Reader
 * @typedef {import('./engine.js').Detection} Detection
 * @typedef {{background: number, maxPixels: number}} Reading
 *
 * @typedef {object} DetectVerbs
 * @property {{body: Load, reply: import('./variant.js').Choice}} load
 * @property {{body: {bytes: Uint8Array<ArrayBuffer>}, reply: number}} feed the size of the whole model, once known
 * @property {{body: {}, reply: {info: Info, landing: Landing}}} open
 * @property {{body: {pictures: Picture[], options: Detection, reading: Reading}, reply: Detected}} detect
 * @property {{body: {target: number}, reply: void}} drop nobody waits for that request any more
 *
 * @typedef {import('./engine.js').ModelInfo & import('./engine.js').DetectorInfo} Info
 * @typedef {Uint8Array<SharedArrayBuffer> | undefined} Landing room for a raw picture in the engine's memory, lent
 * @typedef {{results: import('./engine.js').Result[], buffers: ArrayBuffer[], landing: Landing}} Detected
 *
 * @typedef {object} Load
 * @property {import('./variant.js').Wish} wish
 * @property {Record<import('./variant.js').Variant, import('./runtime-files.js').BuildFiles>} files
 * @property {import('./variant.js').Variant} variant that `compiled` is of
 * @property {WebAssembly.Module} compiled
 * @property {{width: number, height: number}} size
 * @property {boolean} warmUp
 * @property {import('./engine.js').Kernels} [kernels]
 */

/**
 * @template {keyof DetectVerbs} [K=keyof DetectVerbs]
 * @typedef {import('../crew/requests.js').Message<DetectVerbs, K>} Message
 */

const COMMON = 1280 * 720 * 4; // bytes of a picture
const TOGETHER = 32 << 20; // bytes of the pictures that are in memory at once, if there are several

export class Service {
  #requests;
  /** @type {Reader} */
  #reader;
  /** @type {Engine | undefined} */
  #engine;
  /** End the reading of pictures that nobody waits for any more, by request. @type {Map<number, AbortController>} */
  #stops = new Map();
  /** Whether the page has the room that it may write the next picture into. */
  #lent = false;

  /** @param {(message: object, transfer?: ArrayBuffer[]) => void} post @param {Reader} reader */
  constructor(post, reader) {
    /** @type {import('../crew/requests.js').Handlers<DetectVerbs>} */
    const handlers = {
      load: (message) => this.#load(message),
      feed: ({ bytes }) => this.#loaded().feed(bytes),
      open: () => this.#open(),
      detect: (message) => this.#detect(message),
      drop: () => {}, // received long before its turn
    };
    this.#requests = new Requests(post, handlers);
    this.#reader = reader;
  }

  /** @param {Message} message */
  receive(message) {
    if (message.verb === 'detect') this.#stops.set(message.id, new AbortController());
    if (message.verb === 'drop') this.#stops.get(message.target)?.abort();
    this.#requests.take(message);
  }

  #loaded() {
    if (!this.#engine) throw new WispError('WISP_ERR_ENGINE', 'The engine has not loaded.');
    return this.#engine;
  }

  /** @param {Message<'load'>} message */
  async #load({ wish, files, variant, compiled, size, warmUp, kernels }) {
    const choice = chooseVariant(wish);
    const same = choice.variant === variant; // unless the worker may less than the page
    this.#engine = await Engine.load(choice, files, same ? compiled : undefined);
    this.#engine.expect(size.width, size.height, warmUp, kernels);
    return this.#engine.choice;
  }

  #open() {
    const engine = this.#loaded();
    engine.open();
    const landing = this.#lend(COMMON);
    return { info: { ...engine.describeModel(), ...engine.describeDetector() }, landing };
  }

  /** @param {number} size bytes */
  #lend(size) {
    const landing = this.#lent ? undefined : this.#loaded().landing(size);
    this.#lent ||= landing !== undefined;
    return landing;
  }

  /** @param {Message<'detect'>} message */
  async #detect({ id, pictures, options, reading }) {
    if (pictures.some(bringsLanding)) this.#lent = false;
    try {
      const { signal } = /** @type {AbortController} */ (this.#stops.get(id));
      const results = [];
      while (results.length < pictures.length && !signal.aborted)
        results.push(
          ...(await this.#some(pictures.slice(results.length), options, { ...reading, signal })),
        );
      return { results, ...this.#spares(pictures) };
    } finally {
      this.#stops.delete(id);
      pictures.forEach(release);
    }
  }

  /**
   * The first of the pictures: as many as fit into memory together, one at least.
   * @param {Picture[]} pictures
   * @param {Detection} options
   * @param {Reading & {signal: AbortSignal}} reading
   */
  async #some(pictures, options, { background, maxPixels, signal }) {
    const engine = this.#loaded();
    /** @type {number[]} */
    const spent = [];
    let bytes = 0;
    for (const [i, picture] of pictures.entries()) {
      if (bytes > TOGETHER || signal.aborted) break;
      const started = performance.now();
      const hasLanded = picture.kind === 'landed';
      const room = (/** @type {number} */ width, /** @type {number} */ height) => {
        bytes += width * height * 4;
        return hasLanded ? engine.land(i, width, height) : engine.frame(i, width, height);
      };
      const limits = { maxPixels, signal };
      if (await readPicture(this.#reader, picture, room, limits)) engine.flatten(i, background);
      spent.push(performance.now() - started);
    }
    return engine.detect(spent.length, options).map(({ times, ...rest }, i) => ({
      ...rest,
      times: { ...times, pixels: spent[i], total: times.total + spent[i] },
    }));
  }

  /** Room for the next pictures like these, raw ones: their own, and the engine's. @param {Picture[]} pictures */
  #spares(pictures) {
    const buffers = pictures.flatMap((one) => (one.kind === 'raw' ? [one.data.buffer] : []));
    const sizes = pictures.flatMap((one) =>
      one.kind === 'raw' || one.kind === 'landed' ? [one.width * one.height * 4] : [],
    );
    return { buffers, landing: sizes.length > 0 ? this.#lend(Math.max(...sizes)) : undefined };
  }
}
