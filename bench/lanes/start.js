// Opening wisp again and again: from the model's bytes in memory to the first boxes.

import { Detector } from '../../web/src/index.js';
import { summary } from '../report/statistics.js';

/**
 * @typedef {object} Start
 * @property {number} open milliseconds from the bytes to a detector that has compiled, planned and warmed up
 * @property {number} first milliseconds of the first detection
 * @property {number} later milliseconds of those after it, by the median
 * @property {number} memory bytes of the engine's memory
 */

const LATER = 20; // detections after the first

export class StartRunner {
  #model;
  #options;

  /** @param {Uint8Array} model @param {import('./lanes.js').LaneSpec} spec */
  constructor(model, { threads, input, variant, kernels }) {
    this.#model = model;
    this.#options = { threads, size: input, variant, kernels };
  }

  /** @param {import('./lanes.js').LaneSpec} spec */
  static async open(spec) {
    const answer = await fetch(spec.model);
    return new StartRunner(new Uint8Array(await answer.arrayBuffer()), spec);
  }

  /** @param {import('./letterbox.js').Frame[]} frames @returns {Promise<Start>} */
  async detect([frame]) {
    const started = performance.now();
    const detector = await Detector.open(this.#model, this.#options);
    const open = performance.now() - started;
    const times = [];
    for (let i = 0; i <= LATER; i++) {
      const before = performance.now();
      await detector.detect(frame);
      times.push(performance.now() - before);
    }
    const { memory } = detector.info;
    await detector.close();
    return { open, first: times[0], later: summary(times.slice(1)).median, memory };
  }

  async close() {}
}
