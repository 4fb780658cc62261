// wisp's engine by itself, without Detector and its worker: how long each layer takes.

import { Engine } from '../../web/src/detect/engine.js';
import { runtimeFiles } from '../../web/src/detect/runtime-files.js';

/** @typedef {import('./letterbox.js').Frame} Frame */

export class LayerTimer {
  #engine;

  /** @param {Engine} engine @param {object} info */
  constructor(engine, info) {
    this.#engine = engine;
    this.info = info;
  }

  /** @param {import('./lanes.js').LaneSpec} spec */
  static async open({ model, threads, input, variant = 'wisp', kernels }) {
    const choice = { variant, threads, reason: 'as asked for', reduced: false };
    const engine = await Engine.load(choice, runtimeFiles());
    const bytes = new Uint8Array(await (await fetch(model)).arrayBuffer());
    engine.expect(input.width, input.height, false, kernels);
    engine.feed(bytes);
    const { macs } = engine.open();
    const { layers } = engine.describeModel();
    return new LayerTimer(engine, { macs, layers, runs: engine.describeRun() });
  }

  /** @param {Frame[]} frames @returns {Promise<{run: number, layers: number[]}>} milliseconds of the first */
  async detect([{ data, width, height }]) {
    this.#engine.frame(0, width, height).set(data);
    const [{ times }] = this.#engine.detect(1, { rect: false });
    return { run: times.run, layers: this.#engine.describeRun().map(({ ms }) => ms) };
  }

  async close() {
    this.#engine.close();
  }
}
