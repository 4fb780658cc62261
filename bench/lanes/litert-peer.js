// LiteRT.js as a peer: one .tflite file on its WebAssembly backend; letterbox and boxes in JavaScript around it.

import { findBoxes, headKindOf } from './boxes.js';
import { letterbox } from './letterbox.js';

/**
 * @typedef {import('./letterbox.js').Frame} Frame
 * @typedef {import('./onnx-peer.js').Turn} Turn
 */

/** By the names of LiteRT.js. @type {Record<string, any>} */
const ARRAYS = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array };

export class LiteRtPeer {
  #lib;
  #model;
  #input;
  #scales;
  #unit;

  /**
   * @param {any} lib
   * @param {any} model
   * @param {{width: number, height: number}} input
   * @param {import('../peers/tflite/scales.js').Scales} scales
   * @param {number} unit of its boxes, in pixels of the input
   */
  constructor(lib, model, input, scales, unit) {
    this.#lib = lib;
    this.#model = model;
    this.#input = input;
    this.#scales = scales;
    this.#unit = unit;
  }

  /** @param {import('./onnx-peer.js').PeerSpec} spec */
  static async open({ module, files, model, threads, input, normalised, scales }) {
    const lib = await import(module);
    const build = threads > 1 ? 'litert_wasm_threaded_internal' : 'litert_wasm_internal';
    // in a worker its glue would look for its files beside the worker's own script
    Reflect.set(globalThis, 'Module', {
      locateFile: (/** @type {string} */ name) => files + name,
      mainScriptUrlOrBlob: `${files}${build}.js`,
    });
    await lib.loadLiteRt(files, { threads: threads > 1 });
    const bytes = new Uint8Array(await (await fetch(model)).arrayBuffer());
    const how = { accelerator: 'wasm', cpuOptions: { numThreads: threads } };
    const compiled = await lib.loadAndCompile(bytes, how);
    const [, height, width] = compiled.getInputDetails()[0].shape;
    if (width !== input.width || height !== input.height) {
      throw new Error(`The .tflite file is for ${width} × ${height} pixels only.`);
    }
    const unit = normalised ? width : 1;
    const reals = { input: null, output: null };
    return new LiteRtPeer(lib, compiled, input, scales ?? reals, unit);
  }

  /** @param {Frame[]} frames @returns {Promise<Turn>} */
  async detect(frames) {
    const turn = { pre: 0, engine: 0, post: 0, boxes: 0 };
    for (const [i, frame] of frames.entries()) {
      const part = await this.#run(frame);
      turn.pre += part.pre;
      turn.engine += part.engine;
      turn.post += part.post;
      if (i === 0) turn.boxes = part.boxes;
    }
    return turn;
  }

  /** @param {Frame} frame @returns {Promise<Turn>} */
  async #run(frame) {
    const started = performance.now();
    const { dtype, shape } = this.#model.getInputDetails()[0];
    const data = new ARRAYS[dtype](this.#input.width * this.#input.height * 3);
    const { scale, zero } = this.#scales.input ?? { scale: 1, zero: 0 };
    const rounding = dtype === 'float32' ? 0 : 0.5; // of positive numbers; storing cuts the fraction off
    const placing = letterbox(frame, this.#input, {
      ...{ data, plane: 1, pixel: 3 },
      ...{ gain: 1 / 255 / scale, shift: zero + rounding },
    });
    const tensor = this.#lib.Tensor.fromTypedArray(data, [...shape]);
    const ready = performance.now();
    const [output] = await this.#model.run([tensor]);
    const numbers = await output.data();
    const ran = performance.now();
    const { scale: gain, zero: shift } = this.#scales.output ?? { scale: 1, zero: 0 };
    const dims = this.#model.getOutputDetails()[0].shape;
    const kind = headKindOf(dims, this.#input);
    const rows = { kind, data: numbers, columns: dims[2], gain, shift, unit: this.#unit };
    const boxes = findBoxes(rows, placing);
    tensor.delete();
    output.delete();
    const post = performance.now() - ran;
    return { pre: ready - started, engine: ran - ready, post, boxes: boxes.length };
  }

  async close() {
    this.#model.delete();
  }
}
