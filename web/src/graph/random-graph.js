// The float graph of a YOLOv5 or its kin with random weights: it costs what a trained one costs and finds nothing.

import { WispError } from '../error.js';
import { CLASSES, headsWithAnchors, headsWithMasks, headsWithoutAnchors } from './random-heads.js';
import { RandomLayers } from './random-layers.js';
import { liteC, liteE, liteG, liteS } from './random-lite.js';
import { RandomNumbers } from './random-numbers.js';
import { trimmed, yolov5, yolov8 } from './random-yolo.js';

/**
 * @typedef {import('./float-graph.js').GraphHead} GraphHead
 * @typedef {import('./random-yolo.js').Scale} Scale
 * @typedef {{draw: (layers: RandomLayers) => GraphHead[], classes: number}} Network
 */

/** @type {Record<string, Scale>} */
const YOLOV5 = {
  n: { depth: 0.33, width: 0.25 },
  s: { depth: 0.33, width: 0.5 },
  m: { depth: 0.67, width: 0.75 },
  l: { depth: 1, width: 1 },
  x: { depth: 1.33, width: 1.25 },
};
/** @type {Record<string, Scale>} */
const YOLOV8 = {
  n: { depth: 0.33, width: 0.25 },
  s: { depth: 0.33, width: 0.5 },
  m: { depth: 0.67, width: 0.75, most: 768 },
  l: { depth: 1, width: 1, most: 512 },
  x: { depth: 1, width: 1.25, most: 512 },
};
const LITE = { e: liteE, s: liteS, c: liteC, g: liteG };

const MASKED_OR_NOT = 2; // classes of UltraFastYoloV5, which looks at faces

/** @type {Map<string, Network>} */
const NETWORKS = new Map([
  ...family(YOLOV5, 'yolov5', '', (scale, layers) =>
    headsWithAnchors(layers, yolov5(layers, scale)),
  ),
  ...family(YOLOV5, 'yolov5', 'u', (scale, layers) =>
    headsWithoutAnchors(layers, yolov5(layers, scale)),
  ),
  ...family(YOLOV5, 'yolov5', '-seg', (scale, layers) =>
    headsWithMasks(layers, yolov5(layers, scale)),
  ),
  ...family(YOLOV8, 'yolov8', '', (scale, layers) =>
    headsWithoutAnchors(layers, yolov8(layers, scale)),
  ),
  ...family(LITE, 'v5lite-', '', (trunk, layers) => headsWithAnchors(layers, trunk(layers))),
  [
    'ultrafast',
    {
      draw: (layers) => headsWithAnchors(layers, trimmed(layers), { classes: MASKED_OR_NOT }),
      classes: MASKED_OR_NOT,
    },
  ],
]);
export const randomNames = [...NETWORKS.keys()];

const LARGEST_STRIDE = 32;

/**
 * @template T
 * @param {Record<string, T>} members
 * @param {string} before
 * @param {string} after
 * @param {(member: T, layers: RandomLayers) => GraphHead[]} draw
 * @returns {[string, Network][]}
 */
function family(members, before, after, draw) {
  return Object.entries(members).map(([letter, member]) => [
    before + letter + after,
    { draw: (layers) => draw(member, layers), classes: CLASSES },
  ]);
}

/**
 * @param {string} name one of `randomNames`
 * @param {{size?: number | {width: number, height: number}, seed?: number}} [options]
 * @returns {import('./float-graph.js').FloatGraph}
 */
export function randomGraph(name, { size = 640, seed = 1 } = {}) {
  const network = NETWORKS.get(name);
  if (!network) {
    const sentence = `There is no random network "${name}"; there is ${randomNames.join(', ')}.`;
    throw new WispError('WISP_ERR_ARGUMENT', sentence);
  }
  const layers = new RandomLayers(new RandomNumbers(seed));
  const heads = network.draw(layers);
  return {
    input: inputSize(size),
    nodes: layers.graph.nodesFor(heads.map(({ tensor }) => tensor)),
    heads,
    classes: Array.from({ length: network.classes }, (_, i) => `class${i}`),
    source: { format: `random weights in the shape of ${name}, seed ${seed}`, producer: 'wisp' },
  };
}

/** @param {number | {width: number, height: number}} size */
function inputSize(size) {
  const { width, height } = typeof size === 'number' ? { width: size, height: size } : size;
  const fits = [width, height].every((side) => side > 0 && side % LARGEST_STRIDE === 0);
  if (fits) return { height, width };
  const sentence = `The sides of the input are multiples of ${LARGEST_STRIDE}, not ${width} × ${height}.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}
