// wisp press --random: a network that costs what a real one costs and finds nothing, for measuring speed.

import path from 'node:path';
import { WispError } from '../web/src/index.js';
import { pressRandom } from '../web/src/pressing/random-press.js';
import { requireWritable, writeWhole } from './files.js';

/**
 * @typedef {object} Options
 * @property {string} random a name such as yolov5s
 * @property {number} sparsity
 * @property {string} [output]
 * @property {{height: number, width: number}} [size]
 * @property {number} [threads]
 */

/** @param {string | undefined} model that was also given @param {Options} options */
export async function pressAtRandom(model, { random, sparsity, output, size, threads }) {
  if (model !== undefined) {
    const sentence = `--random draws a network, so ${model} is not read; leave one of them out.`;
    throw new WispError('WISP_ERR_ARGUMENT', sentence);
  }
  if (output && /\.onnx$/i.test(output)) {
    const sentence = `${output} can't be written: --random makes .wisp files only.`;
    throw new WispError('WISP_ERR_ARGUMENT', sentence);
  }
  const zeros = sparsity > 0 ? `-${Math.round(sparsity * 100)}` : '';
  const file = output ?? `random-${random}${zeros}.wisp`;
  requireWritable(file);
  const { bytes } = await pressRandom(random, { sparsity, size, threads });
  writeWhole(file, bytes);
  const kilobytes = (bytes.length / 1000).toFixed(0);
  console.error(`${path.normalize(file)}: ${kilobytes} kB of random weights; it finds nothing`);
}
