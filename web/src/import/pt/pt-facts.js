// What a checkpoint says of itself besides its layers: names, the size it was trained at, where it comes from.

import { headFact } from '../graph-facts.js';
import { Made } from './pickled.js';
import { attributesOf } from './pt-module.js';

/**
 * @typedef {import('../../graph/float-graph.js').GraphHead} GraphHead
 * @typedef {import('./checkpoint.js').Checkpoint} Checkpoint
 * @typedef {import('./pickled.js').Pickled} Pickled
 * @typedef {import('./pt-module.js').PtModule} PtModule
 */

/** Letters of a text that is shown or kept. */
const LONGEST_TEXT = 200;

/** @param {unknown} value */
const textOf = (value) => (typeof value === 'string' ? value.slice(0, LONGEST_TEXT) : '');

/** The description that the network was made of, '' if it doesn't say. @param {PtModule} model */
export function describedBy(model) {
  const yaml = model.setting('yaml');
  return textOf(model.setting('yaml_file')) || textOf(yaml instanceof Map && yaml.get('yaml_file'));
}

/**
 * @param {PtModule} model
 * @param {number} count
 * @returns {string[]} class0, class1, … where it has no names
 */
export function namesOf(model, count) {
  const names = model.setting('names');
  const at = (/** @type {number} */ label) =>
    names instanceof Map ? names.get(label) : Array.isArray(names) && names[label];
  return Array.from({ length: count }, (_, label) => textOf(at(label)) || `class${label}`);
}

/** Where nothing says it: YOLOv5's own default. */
const DEFAULT_SIZE = 640;

/** Pixels of a side. */
const LARGEST_SIZE = 8192;

/**
 * The side that the network was trained at, rounded up as YOLOv5's training does.
 * @param {Checkpoint} checkpoint
 * @param {number} stride the largest
 */
export function sizeOf({ saved }, stride) {
  const settings = [attributesOf(saved.get('opt')), attributesOf(saved.get('train_args'))];
  const sizes = settings.flatMap((one) => [one.get('imgsz'), one.get('img_size')].flat());
  const found = sizes.find((size) => Number.isInteger(size) && size > 0 && size <= LARGEST_SIZE);
  return {
    side: Math.ceil((found ?? DEFAULT_SIZE) / stride) * stride,
    isKnown: found !== undefined,
  };
}

/** Modules that only YOLOv5-Lite has. */
const LITE = /^(Shuffle_Block|conv_bn_relu_maxpool|DWConvblock|LC_Block|CBH|ADD|stem|RepVGGBlock)$/;

/** @param {PtModule} model @param {PtModule[]} layers */
function familyOf(model, layers) {
  const [first, detect] = [layers[0], layers[layers.length - 1]];
  if (layers.some((layer) => LITE.test(layer.kind)) || LITE.test(first.kind)) return 'YOLOv5-Lite';
  if (detect.maybe('cv2')) return layers.some(({ kind }) => kind === 'C2f') ? 'YOLOv8' : 'YOLOv5u';
  if (model.kind === 'DetectionModel') return 'YOLOv5 v6.2 or later';
  return detect.tensor('anchor_grid') ? 'YOLOv5 v5.0 or older' : 'YOLOv5 v6.0 or v6.1';
}

/**
 * For people: what was understood, and what was left out.
 * @param {Checkpoint} checkpoint
 * @param {PtModule} model
 * @param {PtModule[]} layers
 * @param {{heads: GraphHead[], type: string, isKnown: boolean}} read
 * @returns {[string, string][]}
 */
export function factsOf(checkpoint, model, layers, { heads, type, isKnown }) {
  const { saved, place } = checkpoint;
  const origin = [model.type, describedBy(model)].filter(Boolean).join(', ');
  const epoch = saved.get('epoch');
  const averaged = place === 'ema' ? 'averaged over training (EMA)' : '';
  const reached =
    Number.isInteger(epoch) && Number(epoch) >= 0 ? `after epoch ${Number(epoch) + 1}` : '';
  const date = textOf(saved.get('date'));
  const left = [
    saved.get('optimizer') ? "the optimizer's state" : '',
    place === 'ema' && saved.get('model') instanceof Made ? 'the weights without averaging' : '',
  ];
  const texts = {
    family: `${familyOf(model, layers)} (${origin})`,
    head: headFact(heads),
    weights: [type, averaged, reached, date].filter(Boolean).join('; '),
    size: isKnown
      ? 'as it was trained'
      : `not in the checkpoint: YOLOv5's default; --size takes another`,
    'left out': left.filter(Boolean).join(', '),
  };
  return Object.entries(texts).filter(([, text]) => text !== '');
}
