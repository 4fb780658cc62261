// Decoded boxes as TensorFlow's exports write them, in shares of the picture and with all anchors of a cell in a row →
// in pixels, anchor by anchor, as the others do.

/**
 * @typedef {import('./onnx-proto.js').Tensor} Tensor
 * @typedef {import('./onnx-heads.js').Head} Head
 * @typedef {{height: number, width: number}} Size
 */

/** Shares were divided, so pixels are no longer whole; no decoding is finer than this part of one. */
const FINEST = 1024;

/** Zero logits put the first box half a stride from the corner, which is several pixels or a small share. */
const isShare = (/** @type {number} */ x) => x < 1;

/** @param {number} share @param {number} side in pixels */
const pixels = (share, side) => Math.round(share * side * FINEST) / FINEST;

/**
 * @param {Tensor} decoded [1, boxes, 5 + classes], of heads that hold a probe
 * @param {Head[]} heads in the order of their boxes
 * @param {Size} input
 * @returns {Tensor}
 */
export function likeOthers({ dims, data: given }, heads, input) {
  const [, , columns] = dims;
  const sides = [input.width, input.height, input.width, input.height];
  const data = given.slice();
  if (isShare(data[0]))
    for (let i = 0; i < data.length; i++)
      if (i % columns < 4) data[i] = pixels(data[i], sides[i % columns]);
  let first = 0;
  for (const { logits } of heads) {
    const [, channels, height, width] = logits.dims;
    const [anchors, cells] = [Math.floor(channels / columns), height * width];
    const head = data.slice(first * columns, (first + anchors * cells) * columns);
    if (cells > 1 && isByCell(head, anchors, columns))
      for (let cell = 0; cell < cells; cell++)
        for (let anchor = 0; anchor < anchors; anchor++) {
          const from = (cell * anchors + anchor) * columns;
          const to = first + anchor * cells + cell;
          data.set(head.subarray(from, from + columns), to * columns);
        }
    first += anchors * cells;
  }
  return { dims, data };
}

/**
 * Whether the first cell's anchors come first: its logits are zero, others are not.
 * @param {Tensor['data']} head
 * @param {number} anchors
 * @param {number} columns
 */
function isByCell(head, anchors, columns) {
  const isZero = (/** @type {number} */ row) => Math.abs(head[row * columns + 4] - 0.5) < 1e-3;
  return anchors > 1 && Array.from({ length: anchors }, (_, row) => row).every(isZero);
}

/**
 * The same of heads without anchors.
 * @param {Tensor} decoded [1, 4 + classes, boxes]
 * @param {Size} input
 * @returns {Tensor}
 */
export function sidesInPixels({ dims, data: given }, { width, height }) {
  const boxes = dims[2];
  const data = given.slice();
  if (isShare(data[0]))
    for (let i = 0; i < 4 * boxes; i++)
      data[i] = pixels(data[i], Math.floor(i / boxes) % 2 === 0 ? width : height);
  return { dims, data };
}
