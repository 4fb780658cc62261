// onnxruntime as a peer: of -web or -node, whichever module is given; letterbox and boxes in JavaScript around it.

import { findBoxes, headKindOf } from './boxes.js';
import { letterbox } from './letterbox.js';

/**
 * @typedef {import('./letterbox.js').Frame} Frame
 * @typedef {{pre: number, engine: number, post: number, boxes: number}} Turn
 *   milliseconds of all frames; boxes of the first
 *
 * @typedef {object} PeerSpec
 * @property {string} module address of the peer's ES module
 * @property {string} [files] address of the folder with its WebAssembly
 * @property {boolean} [normalised] whether boxes are in shares of the input's side
 * @property {import('../peers/tflite/scales.js').Scales} [scales] of a .tflite file
 * @property {string} model address
 * @property {number} threads
 * @property {{width: number, height: number}} input
 */

export class OnnxPeer {
  #ort;
  #session;
  #input;
  /** Pictures of one run, as the file was exported. */
  #batch;

  /** @param {any} ort @param {any} session @param {{width: number, height: number}} input @param {number} batch */
  constructor(ort, session, input, batch) {
    this.#ort = ort;
    this.#session = session;
    this.#input = input;
    this.#batch = batch;
  }

  /** @param {PeerSpec} spec */
  static async open({ module, files, model, threads, input }) {
    const loaded = await import(module);
    const ort = loaded.default?.InferenceSession ? loaded.default : loaded;
    if (files) {
      ort.env.wasm.wasmPaths = files;
      ort.env.wasm.numThreads = threads;
    }
    const bytes = new Uint8Array(await (await fetch(model)).arrayBuffer());
    const how = files ? { executionProviders: ['wasm'] } : { intraOpNumThreads: threads };
    const session = await ort.InferenceSession.create(bytes, {
      ...how,
      graphOptimizationLevel: 'all',
    });
    const first = session.inputMetadata?.[0]?.shape?.[0];
    return new OnnxPeer(ort, session, input, typeof first === 'number' && first > 0 ? first : 1);
  }

  /** @param {Frame[]} frames @returns {Promise<Turn>} */
  async detect(frames) {
    const turn = { pre: 0, engine: 0, post: 0, boxes: 0 };
    for (let at = 0; at < frames.length; at += this.#batch) {
      const part = await this.#run(frames.slice(at, at + this.#batch));
      turn.pre += part.pre;
      turn.engine += part.engine;
      turn.post += part.post;
      if (at === 0) turn.boxes = part.boxes;
    }
    return turn;
  }

  /** @param {Frame[]} frames at most a batch @returns {Promise<Turn>} */
  async #run(frames) {
    const { width, height } = this.#input;
    const plane = width * height;
    const started = performance.now();
    const data = new Float32Array(this.#batch * 3 * plane);
    const placings = frames.map((frame, i) => {
      const own = data.subarray(i * 3 * plane, (i + 1) * 3 * plane);
      return letterbox(frame, this.#input, { data: own, plane, pixel: 1, gain: 1 / 255, shift: 0 });
    });
    const tensor = new this.#ort.Tensor('float32', data, [this.#batch, 3, height, width]);
    const ready = performance.now();
    const outputs = await this.#session.run({ [this.#session.inputNames[0]]: tensor });
    const [output, second] = this.#session.outputNames.map(
      (/** @type {string} */ name) => outputs[name],
    );
    const ran = performance.now();
    const [, rows, columns] = output.dims;
    const kind = headKindOf(output.dims, this.#input);
    const masks = second?.dims.length === 4 ? second.dims[1] : 0; // prototypes; no masks are made of them here
    const boxes = placings.map((placing, i) => {
      const own = output.data.subarray(i * rows * columns, (i + 1) * rows * columns);
      return findBoxes({ kind, data: own, columns, masks, gain: 1, shift: 0, unit: 1 }, placing);
    });
    const post = performance.now() - ran;
    return { pre: ready - started, engine: ran - ready, post, boxes: boxes[0].length };
  }

  async close() {
    await this.#session.release();
  }
}
