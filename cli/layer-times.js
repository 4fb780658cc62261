// How long each layer of a model takes on this machine: one thread, the best build, a drawn picture.

import { Engine } from '../web/src/detect/engine.js';
import { runtimeFiles } from '../web/src/detect/runtime-files.js';
import { chooseVariant } from '../web/src/detect/variant.js';
import { drawScene } from '../web/src/picture/scene.js';

const WARM_UPS = 3;
const RUNS = 10;

/**
 * @param {Uint8Array} model a whole .wisp file
 * @returns {Promise<number[]>} milliseconds of each layer, the least of some runs
 */
export async function layerTimes(model) {
  const choice = chooseVariant({ threads: 1, cores: 1 });
  const engine = await Engine.load(choice, runtimeFiles());
  engine.expect(0, 0, false);
  engine.feed(model);
  engine.open();
  const { data, width, height } = drawScene();
  engine.frame(0, width, height).set(data);
  /** @type {number[]} */
  let least = [];
  for (let i = 0; i < WARM_UPS + RUNS; i++) {
    engine.detect(1, { rect: false });
    if (i < WARM_UPS) continue;
    least = engine.describeRun().map(({ ms }, layer) => Math.min(ms, least[layer] ?? ms));
  }
  engine.close();
  return least;
}
