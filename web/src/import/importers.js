// The formats of networks that the press reads, known by their bytes. A new one is a file beside this and a row here.

import { beginsAsOnnx } from './onnx-beginning.js';
import { beginsAsPt } from './pt-beginning.js';
import { beginsAsTflite } from './tflite-beginning.js';

/**
 * @typedef {object} Importer
 * @property {string} name of such a file, with its article
 * @property {(bytes: Uint8Array) => boolean} begins whether a file is one, by its first bytes or all of them
 * @property {(bytes: Uint8Array) => Promise<string[]>} [beside] names of further files that hold some of the network
 * @property {(bytes: Uint8Array, options: ImportOptions) => Promise<import('../graph/float-graph.js').FloatGraph>} read
 *   throws a WispError that says what is wrong with the file, or which part of the network wisp can't run
 *
 * @typedef {object} ImportOptions
 * @property {Map<string, Uint8Array>} [beside] these files, by these names
 * @property {number[][]} [anchors] of a file that doesn't say them: width, height, width, … in pixels, a list for each
 *   head, as in YOLOv5's .yaml files
 */

/** @type {readonly Importer[]} */
export const IMPORTERS = [
  {
    name: 'an ONNX file',
    begins: beginsAsOnnx,
    beside: async (bytes) => (await import('./onnx.js')).filesBeside(bytes),
    read: async (bytes, options) => (await import('./onnx.js')).importOnnx(bytes, options),
  },
  {
    name: 'a PyTorch checkpoint',
    begins: beginsAsPt,
    read: async (bytes) => (await import('./pt.js')).importPt(bytes),
  },
  {
    name: 'a TFLite file',
    begins: beginsAsTflite,
    read: async (bytes, options) => (await import('./tflite.js')).importTflite(bytes, options),
  },
];
