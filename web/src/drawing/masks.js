// Masks of boxes as rectangles of pixels: one for each run of a bitmap's row, or of a column of COCO's.

/** @typedef {import('./labels.js').Rect} Rect */

/**
 * @param {import('../wasm/boxes.js').Mask} mask
 * @returns {Rect[]} in pixels of the source; together the pixels that belong to the object
 */
export function maskRects(mask) {
  return 'data' in mask ? rowsOf(mask) : columnsOf(mask);
}

/** @param {import('../wasm/boxes.js').Bitmap} bitmap @returns {Rect[]} */
function rowsOf({ x, y, width, data }) {
  const rects = [];
  for (let row = 0; row * width < data.length; row++) {
    const end = (row + 1) * width;
    let from = data.indexOf(1, row * width);
    while (from >= 0 && from < end) {
      const next = data.indexOf(0, from);
      const to = next < 0 ? end : Math.min(next, end);
      rects.push({ x: x + from - row * width, y: y + row, width: to - from, height: 1 });
      from = data.indexOf(1, to);
    }
  }
  return rects;
}

/** @param {import('../wasm/boxes.js').RunLengths} lengths @returns {Rect[]} */
function columnsOf({ size: [height], counts }) {
  /** @type {Rect[]} */
  const rects = [];
  let at = 0;
  counts.forEach((count, i) => {
    const end = at + count;
    for (; i % 2 === 1 && at < end; ) {
      const y = at % height;
      const length = Math.min(height - y, end - at);
      rects.push({ x: Math.floor(at / height), y, width: 1, height: length });
      at += length;
    }
    at = end;
  });
  return rects;
}
