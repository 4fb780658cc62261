// A PyTorch checkpoint of a YOLOv5 or YOLOv8 → float graph, without PyTorch, without running what stands in it.

import { FloatGraphBuilder } from '../graph/float-graph.js';
import { foldAffine } from '../graph/fold-affine.js';
import { unsupported } from '../graph/graph-error.js';
import { partConvolutions } from '../graph/part-convolutions.js';
import { findModel, storagesOf } from './pt/checkpoint.js';
import { wordsFor } from './pt/pickled.js';
import { openArchive } from './pt/pt-archive.js';
import { BLOCKS } from './pt/pt-blocks.js';
import { readDetect, requireDetect } from './pt/pt-detect.js';
import { describedBy, factsOf, namesOf, sizeOf } from './pt/pt-facts.js';
import { openLegacy } from './pt/pt-legacy.js';
import { PtModule } from './pt/pt-module.js';
import { PtNetwork } from './pt/pt-network.js';
import { Weights } from './pt/weights.js';
import { isLegacy } from './pt-beginning.js';

/**
 * @typedef {import('../graph/float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('./pt/pt-network.js').Feature} Feature
 */

/** Of networks that keep no strides. */
const USUAL_STRIDE = 32;

/**
 * Reads a checkpoint that a train.py of YOLOv5 (v2 and later) or YOLOv5-Lite has written.
 * Throws an WispError that says what is wrong with the file, or which layer wisp can't run.
 *
 * @param {Uint8Array} bytes the whole file, which begins as a checkpoint does (pt-beginning.js)
 * @returns {FloatGraph}
 */
export function importPt(bytes) {
  const file = isLegacy(bytes) ? openLegacy(bytes) : openArchive(bytes);
  const checkpoint = findModel(file.value);
  const model = new PtModule(checkpoint.model, '');
  const layers = layersOf(model);
  const detect = layers[layers.length - 1];
  requireDetect(detect, describedBy(model));
  const storages = storagesOf(checkpoint.model);
  const files = file.storages(new Set([...storages].map(({ key }) => key)));
  const weights = new Weights(files, bytes.length);
  const graph = new FloatGraphBuilder();
  const network = new PtNetwork(graph, weights, BLOCKS);
  const largest = Math.max(...(network.maybeFloats(detect, 'stride') ?? [USUAL_STRIDE]));
  const { side, isKnown } = sizeOf(checkpoint, largest);
  const input = { height: side, width: side };
  const { heads, classes } = readDetect(network, detect, featuresOf(network, layers, input), input);
  const ends = heads.map(({ tensor }) => tensor);
  return {
    input,
    nodes: partConvolutions(foldAffine(graph.nodesFor(ends), ends), ends),
    heads,
    classes: namesOf(model, classes),
    source: { format: file.format, producer: model.type },
    facts: factsOf(checkpoint, model, layers, { heads, isKnown, type: weights.type }),
  };
}

/** Its layers, each with the numbers of those it reads. @param {PtModule} model */
function layersOf(model) {
  const sequence = model.maybe('model');
  const layers = sequence?.kind === 'Sequential' ? sequence.parts() : [];
  if (layers.length > 0 && layers.every((layer) => layer.setting('f') !== undefined)) return layers;
  return unsupported(
    `The checkpoint holds a ${model.type}, which isn't made as a YOLOv5 is: of layers that say what they read.`,
  );
}

/**
 * Runs all layers but the last, and gives what that one reads.
 * @param {PtNetwork} network
 * @param {PtModule[]} layers
 * @param {{height: number, width: number}} input
 * @returns {Feature[]}
 */
function featuresOf(network, layers, input) {
  /** @type {Feature} */
  const picture = { id: 0, channels: 3, ...input };
  /** @type {Feature[]} */
  const features = [];
  const read = (/** @type {PtModule} */ layer) =>
    [layer.setting('f')].flat().map((from) => {
      const isFirst = features.length === 0 && from === -1;
      const feature = isFirst ? picture : Number.isInteger(from) && features.at(from);
      return feature || layer.refuse(`reads layer ${wordsFor(from)}, which isn't there`);
    });
  for (const layer of layers.slice(0, -1)) features.push(network.run(layer, ...read(layer)));
  return read(layers[layers.length - 1]);
}
