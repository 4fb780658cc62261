// How to press, as types: what each setting may be and its default is C's (models/press/settings.h, wasm/press.c).

/**
 * @typedef {object} QuantiseOptions
 * @property {number | 'auto'} [bits] of a weight, 2 … 7; 'auto': for each layer 3 … 7, by what the end result loses;
 *   default 7
 * @property {number} [targetLoss] what the end result may lose: decides the bits where they are 'auto', else the zeros,
 *   in place of sparsity
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

export {};
