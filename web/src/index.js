/// <reference lib="dom" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
// wisp for browsers and Node: open a model, detect boxes, close.

import { detection, inputSize, reading, threadCount } from './arguments.js';
import { download } from './bytes/download.js';
import { mayBeWisp } from './bytes/magic.js';
import { onAbort } from './crew/abort.js';
import { placesOf } from './crew/base.js';
import { bindMethods } from './crew/bound.js';
import { forgotten, Link, remembering } from './crew/link.js';
import { runtimeFiles } from './detect/runtime-files.js';
import { chooseVariant } from './detect/variant.js';
import { WORKER } from './detect/worker-files.js';
import { WispError } from './error.js';
import { countCores, isNode } from './host.js';
import { explainRefusal, movable, nameOf, pack } from './picture/pack.js';
import { release } from './picture/picture.js';
import { Spares } from './picture/spares.js';
import { compile } from './wasm/instance.js';

export { WispError };

/**
 * @typedef {import('./bytes/download.js').ModelSource} ModelSource under Node also a name that `wisp pull` knows
 * @typedef {import('./picture/picture.js').PictureSource} PictureSource
 * @typedef {import('./detect/engine.js').Result} Result
 * @typedef {import('./wasm/boxes.js').Box} Box
 * @typedef {import('./detect/variant.js').Variant} Variant
 * @typedef {import('./detect/service.js').DetectVerbs} DetectVerbs
 *
 * @typedef {object} Progress
 * @property {'engine' | 'model' | 'warmup'} phase
 * @property {number} loaded bytes; of 'warmup', frames
 * @property {number} total 0 where it isn't known yet
 * @property {boolean} [fromCache] of 'model': no network was needed
 *
 * @typedef {object} OwnOptions
 * @property {'auto' | number} [threads] 'auto': all cores but one, at most eight; one where the page can't share memory
 * @property {number | {width: number, height: number}} [size] of the network's input, multiples of the model's stride;
 *   default: the model's own
 * @property {AbortSignal} [signal] ends the opening wherever it is
 * @property {string} [integrity] "sha256-" and the hash of the model's bytes in base64: others are refused
 * @property {boolean | string} [cache] keeps the model for the next time, under that hash: in the page's Cache
 *   Storage, under Node in this folder, or with true in the user's own
 * @property {(progress: Progress) => void} [onProgress]
 * @property {boolean} [warmUp] a first detection on grey, so that the first real one is fast; default true
 * @property {Variant} [variant] this build and no other, for tests and measurements
 * @property {import('./detect/engine.js').Kernels} [kernels] these, for tests and measurements; default 'auto'
 * @property {import('./crew/here.js').InPlace} [inPlace] of wisp-yolo/in-place, for browsers: detects where it is
 *   called, on one thread; where no worker can be started that happens by itself, but for service workers
 *
 * @typedef {OwnOptions & import('./crew/base.js').Places} OpenOptions
 *
 * @typedef {import('./detect/engine.js').DetectOptions & import('./picture/picture.js').ReadOptions &
 *   {signal?: AbortSignal}} DetectOptions
 *
 * @typedef {import('./detect/engine.js').ModelInfo & import('./detect/engine.js').DetectorInfo &
 *   {variant: Variant, reason: string}} Info
 */

let advised = false;

export class Detector {
  /** @type {Link<DetectVerbs>} */
  #link;
  #spares = new Spares();
  #closing = new AbortController();

  /**
   * Use Detector.open.
   * @param {Link<DetectVerbs>} link
   * @param {Info} info
   * @param {Uint8Array<SharedArrayBuffer>} [landing]
   */
  constructor(link, info, landing) {
    this.#link = link;
    this.#spares.keep([], landing);
    /** What runs, on what, and why. @type {Readonly<Info>} */
    this.info = Object.freeze(info);
    bindMethods(this, Detector.prototype);
    forgotten.register(this, link, this);
  }

  /**
   * @param {ModelSource} model
   * @param {OpenOptions} [options]
   * @returns {Promise<Detector>}
   */
  static async open(model, options = {}) {
    const { signal } = options;
    signal?.throwIfAborted();
    const size = inputSize(options.size);
    const wish = {
      threads: threadCount(options.threads),
      cores: countCores(),
      variant: options.variant,
      there: options.inPlace?.wasm && Object.keys(options.inPlace.wasm),
      isAlone: !isNode() && (options.inPlace !== undefined || typeof Worker !== 'function'),
    };
    const { warmUp = true, kernels } = options;
    const { wasmBase, workerUrl } = placesOf(options, WORKER.inPackage);
    /** @type {Link<DetectVerbs>} */
    const link = new Link(WORKER, workerUrl, options.inPlace);
    const stop = new AbortController();
    const abort = () => {
      stop.abort(signal?.reason);
      link.end(signal?.reason);
    };
    const forget = onAbort(signal, abort);
    const onProgress = (/** @type {Progress} */ progress) => {
      try {
        options.onProgress?.(progress);
      } catch (thrown) {
        link.end(thrown); // what the caller's own function throws is nobody's fault here
      }
    };
    try {
      const stoppable = { ...options, wasmBase, onProgress, signal: stop.signal };
      const loading = load(link, { wish, size, warmUp, kernels }, stoppable);
      const arriving = Promise.all([loading, feed(link, model, loading, stoppable)]);
      const [choice] = await Promise.race([arriving, failing(link.ended)]); // a source may stall
      const { info, landing } = await ready(link, onProgress);
      signal?.throwIfAborted(); // onProgress may have aborted with the last report
      const { variant, reason } = choice;
      return new Detector(link, { ...info, variant, reason }, landing);
    } catch (thrown) {
      stop.abort();
      link.end(thrown);
      throw signal?.aborted ? signal.reason : thrown;
    } finally {
      forget();
    }
  }

  /**
   * Boxes in pixels of the source. Further calls wait for their turn. Several sources go through as one batch.
   * @overload
   * @param {PictureSource} source
   * @param {DetectOptions} [options]
   * @returns {Promise<Result>}
   *
   * @overload
   * @param {readonly PictureSource[]} source
   * @param {DetectOptions} [options]
   * @returns {Promise<Result[]>}
   *
   * @overload
   * @param {PictureSource | readonly PictureSource[]} source
   * @param {DetectOptions} [options]
   * @returns {Promise<Result | Result[]>}
   *
   * @param {any} source
   * @param {DetectOptions} [options]
   * @returns {Promise<any>}
   */
  async detect(source, { signal, background, maxPixels, ...options } = {}) {
    signal?.throwIfAborted();
    const wanted = { options: detection(options), reading: reading({ background, maxPixels }) };
    const isBatch = Array.isArray(source);
    const sources = isBatch ? source : [source];
    if (sources.length === 0) return [];
    const results = await remembering(this, () => this.#detectAll(sources, wanted, signal));
    return isBatch ? results : results[0];
  }

  /**
   * @param {PictureSource[]} sources
   * @param {Omit<DetectVerbs['detect']['body'], 'pictures'>} wanted what is looked for, and how the sources are read
   * @param {AbortSignal | undefined} signal
   * @returns {Promise<Result[]>}
   */
  async #detectAll(sources, wanted, signal) {
    const started = performance.now();
    const pictures = await this.#pack(sources, signal);
    const packing = (performance.now() - started) / sources.length;
    try {
      const { id, reply } = this.#link.request(
        'detect',
        { pictures, ...wanted },
        pictures.flatMap(movable),
      );
      const drop = () => this.#link.request('drop', { target: id }).reply.catch(() => {});
      const kept = reply.then(({ results, buffers, landing }) => {
        this.#spares.keep(buffers, landing);
        return results;
      });
      const results = await unlessAborted(kept, signal, drop);
      for (const { times } of results) {
        times.pixels += packing;
        times.total += packing;
      }
      return results;
    } catch (thrown) {
      pictures.forEach(release);
      throw explainRefusal(thrown);
    }
  }

  /** An element may never load. @param {PictureSource[]} sources @param {AbortSignal | undefined} signal */
  async #pack(sources, signal) {
    const spares = this.#spares;
    const packing = packAll(sources, spares);
    try {
      return await unlessAborted(unlessAborted(packing, this.#closing.signal), signal);
    } catch (thrown) {
      packing.then((late) => giveBack(late, spares), ignore);
      throw thrown;
    }
  }

  /**
   * Ends the worker and gives all memory back; what is under way rejects. Again does nothing.
   * @returns {Promise<void>}
   */
  async close() {
    forgotten.unregister(this);
    this.#closing.abort(closed());
    this.#spares = new Spares(); // they may be the engine's own memory
    await this.#link.end(closed());
  }

  [Symbol.dispose]() {
    this.close();
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }
}

const ignore = () => {};

/** @param {Promise<unknown>} ended @returns {Promise<never>} */
async function failing(ended) {
  throw await ended;
}

const closed = () => new WispError('WISP_ERR_CLOSED', 'The detector is closed.');

/**
 * The build is fetched and compiled here: the worker's own modules are still on their way.
 * @param {Link<DetectVerbs>} link
 * @param {{wish: import('./detect/variant.js').Wish, size: {width: number, height: number}, warmUp: boolean,
 *   kernels?: import('./detect/engine.js').Kernels}} wanted
 * @param {OpenOptions} options
 * @returns {Promise<import('./detect/variant.js').Choice>}
 */
async function load(link, wanted, { wasmBase, inPlace, onProgress, signal }) {
  const { variant } = chooseVariant(wanted.wish); // says what is missing here, before anything is looked for
  const files = runtimeFiles(wasmBase, isNode() ? undefined : inPlace);
  const report = (/** @type {number} */ loaded, /** @type {number} */ total) =>
    onProgress?.({ phase: 'engine', loaded, total });
  const compiled = await compile(files[variant].wasm, report, signal);
  const body = { ...wanted, files, variant, compiled };
  const choice = await link.request('load', body).reply;
  if (choice.reduced && !advised) {
    advised = true;
    console.info(`wisp runs with ${choice.reason}.`);
  }
  return choice;
}

/**
 * The model's bytes, piece by piece, into the engine.
 * @param {Link<DetectVerbs>} link
 * @param {ModelSource} model
 * @param {Promise<unknown>} engine there to take them
 * @param {OpenOptions} options
 */
async function feed(link, model, engine, { onProgress, inPlace, ...origin }) {
  const { name, total, pieces, fromCache = false } = await arrival(model, origin, inPlace);
  let size = 0; // as the file itself says
  let loaded = 0;
  for await (const piece of pieces) {
    if (piece.length === 0) continue;
    if (loaded === 0 && !mayBeWisp(piece)) throw await stranger(piece, name);
    await engine;
    size = await feedPiece(link, piece, name);
    loaded += piece.length;
    onProgress?.({ phase: 'model', loaded, total: size || total, fromCache });
  }
  if (size > 0 && loaded >= size) return;
  const of = size > 0 ? `${loaded} of ${size} bytes` : `${loaded} bytes`;
  const sentence = `${name} ends after ${of}: it was cut short, fetch it again.`;
  throw new WispError('WISP_ERR_TRUNCATED', sentence);
}

/**
 * @param {ModelSource} model
 * @param {import('./bytes/keep.js').Origin} origin
 * @param {import('./crew/here.js').InPlace} [inPlace]
 * @returns {Promise<import('./bytes/download.js').Download>}
 */
async function arrival(model, origin, inPlace) {
  if (isNode() && typeof model === 'string' && /^\w[\w-]*(@\d+)?$/.test(model))
    model = await (await import('./bytes/pulled.js')).pulledFile(model); // no address has that shape
  if (origin.integrity === undefined && !origin.cache) return download(model, origin.signal);
  const { downloadKept } = inPlace?.downloadKept ? inPlace : await import('./bytes/keep.js'); // seldom needed
  return /** @type {Function} */ (downloadKept)(model, origin);
}

/** @param {Uint8Array} piece the first @param {string} name */
async function stranger(piece, name) {
  const kinds = await import('./bytes/file-kind.js').catch(() => null); // seldom needed
  const { what, advice } = kinds?.fileKind(piece) ?? { what: 'something else', advice: '' };
  const sentence = `${name} is no .wisp file but ${what}.${advice ? ` ${advice}.` : ''}`;
  return new WispError('WISP_ERR_FORMAT', sentence);
}

/** @param {Link<DetectVerbs>} link @param {Uint8Array} piece @param {string} name */
async function feedPiece(link, piece, name) {
  const bytes = new Uint8Array(piece); // a copy: the piece may be the caller's
  try {
    return await link.request('feed', { bytes }, [bytes.buffer]).reply;
  } catch (cause) {
    if (!(cause instanceof WispError)) throw cause;
    throw new WispError(cause.code, `${name}: ${cause.message}`, { cause });
  }
}

/**
 * What is left to do once the last byte is there.
 * @param {Link<DetectVerbs>} link
 * @param {(progress: Progress) => void} onProgress
 */
async function ready(link, onProgress) {
  onProgress({ phase: 'warmup', loaded: 0, total: 1 });
  const info = await link.request('open', {}).reply;
  onProgress({ phase: 'warmup', loaded: 1, total: 1 });
  return info;
}

/**
 * All or none: what was packed before one failed is given back.
 * @param {PictureSource[]} sources
 * @param {Spares} spares
 */
async function packAll(sources, spares) {
  const name = (/** @type {PictureSource} */ source, /** @type {number} */ index) =>
    nameOf(source, index, sources.length);
  const packed = await Promise.allSettled(
    sources.map((source, index) => pack(source, spares, name(source, index))),
  );
  const pictures = packed.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = packed.find((one) => one.status === 'rejected');
  if (!failed) return pictures;
  giveBack(pictures, spares);
  throw failed.reason;
}

/** They won't go to the worker. @param {import('./picture/picture.js').Picture[]} pictures @param {Spares} spares */
function giveBack(pictures, spares) {
  pictures.forEach(release);
  spares.takeBack(pictures);
}

/**
 * @template T
 * @param {Promise<T>} reply
 * @param {AbortSignal | undefined} signal
 * @param {() => void} [drop]
 * @returns {Promise<T>}
 */
function unlessAborted(reply, signal, drop = ignore) {
  if (!signal) return reply;
  return new Promise((resolve, reject) => {
    const abort = () => {
      drop();
      reject(signal.reason);
    };
    if (signal.aborted) abort();
    const forget = onAbort(signal, abort);
    reply.then(resolve, reject).finally(forget);
  });
}
