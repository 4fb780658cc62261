// Where in a checkpoint the network is, and what else was saved with it.

import { unsupported } from '../../graph/graph-error.js';
import { Made, Tensor, wordsFor } from './pickled.js';
import { attributesOf } from './pt-module.js';

/**
 * @typedef {import('./pickled.js').Pickled} Pickled
 * @typedef {import('./pickled.js').Storage} Storage
 * @typedef {object} Checkpoint
 * @property {Made} model the module that holds the layers
 * @property {Map<string, Pickled>} saved what stands beside it; empty where only the model was saved
 * @property {string} place of it: ema, model, or '' where only the model was saved
 */

/** Modules around a model, and where in them it is. */
const WRAPPERS = new Map([
  ['DataParallel', 'module'],
  ['DistributedDataParallel', 'module'],
  ['AutoShape', 'model'],
  ['autoShape', 'model'],
  ['DetectMultiBackend', 'model'],
  ['OptimizedModule', '_orig_mod'],
]);

/** Of them around each other. */
const MOST_WRAPPERS = 4;

/** Where training code keeps a model: the averaged one is the better one. */
const PLACES = ['ema', 'model', 'net'];

/** @param {Pickled} value what was saved @returns {Checkpoint} */
export function findModel(value) {
  if (value instanceof Made) return { model: unwrapped(value), saved: new Map(), place: '' };
  if (!(value instanceof Map))
    return unsupported(
      `The checkpoint holds ${wordsFor(value)} and no network; save the model itself.`,
    );
  for (const place of PLACES) {
    const found = value.get(place);
    const model = Array.isArray(found) ? found[0] : found; // early in 2021 with the number of updates
    if (model instanceof Made) return { model: unwrapped(model), saved: value, place };
  }
  return refuseWeights(value);
}

/** @param {Made} outer */
function unwrapped(outer) {
  let model = outer;
  for (let i = 0; i < MOST_WRAPPERS; i++) {
    const parts = attributesOf(model).get('_modules');
    const isAlone = model.type.name === 'Ensemble' && parts instanceof Map && parts.size === 1;
    const name = isAlone ? [...parts.keys()][0] : WRAPPERS.get(model.type.name);
    const inner = parts instanceof Map && name !== undefined ? parts.get(name) : null;
    if (!(inner instanceof Made)) return model;
    model = inner;
  }
  return model;
}

/** Keys under which a state dict may lie. */
const STATES = ['state_dict', 'model_state_dict', 'ema_state_dict', 'model', 'ema', 'weights'];

/** Of a checkpoint without a network. */
const SHOWN_KEYS = 5;

/** @param {Map<any, any>} saved @returns {never} */
function refuseWeights(saved) {
  const states = [saved, ...STATES.map((key) => saved.get(key))];
  const state = states.find((one) => one instanceof Map && firstTensor(one) !== undefined);
  if (state) {
    unsupported(
      `The checkpoint holds weights alone (a state dict: ${wordsFor(firstTensor(state))}, …), not how the ` +
        "layers are connected. Save the model itself, torch.save({'model': model}, 'best.pt'), or export it to ONNX.",
    );
  }
  const keys = [...saved.keys()].slice(0, SHOWN_KEYS).map(wordsFor);
  return unsupported(
    `The checkpoint holds no network: it has ${keys.join(', ') || 'nothing'}, and neither "model" nor "ema".`,
  );
}

/** The name of the first tensor in a state dict. @param {Map<any, any>} state */
const firstTensor = (state) =>
  [...state.keys()].find((key) => typeof key === 'string' && state.get(key) instanceof Tensor);

/**
 * All storages that a model's modules name, each module looked at once.
 * @param {Made} model
 * @returns {Set<Storage>}
 */
export function storagesOf(model) {
  const storages = new Set();
  const seen = new Set([model]);
  for (const made of seen) {
    const attributes = attributesOf(made);
    for (const value of [
      ...attributes.values(),
      ...entries(attributes, '_parameters'),
      ...entries(attributes, '_buffers'),
    ])
      if (value instanceof Tensor) storages.add(value.storage);
    for (const part of entries(attributes, '_modules')) if (part instanceof Made) seen.add(part);
  }
  return storages;
}

/** @param {Map<string, Pickled>} attributes @param {string} name @returns {Iterable<Pickled>} */
function entries(attributes, name) {
  const value = attributes.get(name);
  return value instanceof Map ? value.values() : [];
}
