// bench-worker.js - makes a network with random weights, and the picture to try it on.
import { drawScene, pressRandom } from '../src/pressing/random-press.js';

/**
 * @typedef {{network: string, size: number, sparsity: number}} Wish
 * @typedef {{data: Uint8ClampedArray<ArrayBuffer>, width: number, height: number}} Scene RGBA
 * @typedef {{bytes: Uint8Array<ArrayBuffer>, scene: Scene}} Made bytes of a .wisp file
 */

onmessage = async (/** @type {MessageEvent<Wish>} */ { data: { network, size, sparsity } }) => {
  try {
    const scene = drawScene();
    const { bytes } = await pressRandom(network, { size, sparsity, picture: scene });
    postMessage({ bytes, scene });
  } catch (thrown) {
    postMessage({ error: /** @type {Error} */ (thrown).message });
  }
};
