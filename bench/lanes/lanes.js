// Engines side by side in a page or in Node: each opened once, then run one turn at a time.

import { Detector } from '../../web/src/index.js';
import { measurePeak } from './peak.js';
import { PeerLink } from './peer-link.js';
import { StartRunner } from './start.js';

/**
 * @typedef {import('./letterbox.js').Frame} Frame
 *
 * @typedef {object} LaneSpec
 * @property {'wisp' | 'onnx' | 'litert' | 'layers' | 'starts'} kind
 * @property {string} model address
 * @property {number} threads
 * @property {{width: number, height: number}} input
 * @property {import('../../web/src/index.js').Variant} [variant] of wisp
 * @property {import('../../web/src/detect/engine.js').Kernels} [kernels] of wisp
 * @property {boolean} [rect] whether wisp computes only what the picture needs of the input
 * @property {string} [module] address of the peer's ES module
 * @property {string} [files] address of the folder with its WebAssembly
 * @property {boolean} [normalised] whether its boxes are in shares of the input's side, as in official .tflite files
 * @property {import('../peers/tflite/scales.js').Scales} [scales] of a .tflite file
 *
 * @typedef {object} TurnResult milliseconds an image
 * @property {number} total from the call to the boxes, messages to the worker included
 * @property {number} pre
 * @property {number} engine
 * @property {number} post
 * @property {number} boxes found in the first image
 *
 * @typedef {object} Runner
 * @property {(frames: Frame[]) => Promise<Omit<TurnResult, 'total'>>} detect times of all frames
 * @property {() => Promise<void>} close
 */

export class Lanes {
  /** @type {Map<string, Runner>} */
  #open = new Map();
  /** @type {Frame | undefined} */
  #frame;

  /** @param {string} address of the RGBA bytes @param {number} width @param {number} height */
  async setFrame(address, width, height) {
    const bytes = await (await fetch(address)).arrayBuffer();
    this.#frame = { data: new Uint8ClampedArray(bytes), width, height };
  }

  /** @param {string} id @param {LaneSpec} spec @returns {Promise<object>} what runs */
  async open(id, spec) {
    const started = performance.now();
    const runner = await runnerOf(spec);
    this.#open.set(id, runner);
    const { info = {} } = runner;
    return { openMs: performance.now() - started, ...info };
  }

  /**
   * @param {string} id
   * @param {{batch: number, streams: number}} load `streams` calls of `batch` images each are under way at once
   * @returns {Promise<TurnResult>}
   */
  async turn(id, { batch, streams }) {
    const runner = /** @type {Runner} */ (this.#open.get(id));
    const frames = Array.from({ length: batch }, () => /** @type {Frame} */ (this.#frame));
    const started = performance.now();
    const parts = await Promise.all(Array.from({ length: streams }, () => runner.detect(frames)));
    const images = batch * streams;
    const mean = (/** @type {'pre' | 'engine' | 'post'} */ stage) =>
      parts.reduce((sum, part) => sum + part[stage], 0) / images;
    return {
      total: (performance.now() - started) / images,
      pre: mean('pre'),
      engine: mean('engine'),
      post: mean('post'),
      boxes: parts[0].boxes,
    };
  }

  /** Times of each layer, of a lane of kind "layers"; a start, of one of kind "starts". @param {string} id */
  measure(id) {
    const runner = /** @type {any} */ (this.#open.get(id));
    return runner.detect([this.#frame]);
  }

  /** @param {boolean} relaxed */
  async peak(relaxed) {
    return measurePeak(relaxed);
  }

  /** @param {string} id */
  async close(id) {
    await this.#open.get(id)?.close();
    this.#open.delete(id);
  }
}

/** @param {LaneSpec} spec @returns {Promise<any>} */
function runnerOf(spec) {
  if (spec.kind === 'wisp') return WispRunner.open(spec);
  return spec.kind === 'starts' ? StartRunner.open(spec) : PeerLink.open(spec);
}

class WispRunner {
  #detector;
  #options;

  /** @param {Detector} detector @param {boolean} [rect] */
  constructor(detector, rect = false) {
    this.#detector = detector;
    const masks = detector.info.masks > 0 ? 'rle' : 'none'; // peers compute all outputs too
    this.#options = { rect, masks: /** @type {'rle' | 'none'} */ (masks) };
    const { layers, classes, provenance, ...info } = detector.info;
    this.info = info;
  }

  /** @param {LaneSpec} spec */
  static async open({ model, threads, input, variant, kernels, rect }) {
    const detector = await Detector.open(model, { threads, size: input, variant, kernels });
    return new WispRunner(detector, rect);
  }

  /** @param {Frame[]} frames */
  async detect(frames) {
    const results = await this.#detector.detect(frames, this.#options);
    const turn = { pre: 0, engine: 0, post: 0, boxes: results[0].boxes.length };
    for (const { times } of results) {
      turn.pre += times.pixels + times.prep;
      turn.engine += times.run;
      turn.post += times.post;
    }
    return turn;
  }

  close() {
    return this.#detector.close();
  }
}
