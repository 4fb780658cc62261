/// <reference lib="dom" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
// The press for browsers and Node: a float network and calibration pictures in, a .wisp file out.

import { classList, detection, inputSize, plain, reading, threadCount } from './arguments.js';
import { onAbort } from './crew/abort.js';
import { placesOf } from './crew/base.js';
import { bindMethods } from './crew/bound.js';
import { forgotten, Link, remembering } from './crew/link.js';
import { kindOf, naming, WispError } from './error.js';
import { onlyClasses } from './graph/class-subset.js';
import { countCores, isNode } from './host.js';
import { explainRefusal, movable, pack } from './picture/pack.js';
import { release } from './picture/picture.js';
import { isOfPicture } from './picture/picture-fault.js';
import { importFrom, prefixed } from './pressing/press-source.js';
import { PRESS_WORKER } from './pressing/press-worker-files.js';

export { WispError };

/**
 * @typedef {import('./bytes/download.js').ModelSource} ModelSource
 * @typedef {import('./picture/picture.js').PictureSource} PictureSource
 * @typedef {import('./picture/picture.js').ReadOptions} ReadOptions
 * @typedef {import('./pressing/press-settings.js').QuantiseOptions} QuantiseOptions
 * @typedef {import('./pressing/press-settings.js').LayerAccount} LayerAccount
 * @typedef {import('./pressing/press-service.js').PressInfo} PressInfo
 * @typedef {import('./pressing/press-service.js').PressVerbs} PressVerbs
 * @typedef {import('./graph/float-graph.js').FloatGraph} FloatGraph
 *
 * @typedef {object} Progress
 * @property {'import' | 'load' | 'fold' | 'observe' | 'quantise' | 'pack'} phase
 * @property {number} [done] of 'observe': pictures; of 'quantise': a share of the work
 * @property {number} [total] of 'observe': 0 where it isn't known; of 'quantise': 1
 *
 * @typedef {object} OwnOptions
 * @property {'auto' | number} [threads]
 * @property {number | {width: number, height: number}} [size] of the network's input, multiples of its largest stride;
 *   default: as exported
 * @property {readonly (string | number)[]} [classes] names or numbers of those to keep, in this order; the heads are
 *   cut to them, and what they say of these classes stays the same; default: all
 * @property {(progress: Progress) => void} [onProgress]
 *
 * @typedef {OwnOptions & import('./pressing/press-source.js').ImportOptions &
 *   import('./crew/base.js').Places} OpenOptions
 *
 * @typedef {object} Quantised
 * @property {Required<QuantiseOptions>} settings that were used
 * @property {LayerAccount[]} layers what they did to each convolution, in execution order
 *
 * @typedef {object} FloatResult
 * @property {import('./detect/engine.js').Box[]} boxes best first
 * @property {number} width of the source, in pixels
 * @property {number} height
 *
 * @typedef {object} Pressed
 * @property {Uint8Array<ArrayBuffer>} bytes the .wisp file
 * @property {number} pictures that were observed
 * @property {{index: number, error: unknown}[]} skipped pictures that could not be read
 * @property {LayerAccount[]} layers what was done to each convolution, in execution order
 * @property {string[]} remarks what was supposed of the file, or is lost
 */

/** A network in float while it is looked at; works in a Worker, or in place where none can be started. */
export class Press {
  /** @type {Link<PressVerbs>} */
  #link;
  /** @type {FloatGraph} */
  #graph;
  /** @type {() => void} */
  #forget;

  /**
   * Use Press.open.
   * @param {Link<PressVerbs>} link
   * @param {FloatGraph} graph
   * @param {PressInfo} info
   * @param {() => void} forget
   */
  constructor(link, graph, info, forget) {
    this.#link = link;
    this.#graph = graph;
    this.#forget = forget;
    forgotten.register(this, link, this);
    /** What was opened. */
    this.info = Object.freeze(info);
    bindMethods(this, Press.prototype);
  }

  /**
   * @param {ModelSource | FloatGraph} model an ONNX file, or what another importer made
   * @param {OpenOptions} [options]
   * @returns {Promise<Press>}
   */
  static async open(model, options = {}) {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    const size = inputSize(options.size);
    const wish = {
      threads: threadCount(options.threads),
      cores: countCores(),
      isAlone: !isNode() && typeof Worker !== 'function',
    };
    onProgress?.({ phase: 'import' });
    const classes = classList(options.classes);
    const { graph: whole, source } = await importFrom(model, options).catch((thrown) => {
      throw signal?.aborted ? signal.reason : thrown;
    });
    signal?.throwIfAborted(); // nobody listened meanwhile
    const graph = classes ? onlyClasses(whole, classes) : whole;
    const chosen = classes ? { classes: graph.classes } : {};
    const { wasmBase, workerUrl } = placesOf(options, PRESS_WORKER.inPackage);
    /** @type {Link<PressVerbs>} */
    const link = new Link(PRESS_WORKER, workerUrl);
    const abort = () => link.end(signal?.reason);
    const forget = onAbort(signal, abort);
    try {
      const body = { graph, source, size, wish, base: wasmBase?.href, chosen };
      const info = await link.request('open', body, [], onProgress).reply;
      return new Press(link, graph, info, forget);
    } catch (thrown) {
      forget();
      link.end(thrown);
      throw signal?.aborted ? signal.reason : prefixed(source.name, thrown);
    }
  }

  /**
   * Shows the network one calibration picture.
   * @param {PictureSource} picture
   * @param {ReadOptions} [options]
   * @returns {Promise<number>} pictures seen so far
   */
  observe(picture, options = {}) {
    return this.#withPicture('observe', picture, { reading: reading(options) });
  }

  /**
   * Removes whole channels where the end result loses least, and refits what reads the others: a smaller dense network.
   * Needs observed pictures, which have to be observed again afterwards.
   * @param {number} share of the multiply-adds to save, 0 … 0.7
   * @returns {Promise<number>} the share that was saved
   */
  channels(share) {
    return this.#ask('channels', { share: Number(share) });
  }

  /**
   * The settings that `quantise` would take, with what it does where these say nothing; an error where they can't be.
   * @param {QuantiseOptions} [options]
   * @returns {Promise<Required<QuantiseOptions>>}
   */
  async settings(options = {}) {
    return this.#ask('settings', { options: plain(options) });
  }

  /**
   * Zeros and integers for the weights, ranges for the activations. May be called again with other settings.
   * @param {QuantiseOptions} [options]
   * @param {(progress: Progress) => void} [onProgress]
   * @returns {Promise<Quantised>}
   */
  async quantise(options = {}, onProgress = undefined) {
    return this.#ask('quantise', { options: plain(options) }, [], onProgress);
  }

  /**
   * @param {object} [provenance] more to say in the file than source, tool, settings and number of pictures
   * @returns {Promise<Uint8Array<ArrayBuffer>>} a .wisp file
   */
  pack(provenance = {}) {
    return this.#ask('pack', { provenance });
  }

  /**
   * The network with the weights that the last `quantise` left, zeros and all, and whatever else it does in floats: to
   * train it further.
   * @returns {Promise<FloatGraph>}
   */
  async network() {
    this.#graph.nodes.forEach(requireWhole);
    const found = await this.#ask('dequantise', {});
    return { ...this.#graph, nodes: this.#graph.nodes.map((node) => weighed(node, found)) };
  }

  /**
   * Boxes of the float network, in pixels of the source.
   * @param {PictureSource} picture
   * @param {Omit<import('./detect/engine.js').DetectOptions, 'classes' | 'tiles'> & ReadOptions} [options]
   * @returns {Promise<FloatResult>}
   */
  async detect(picture, { background, maxPixels, ...others } = {}) {
    const options = detection(others);
    if (options.classes)
      throw new WispError('WISP_ERR_ARGUMENT', 'A press finds boxes of all its classes.');
    const body = { options, reading: reading({ background, maxPixels }) };
    return this.#withPicture('detect', picture, body);
  }

  /**
   * @template {keyof PressVerbs} K
   * @param {K} verb
   * @param {PressVerbs[K]['body']} body
   * @param {Transferable[]} [transfer]
   * @param {(progress: any) => void} [onProgress]
   * @returns {Promise<PressVerbs[K]['reply']>}
   */
  #ask(verb, body, transfer, onProgress) {
    return remembering(this, () => this.#link.request(verb, body, transfer, onProgress).reply);
  }

  /**
   * @template {'observe' | 'detect'} K
   * @param {K} verb
   * @param {PictureSource} source
   * @param {Omit<PressVerbs[K]['body'], 'picture'>} body
   * @returns {Promise<PressVerbs[K]['reply']>}
   */
  async #withPicture(verb, source, body) {
    const picture = await pack(source);
    try {
      const whole = /** @type {PressVerbs[K]['body']} */ ({ picture, ...body });
      return await this.#ask(verb, whole, movable(picture));
    } catch (thrown) {
      release(picture);
      throw explainRefusal(thrown);
    }
  }

  /** Ends the worker; what is under way rejects. Again does nothing. @returns {Promise<void>} */
  async close() {
    forgotten.unregister(this);
    this.#forget();
    await this.#link.end(new WispError('WISP_ERR_CLOSED', 'The press is closed.'));
  }

  [Symbol.dispose]() {
    this.close();
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }
}

/**
 * @typedef {object} All
 * @property {Iterable<PictureSource> | AsyncIterable<PictureSource>} [pictures] to calibrate with; only a network that
 *   was trained with wisp's integers needs none
 * @property {number} [channels] share of the multiply-adds to save by removing whole channels, 0 … 0.7; the pictures
 *   are then looked at twice, and have to be a list
 */

/**
 * All of it: opens the network, shows it the pictures, quantises, packs. Pictures that can't be read are skipped.
 * @param {ModelSource | FloatGraph} model an ONNX file, or what another importer made
 * @param {OpenOptions & QuantiseOptions & ReadOptions & All} options
 * @returns {Promise<Pressed>}
 */
export async function press(model, { pictures = [], channels, ...options }) {
  requirePictures(pictures, channels);
  reading(options); // refuses before the network is opened
  const opened = await Press.open(model, options);
  const settings = settingsIn(options);
  try {
    await opened.settings(settings); // before hours go into pictures
    let skipped = await look(opened, pictures, options);
    if (channels !== undefined) {
      await opened.channels(channels);
      skipped = await look(opened, pictures, options);
    }
    const { onProgress } = options;
    onProgress?.({ phase: 'quantise', done: 0, total: 1 });
    const { layers } = await opened.quantise(settings, onProgress);
    onProgress?.({ phase: 'pack' });
    const remarks = opened.info.remarks.map((remark) => `${remark}.`);
    return { bytes: await opened.pack(), layers, remarks, ...skipped };
  } finally {
    await opened.close();
  }
}

/** @param {unknown} pictures @param {number | undefined} channels */
function requirePictures(pictures, channels) {
  const any = Object(pictures);
  const isPicture =
    typeof pictures === 'string' || kindOf(pictures) === 'Blob' || ArrayBuffer.isView(pictures);
  const isList = Symbol.iterator in any || Symbol.asyncIterator in any;
  if (isPicture || !isList)
    throw new WispError(
      'WISP_ERR_ARGUMENT',
      `pictures is a list of pictures, not ${naming(pictures)}.`,
    );
  if (channels === undefined || Array.isArray(pictures)) return;
  const sentence = 'channels looks at the pictures twice, so they have to be an array.';
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}

/** @param {import('./graph/float-graph.js').GraphNode} node */
function requireWhole(node) {
  const { op, name } = node;
  const isGrouped = op === 'conv' && node.groups > 1 && node.groups !== node.channels[0];
  if (op !== 'affine' && !isGrouped) return;
  const sentence = `Node "${name}" was folded into others, so the network can't be given in the shape that it came in.`;
  throw new WispError('WISP_ERR_UNSUPPORTED', sentence);
}

/**
 * @param {import('./graph/float-graph.js').GraphNode} node
 * @param {Map<number, import('./pressing/press-engine.js').Dequantised>} found
 */
function weighed(node, found) {
  const left = found.get(node.output);
  return node.op === 'conv' && left ? { ...node, ...left } : node;
}

/** What is not for opening. @param {OpenOptions & QuantiseOptions & ReadOptions} options @returns {QuantiseOptions} */
function settingsIn(options) {
  const { threads, size, classes, name, anchors, beside, ...others } = options;
  const { signal, onProgress, base, wasmBase, workerUrl, ...rest } = others;
  const { background, maxPixels, ...settings } = rest;
  return settings;
}

/**
 * Shows a press all the pictures. One that can't be read, or is too large for the memory, is left out.
 * @param {Press} opened
 * @param {Iterable<PictureSource> | AsyncIterable<PictureSource>} pictures
 * @param {ReadOptions & {onSkip?: (error: WispError, index: number) => void, onPicture?: (index: number) => void}}
 *   [options] how pictures are read; called for each that is left out, and after each
 * @returns {Promise<number>} how many were seen
 */
export async function observeAll(opened, pictures, options = {}) {
  const { onSkip, onPicture, ...reads } = options;
  let [index, seen] = [0, 0];
  for await (const picture of pictures) {
    try {
      await opened.observe(picture, reads);
      seen++;
    } catch (error) {
      if (!isOfPicture(error)) throw error;
      onSkip?.(error, index);
    }
    onPicture?.(index++);
  }
  return seen;
}

/**
 * @param {Press} opened
 * @param {Iterable<PictureSource> | AsyncIterable<PictureSource>} pictures
 * @param {OpenOptions & ReadOptions} options
 */
async function look(opened, pictures, options) {
  const { onProgress } = options;
  const total = Array.isArray(pictures) ? pictures.length : 0;
  /** @type {Pressed['skipped']} */
  const skipped = [];
  onProgress?.({ phase: 'observe', done: 0, total });
  const seen = await observeAll(opened, pictures, {
    background: options.background,
    maxPixels: options.maxPixels,
    onSkip: (error, index) => skipped.push({ index, error }),
    onPicture: (index) => onProgress?.({ phase: 'observe', done: index + 1, total }),
  });
  const given = seen + skipped.length;
  if (seen > 0 || (given === 0 && opened.info.trained)) return { pictures: seen, skipped };
  const why = given === 0 ? 'there are none' : `none of the ${given} can be read`;
  throw new WispError(
    'WISP_ERR_SOURCE',
    `The press needs pictures to calibrate with, but ${why}; 32 or more are best.`,
    { cause: skipped[0]?.error },
  );
}
