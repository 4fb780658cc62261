// Networks for measuring speed, pressed: random weights, or a real network with blocks zeroed at random.

import { zeroBlocks } from '../graph/block-mask.js';
import { objectnessFor, shiftObjectness } from '../graph/objectness.js';
import { randomGraph } from '../graph/random-graph.js';
import { drawScene } from '../picture/scene.js';
import { Press } from '../press.js';

export { randomNames } from '../graph/random-graph.js';
export { drawScene } from '../picture/scene.js';

/**
 * @typedef {import('../graph/float-graph.js').FloatGraph} FloatGraph
 *
 * @typedef {object} RandomOptions
 * @property {number} [sparsity] share of the 1×4 blocks that is zeroed, 0 … 1; default 0
 * @property {number | {width: number, height: number}} [size] of the network's input; default 640
 * @property {number} [seed]
 * @property {import('../picture/picture.js').PictureSource} [picture] to calibrate with; default: a drawn scene
 * @property {'auto' | number} [threads]
 * @property {AbortSignal} [signal] ends it wherever it is
 */

/** Boxes before NMS in the picture, as in a real one. */
const BOXES = 40;
const CONFIDENCE = 0.25; // the detector's default
const PURPOSE = 'for measuring speed; it finds nothing';

/**
 * @param {string | FloatGraph} network a name of randomNames, or a network that will be wrecked
 * @param {RandomOptions} [options]
 * @returns {Promise<{bytes: Uint8Array<ArrayBuffer>, graph: FloatGraph}>} a .wisp file, and what was pressed
 */
export async function pressRandom(network, options = {}) {
  const { sparsity = 0, size, seed, threads, signal, picture = drawScene() } = options;
  const drawn = typeof network === 'string' ? randomGraph(network, { size, seed }) : network;
  const masked = zeroBlocks(drawn, sparsity, { seed });
  const graph = await withFewBoxes(masked, { size, threads, signal }, picture);
  const press = await Press.open(graph, { size, threads, signal, name: nameOf(network) });
  try {
    await press.observe(picture);
    await press.quantise({ rounding: 'nearest' }); // leaves zeros alone
    return { bytes: await press.pack({ purpose: PURPOSE }), graph };
  } finally {
    await press.close();
  }
}

/**
 * @param {FloatGraph} graph
 * @param {import('../press.js').OpenOptions} options
 * @param {import('../picture/picture.js').PictureSource} picture
 */
async function withFewBoxes(graph, options, picture) {
  const press = await Press.open(graph, options);
  try {
    const all = { confidence: 0, iou: 1, maxDetections: 30_000 };
    const { boxes } = await press.detect(picture, all);
    const scores = boxes.map(({ score }) => score);
    return shiftObjectness(graph, objectnessFor(scores, BOXES, CONFIDENCE));
  } finally {
    await press.close();
  }
}

/** @param {string | FloatGraph} network */
const nameOf = (network) => (typeof network === 'string' ? `random ${network}` : 'zeroed network');
