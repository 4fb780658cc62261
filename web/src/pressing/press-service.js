// What the press's worker does with each verb.

import { Requests } from '../crew/requests.js';
import { chooseVariant } from '../detect/variant.js';
import { WispError } from '../error.js';
import { readPicture } from '../reading/read.js';
import { VERSION } from '../version.js';
import { PressEngine } from './press-engine.js';

/**
 * @typedef {import('./press-settings.js').QuantiseOptions} QuantiseOptions
 * @typedef {import('../picture/picture.js').Picture} Picture
 * @typedef {import('../detect/service.js').Reading} Reading
 * @typedef {Omit<import('../detect/engine.js').Detection, 'classes'>} Detection
 * @typedef {import('../picture/picture.js').Reader} Reader
 *
 * @typedef {object} Source where a network comes from
 * @property {string} name
 * @property {number} [bytes] of the file, if there was one
 * @property {string | null} [sha256] of the file; null on a page that is no secure context
 * @property {string} format
 * @property {string} producer
 *
 * @typedef {object} PressInfo
 * @property {number} width of the network's input
 * @property {number} height
 * @property {string[]} classes
 * @property {import('../graph/float-graph.js').GraphHead[]} heads
 * @property {NodeInfo[]} nodes in execution order
 * @property {Source} source
 * @property {number} threads
 * @property {string[]} remarks what was supposed of the file, or is lost
 * @property {boolean} trained with wisp's integers: it may be pressed without pictures, and loses nothing then
 *
 * @typedef {{op: string, name: string, channels?: [number, number], kernel?: [number, number],
 *   stride?: [number, number]}} NodeInfo
 */

/**
 * @typedef {object} PressVerbs
 * @property {{body: Opening, reply: PressInfo}} open
 * @property {{body: {picture: Picture, reading: Reading}, reply: number}} observe
 * @property {{body: {share: number}, reply: number}} channels
 * @property {{body: {options: QuantiseOptions}, reply: Required<QuantiseOptions>}} settings
 * @property {{body: {options: QuantiseOptions}, reply: Pressed}} quantise
 * @property {{body: {provenance: object}, reply: Uint8Array<ArrayBuffer>}} pack
 * @property {{body: {}, reply: Map<number, import('./press-engine.js').Dequantised>}} dequantise
 * @property {{body: {picture: Picture, options: Detection, reading: Reading}, reply: Found}} detect
 *
 * @typedef {ReturnType<PressEngine['quantise']>} Pressed
 * @typedef {ReturnType<PressEngine['detect']>} Found
 *
 * @typedef {object} Opening
 * @property {import('../graph/float-graph.js').FloatGraph} graph
 * @property {Source} source
 * @property {{width: number, height: number}} size
 * @property {import('../detect/variant.js').Wish} wish
 * @property {string} [base]
 * @property {object} chosen for the provenance
 */

/**
 * @template {keyof PressVerbs} [K=keyof PressVerbs]
 * @typedef {import('../crew/requests.js').Message<PressVerbs, K>} Message
 */

export class PressService {
  /** @type {(message: object) => void} */
  #post;
  #requests;
  /** @type {Reader} */
  #reader;
  /** @type {PressEngine | undefined} */
  #engine;
  /** @type {PressInfo | undefined} */
  #info;
  #pictures = 0;
  /** Of the network, as opened. @type {object} */
  #chosen = {};
  /** @type {import('./press-engine.js').QuantiseOptions | {trained: true}} */
  #settings = {};

  /** @param {(message: object) => void} post @param {Reader} reader */
  constructor(post, reader) {
    /** @type {import('../crew/requests.js').Handlers<PressVerbs>} */
    const handlers = {
      open: (message) => this.#open(message),
      observe: (message) => this.#observe(message),
      channels: (message) => this.#channels(message),
      settings: ({ options }) => this.#opened().settings(options),
      quantise: (message) => this.#quantise(message),
      pack: ({ provenance }) => this.#opened().pack(this.#provenance(provenance)),
      dequantise: () => this.#opened().dequantise(),
      detect: (message) => this.#detect(message),
    };
    this.#requests = new Requests(post, handlers);
    this.#post = post;
    this.#reader = reader;
  }

  /** @param {Message} message */
  receive(message) {
    this.#requests.take(message);
  }

  #opened() {
    if (!this.#engine) throw new WispError('WISP_ERR_ENGINE', 'The press has no network yet.');
    return this.#engine;
  }

  /** @param {Message<'open'>} message @returns {Promise<PressInfo>} */
  async #open({ id, graph, source, size, wish, base, chosen }) {
    const begin = (/** @type {string} */ phase) => this.#post({ id, progress: { phase } });
    begin('load');
    this.#engine = await PressEngine.load(chooseVariant(wish).threads, base);
    begin('fold');
    const input = {
      width: size.width || graph.input.width,
      height: size.height || graph.input.height,
    };
    this.#engine.build(graph, input);
    this.#chosen = chosen;
    const { classes, heads, remarks = [] } = graph;
    /** @type {NodeInfo[]} */
    const nodes = graph.nodes.map(describe);
    const { threads, trained } = this.#engine;
    this.#info = { ...input, classes, heads, nodes, source, threads, remarks, trained };
    return this.#info;
  }

  /** @param {Message<'observe'>} message @returns {Promise<number>} pictures observed so far */
  async #observe({ picture, reading }) {
    await this.#read(picture, reading);
    this.#opened().observe();
    return ++this.#pictures;
  }

  /** @param {Message<'channels'>} message @returns {number} */
  #channels({ share }) {
    const saved = this.#opened().channels(share);
    this.#chosen = { ...this.#chosen, channels: share };
    this.#pictures = 0;
    return saved;
  }

  /** @param {Message<'quantise'>} message */
  #quantise({ id, options }) {
    const tell = (/** @type {number} */ share) =>
      this.#post({ id, progress: { phase: 'quantise', done: share, total: 1 } });
    const pressed = this.#opened().quantise(options, tell);
    const asTrained = this.#pictures === 0;
    this.#settings = asTrained ? { trained: true } : pressed.settings;
    return pressed;
  }

  /** @param {Message<'detect'>} message */
  async #detect({ picture, options, reading }) {
    await this.#read(picture, reading);
    return this.#opened().detect(options);
  }

  /**
   * @param {import('../picture/picture.js').Picture} picture
   * @param {{background: number, maxPixels: number}} reading
   */
  async #read(picture, { background, maxPixels }) {
    const engine = this.#opened();
    const room = (/** @type {number} */ width, /** @type {number} */ height) =>
      engine.frame(width, height);
    if (await readPicture(this.#reader, picture, room, { maxPixels })) engine.flatten(background);
  }

  /** @param {object} more */
  #provenance(more) {
    const { source, width, height } = /** @type {PressInfo} */ (this.#info);
    const calibration = { pictures: this.#pictures };
    const settings = { ...this.#settings, width, height, ...this.#chosen };
    return { tool: `wisp ${VERSION}`, source, settings, calibration, ...more };
  }
}

/** @param {import('../graph/float-graph.js').GraphNode} node @returns {NodeInfo} */
function describe(node) {
  const { op, name } = node;
  if (op === 'conv') {
    const { channels, kernel, stride } = node;
    return { op, name, channels, kernel, stride };
  }
  return op === 'maxpool' ? { op, name, kernel: node.kernel, stride: node.stride } : { op, name };
}
