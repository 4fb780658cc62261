// How to press: the settings, their defaults, and the sentence for what they may not be.

import { naming, WispError } from '../error.js';

/**
 * @typedef {object} QuantiseOptions
 * @property {number | 'auto'} [bits] of a weight, 2 … 7; 'auto': for each layer 3 … 7, by what the end result loses;
 *   default 7
 * @property {number} [targetLoss] of the end result where bits is 'auto'
 * @property {'min-max' | 'least-squares'} [ranging] of the activations; default least-squares
 * @property {'least-squares' | 'nearest'} [rounding] of the weights; default least-squares
 * @property {number} [sparsity] share of the blocks of weights that become zero, 0 … 0.95; default 0
 * @property {'obs' | 'l1'} [method] of choosing and repairing them; l1 is PyTorch's l1_unstructured, for comparison;
 *   default obs
 * @property {'sensitivity' | 'uniform'} [allocation] over the layers; default sensitivity, of l1 uniform
 * @property {'1x4' | '1x2' | '1x1'} [blocks] weights along the input channels that become zero together; default 1x4,
 *   of l1 1x1
 * @property {number} [seed] of what is drawn by lot; default 1
 *
 * @typedef {object} LayerAccount what pressing did to a convolution
 * @property {string} name of its node
 * @property {number} bits of a weight
 * @property {number} weights dense
 * @property {number} zeros of them
 * @property {number} blocks of 1×4, as in the file
 * @property {number} zeroBlocks of them
 * @property {number} macs multiply-adds of a picture with every block present
 * @property {{before: number, after: number}} error mean square of what its outputs lose before the activation, over
 *   their variance: if weights were but zeroed and rounded, and as they are in the file
 * @property {number} share of what the end result loses, 0 … 1
 */

const RANGINGS = ['min-max', 'least-squares'];
const ROUNDINGS = ['least-squares', 'nearest'];
const METHODS = ['obs', 'l1'];
const ALLOCATIONS = ['sensitivity', 'uniform'];
const BLOCKS = ['1x1', '1x2', '1x4'];

/**
 * @param {QuantiseOptions} options
 * @returns {Required<QuantiseOptions>}
 */
export function completed(options) {
  const method = options.method ?? 'obs';
  if (options.targetLoss !== undefined && options.bits !== 'auto')
    throw wrong('targetLoss needs bits: "auto".');
  return {
    bits: options.bits ?? 7,
    targetLoss: options.targetLoss ?? 0,
    ranging: options.ranging ?? 'least-squares',
    rounding: options.rounding ?? 'least-squares',
    sparsity: options.sparsity ?? 0,
    method,
    allocation: options.allocation ?? (method === 'l1' ? 'uniform' : 'sensitivity'),
    blocks: options.blocks ?? (method === 'l1' ? '1x1' : '1x4'),
    seed: options.seed ?? 1,
  };
}

/**
 * In the order of the press module's `quantise`.
 * @param {Required<QuantiseOptions>} settings
 * @returns {number[]}
 */
export function numbered(settings) {
  const { bits, targetLoss, ranging, rounding, sparsity, blocks, method, allocation, seed } =
    settings;
  return [
    bits === 'auto' ? 0 : bitsOf(bits),
    number('targetLoss', targetLoss),
    indexOf('ranging', RANGINGS, ranging),
    indexOf('rounding', ROUNDINGS, rounding),
    number('sparsity', sparsity),
    2 ** indexOf('blocks', BLOCKS, blocks),
    indexOf('method', METHODS, method),
    indexOf('allocation', ALLOCATIONS, allocation),
    seedOf(seed),
  ];
}

/** @param {number} bits */
function bitsOf(bits) {
  if (Number.isInteger(bits) && bits > 0) return bits;
  throw wrong(`bits is a whole number or "auto", not ${naming(bits)}.`);
}

/** @param {number} seed */
function seedOf(seed) {
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return seed;
  throw wrong(`seed is a whole number from 0 to ${2 ** 32 - 1}, not ${naming(seed)}.`);
}

/** @param {string} option @param {number} value */
function number(option, value) {
  if (Number.isFinite(value) && value >= 0) return value;
  throw wrong(`${option} is a number from 0 on, not ${naming(value)}.`);
}

/** @param {string} option @param {string[]} names @param {string} name */
function indexOf(option, names, name) {
  const index = names.indexOf(name);
  if (index >= 0) return index;
  throw wrong(`${option} is ${names.join(' or ')}, not ${naming(name)}.`);
}

/** @param {string} sentence */
const wrong = (sentence) => new WispError('WISP_ERR_ARGUMENT', sentence);
