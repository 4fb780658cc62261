// What each layer of a network costs, against what the machine could do.

import { summary } from './statistics.js';

/**
 * @typedef {import('../../web/src/detect/engine.js').LayerInfo} LayerInfo
 * @typedef {import('../../web/src/detect/engine.js').LayerRun} LayerRun
 *
 * @typedef {object} LayerLine
 * @property {string} operation
 * @property {string} kernel
 * @property {string} channels
 * @property {number} channelsIn
 * @property {string} size of the output
 * @property {number} density share of the blocks that are there
 * @property {boolean} isHead heads are computed only where a box can pass the threshold: their speed is not told
 * @property {number} macs multiply-adds, absent blocks not counted
 * @property {number} ms median
 * @property {number} gmacs multiply-adds a nanosecond
 * @property {number} ofPeak share of the peak of all threads
 *
 * @typedef {object} LayerReport
 * @property {string} id of the lane
 * @property {import('../lanes/peak.js').Peak} peak of one thread
 * @property {number} threads
 * @property {LayerLine[]} layers
 * @property {{run: number, layers: number, macs: number, ofPeak: number, wideOfPeak: number}} sums
 *   `run` is the median of whole runs; `wideOfPeak` of the convolutions with 64 input channels or more
 */

const WIDE = 64;

/**
 * @param {import('../plan.js').Lane} lane of wisp
 * @param {import('../lanes/peak.js').Peak} peak
 * @param {{layers: LayerInfo[], runs: LayerRun[]}} info
 * @param {{run: number, layers: number[]}[]} turns
 * @returns {LayerReport}
 */
export function reportLayers({ id, threads }, peak, { layers: infos, runs }, turns) {
  const most = peak.gmacs * threads;
  const layers = infos.map((info, i) => {
    const ms = summary(turns.map((turn) => turn.layers[i])).median;
    return lineOf(info, runs[i], ms, most);
  });
  const run = summary(turns.map((turn) => turn.run)).median;
  return { id, peak, threads, layers, sums: { run, ...sumOf(layers, most) } };
}

/**
 * @param {LayerInfo} info
 * @param {LayerRun} run
 * @param {number} ms
 * @param {number} most
 * @returns {LayerLine}
 */
function lineOf(info, { width, height }, ms, most) {
  const { operation, activation, kernelHeight, kernelWidth, stride } = info;
  const { isHead, blocks, blocksPresent } = info;
  const macs = blocksPresent * 4 * width * height;
  const gmacs = ms > 0 && !isHead ? macs / ms / 1e6 : 0;
  return {
    operation: activation === 'none' ? operation : `${operation} + ${activation}`,
    kernel: `${kernelHeight}×${kernelWidth}/${stride}`,
    channels: `${info.channelsIn} → ${info.channelsOut}`,
    channelsIn: info.channelsIn,
    size: `${width}×${height}`,
    density: blocks ? blocksPresent / blocks : 1,
    ...{ isHead, macs, ms, gmacs, ofPeak: gmacs / most },
  };
}

/** @param {LayerLine[]} layers @param {number} most */
function sumOf(layers, most) {
  const convolutions = layers.filter(({ macs, isHead }) => macs > 0 && !isHead);
  const wide = convolutions.filter(({ channelsIn }) => channelsIn >= WIDE);
  const add = (/** @type {LayerLine[]} */ lines, /** @type {'ms' | 'macs'} */ key) =>
    lines.reduce((sum, line) => sum + line[key], 0);
  const share = (/** @type {LayerLine[]} */ lines) =>
    add(lines, 'macs') / add(lines, 'ms') / 1e6 / most;
  const sums = { layers: add(layers, 'ms'), macs: add(layers, 'macs') };
  return { ...sums, ofPeak: share(convolutions), wideOfPeak: wide.length > 0 ? share(wide) : 0 };
}
