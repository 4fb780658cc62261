// Parts of a picture as the decoder of codes takes them: grey, scaled, on the background, inverted if wanted.

/**
 * A part of a picture as a file of grey pixels (PGM), which the decoder reads without a canvas. Between pixels it is
 * bilinear; where many become one, the mean of a few.
 * @param {import('./code-reading.js').Pixels} picture
 * @param {import('./code-reading.js').Rect} part inside of it
 * @param {number} scale
 * @param {{inverted?: boolean, background?: number}} [options] background: shows through, 0xRRGGBB; default white
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function greyFile(picture, part, scale, { inverted = false, background = 0xffffff } = {}) {
  const grey = greyOf(picture, part, background);
  const width = Math.max(1, Math.round(part.width * scale));
  const height = Math.max(1, Math.round(part.height * scale));
  const header = new TextEncoder().encode(`P5\n${width} ${height}\n255\n`);
  const file = new Uint8Array(header.length + width * height);
  file.set(header);
  const pixels = file.subarray(header.length);
  if (scale === 1) pixels.set(grey);
  else
    resize({ data: grey, width: part.width, height: part.height }, { data: pixels, width, height });
  if (inverted) for (let i = 0; i < pixels.length; i++) pixels[i] = 255 - pixels[i];
  return file;
}

/** Weights of BT.601, of 256. */
const [RED, GREEN, BLUE] = [77, 150, 29];

/** @param {number} red @param {number} green @param {number} blue */
const luma = (red, green, blue) => (RED * red + GREEN * green + BLUE * blue) / 256;

/**
 * @param {import('./code-reading.js').Pixels} picture
 * @param {import('./code-reading.js').Rect} part
 * @param {number} background
 */
function greyOf({ data, width }, part, background) {
  const under = luma(background >> 16, (background >> 8) & 255, background & 255);
  const grey = new Uint8Array(part.width * part.height);
  let to = 0;
  for (let y = 0; y < part.height; y++) {
    let from = ((part.y + y) * width + part.x) * 4;
    for (let x = 0; x < part.width; x++, from += 4) {
      const alpha = data[from + 3] / 255;
      const own = luma(data[from], data[from + 1], data[from + 2]);
      grey[to++] = Math.round(under + (own - under) * alpha);
    }
  }
  return grey;
}

/** @typedef {{data: Uint8Array, width: number, height: number}} Grey */

/** @param {Grey} from @param {Grey} to */
function resize(from, to) {
  const columns = places(from.width, to.width);
  const rows = places(from.height, to.height);
  for (let y = 0; y < to.height; y++) {
    for (let x = 0; x < to.width; x++) {
      let sum = 0;
      for (const row of rows[y]) for (const column of columns[x]) sum += between(from, column, row);
      to.data[y * to.width + x] = Math.round(sum / (rows[y].length * columns[x].length));
    }
  }
}

/**
 * Where the old pixels are looked at for each new one: at its middle, or evenly in it where it covers several.
 * @param {number} from
 * @param {number} to
 * @returns {number[][]}
 */
function places(from, to) {
  const step = from / to;
  const count = Math.max(1, Math.ceil(step));
  const inside = (/** @type {number} */ place) => Math.min(from - 1, Math.max(0, place));
  return Array.from({ length: to }, (_, i) =>
    Array.from({ length: count }, (_, part) => inside((i + (part + 0.5) / count) * step - 0.5)),
  );
}

/** @param {Grey} grey @param {number} x @param {number} y */
function between({ data, width, height }, x, y) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, bottom] = [Math.min(width - 1, left + 1), Math.min(height - 1, top + 1)];
  const [across, down] = [x - left, y - top];
  const above = data[top * width + left] * (1 - across) + data[top * width + right] * across;
  const below = data[bottom * width + left] * (1 - across) + data[bottom * width + right] * across;
  return above * (1 - down) + below * down;
}
