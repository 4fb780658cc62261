// What a press did, as one plain object: of what network, how, and what each setting made of it.

/**
 * @typedef {import('../../web/src/press.js').LayerAccount} LayerAccount
 * @typedef {import('../yardstick.js').Score} Score
 *
 * @typedef {object} Pressing
 * @property {string} file
 * @property {number} bytes
 * @property {object} settings all that were used
 * @property {number} seconds
 * @property {LayerAccount[]} layers
 * @property {Score | null} score
 *
 * @typedef {object} Line a pressing, summed up
 * @property {string} file
 * @property {string} label what sets it apart
 * @property {number} bytes
 * @property {number} meanBits of a weight
 * @property {number} zeroBlocks share of the 1×4 blocks
 * @property {number} zeros share of the weights
 * @property {number} macs executed for a picture
 * @property {number} denseMacs with every block present
 * @property {number} error mean of the layers' errors
 * @property {Score | null} score
 * @property {number} seconds
 * @property {boolean} isBest no other is both smaller and better
 * @property {object} settings
 * @property {LayerAccount[]} layers
 *
 * @typedef {object} Report
 * @property {string} wisp version
 * @property {string} date
 * @property {object} source of the network, with its SHA-256
 * @property {{width: number, height: number}} input
 * @property {string[]} classes
 * @property {number} calibration pictures
 * @property {import('../yardstick.js').Measure | null} measure
 * @property {Line[]} lines
 */

/**
 * @param {Pressing} pressing
 * @param {string} label
 * @returns {Line}
 */
export function lineOf({ layers, ...rest }, label) {
  const sum = (/** @type {(layer: LayerAccount) => number} */ of) =>
    layers.reduce((total, layer) => total + of(layer), 0);
  const weights = Math.max(
    1,
    sum((layer) => layer.weights),
  );
  const present = (/** @type {LayerAccount} */ { zeroBlocks, blocks }) =>
    blocks > 0 ? 1 - zeroBlocks / blocks : 1;
  return {
    ...rest,
    label,
    meanBits: sum((layer) => layer.bits * layer.weights) / weights,
    zeroBlocks:
      sum((layer) => layer.zeroBlocks) /
      Math.max(
        1,
        sum((layer) => layer.blocks),
      ),
    zeros: sum((layer) => layer.zeros) / weights,
    macs: sum((layer) => layer.macs * present(layer)),
    denseMacs: sum((layer) => layer.macs),
    error: sum((layer) => layer.error.after) / Math.max(1, layers.length),
    isBest: true,
    layers,
  };
}

/** Marks those that no other beats in size without being worse. @param {Line[]} lines */
export function markBest(lines) {
  const worth = (/** @type {Line} */ { score, error }) => score?.ap ?? -error;
  for (const line of lines) {
    line.isBest = !lines.some(
      (other) =>
        other !== line &&
        other.bytes <= line.bytes &&
        worth(other) >= worth(line) &&
        (other.bytes < line.bytes || worth(other) > worth(line)),
    );
  }
}
