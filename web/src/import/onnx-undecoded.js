// Heads that a network gives as they are, without decoding: YOLOv5's training mode, v5.0 without --grid, YOLOv5-Lite's
// --concat, exports for engines that decode themselves. Their file doesn't say the anchors.

/**
 * @typedef {import('./onnx-proto.js').Tensor} Tensor
 * @typedef {import('./onnx-heads.js').Head} Head
 * @typedef {import('../graph/float-graph.js').GraphHead} GraphHead
 * @typedef {{heads: GraphHead[], classes: number, remark?: string}} Boxes
 */

/** Of YOLOv5's own models, by their number of heads: yolov3-tiny, P5, P6. @type {Record<number, number[][]>} */
export const USUAL_ANCHORS = {
  2: [
    [10, 14, 23, 27, 37, 58],
    [81, 82, 135, 169, 344, 319],
  ],
  3: [
    [10, 13, 16, 30, 33, 23],
    [30, 61, 62, 45, 59, 119],
    [116, 90, 156, 198, 373, 326],
  ],
  4: [
    [19, 27, 44, 40, 38, 94],
    [96, 68, 86, 152, 180, 137],
    [140, 301, 303, 264, 238, 542],
    [436, 615, 739, 380, 925, 792],
  ],
};

/** @param {number[]} list width, height, width, … @returns {[number, number][]} */
export const pairsOf = (list) =>
  Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i], list[2 * i + 1]]);

/** @param {number} x */
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/**
 * @param {Head[]} heads
 * @param {Tensor[]} outputs what the network makes of their logits
 * @param {{height: number, width: number}} input
 * @param {number[][] | undefined} anchors width, height, width, …, in pixels, a list a head; undefined: unknown
 * @returns {Boxes | undefined} undefined where the outputs are something else
 */
export function readUndecoded(heads, outputs, input, anchors) {
  const sorted = heads.toSorted((a, b) => b.logits.dims[2] - a.logits.dims[2]);
  if (anchors?.length !== heads.length) return undefined;
  const counts = sorted.map(({ logits }, i) => (2 * logits.dims[1]) / anchors[i].length);
  const [columns] = counts;
  if (!(Number.isInteger(columns) && columns > 5 && counts.every((n) => n === columns))) return;
  if (!isRearranged(heads, outputs, columns)) return undefined;
  const read = sorted.map(({ tensor, logits }, i) => ({
    tensor,
    stride: input.height / logits.dims[2],
    anchors: pairsOf(anchors[i]),
  }));
  return { heads: read, classes: columns - 5 };
}

/**
 * Whether the outputs hold just the logits, or their sigmoids, head by head: a head as its convolution wrote it, or by
 * anchors, cells and numbers.
 * @param {Head[]} heads
 * @param {Tensor[]} outputs
 * @param {number} columns
 */
function isRearranged(heads, outputs, columns) {
  const sum = (/** @type {Tensor[]} */ tensors) =>
    tensors.reduce((all, { data }) => all + data.length, 0);
  if (sum(outputs) !== sum(heads.map(({ logits }) => logits))) return false;
  const flat = outputs.flatMap(({ data }) => Array.from(data));
  const asWritten = (/** @type {Tensor} */ _, /** @type {number} */ i) => i;
  const byBoxes = (/** @type {Tensor} */ { dims: [, , h, w] }, /** @type {number} */ i) => {
    const [cell, k] = [Math.floor(i / columns), i % columns];
    return (Math.floor(cell / (h * w)) * columns + k) * h * w + (cell % (h * w));
  };
  const same = (/** @type {number} */ a, /** @type {number} */ b) => Math.abs(a - b) < 2e-3;
  return [asWritten, byBoxes].some((place) =>
    [(/** @type {number} */ x) => x, sigmoid].some((change) => {
      let at = 0;
      return heads.every(({ logits }) =>
        logits.data.every((_, i) => same(flat[at++], change(logits.data[place(logits, i)]))),
      );
    }),
  );
}

/** What is to be said where nobody said the anchors. @param {number[][]} anchors */
export function remarkOn(anchors) {
  const all = anchors.map((list) => list.join(',')).join(' ');
  return (
    `The file doesn't decode its boxes, so their anchors are taken to be ${all}; ` +
    'if the network was trained with others, name them (--anchors, option anchors)'
  );
}
