// Parts of a picture as the decoder of codes takes them: grey, scaled, on the background, inverted if wanted.

/** @typedef {{data: Uint8Array | Uint8ClampedArray, width: number, height: number}} Grey */

/**
 * @param {import('./code-reading.js').Pixels} picture
 * @param {import('./code-reading.js').Rect} part inside of it
 * @param {number} [background] shows through, 0xRRGGBB; default white
 * @returns {Grey}
 */
export function greyOf({ data, width }, part, background = 0xffffff) {
  const under = luma(background >> 16, (background >> 8) & 255, background & 255);
  const grey = new Uint8Array(part.width * part.height);
  let to = 0;
  for (let y = 0; y < part.height; y++) {
    let from = ((part.y + y) * width + part.x) * 4;
    for (let x = 0; x < part.width; x++, from += 4) {
      const own = luma(data[from], data[from + 1], data[from + 2]);
      const alpha = data[from + 3];
      grey[to++] = (alpha === 255 ? own : under + ((own - under) * alpha) / 255) + 0.5;
    }
  }
  return { data: grey, width: part.width, height: part.height };
}

/** @param {Grey} grey @param {import('./code-reading.js').Rect} part inside of it @returns {Grey} */
export function partOf(grey, { x, y, width, height }) {
  if (width === grey.width && height === grey.height) return grey;
  const data = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const from = (y + row) * grey.width + x;
    data.set(grey.data.subarray(from, from + width), row * width);
  }
  return { data, width, height };
}

/**
 * As a file of grey pixels (PGM), which the decoder reads without a canvas.
 * @param {Grey} grey
 * @param {{inverted?: boolean}} [options]
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function greyFile({ data, width, height }, { inverted = false } = {}) {
  const header = new TextEncoder().encode(`P5\n${width} ${height}\n255\n`);
  const file = new Uint8Array(header.length + data.length);
  file.set(header);
  const pixels = file.subarray(header.length);
  pixels.set(data);
  if (inverted) for (let i = 0; i < pixels.length; i++) pixels[i] = 255 - pixels[i];
  return file;
}

const SHARPER = 1.5;

/**
 * Where it becomes larger its edges are sharpened, and it is cubic between pixels; where many become one, the mean of a
 * few.
 * @param {Grey} grey
 * @param {number} scale
 * @returns {Grey}
 */
export function scaled(grey, scale) {
  if (scale === 1) return grey;
  const width = Math.max(1, Math.round(grey.width * scale));
  const height = Math.max(1, Math.round(grey.height * scale));
  const to = { data: new Uint8ClampedArray(width * height), width, height };
  resize(scale > 1 ? sharpened(grey, 1, SHARPER) : grey, to);
  return to;
}

/** Weights of BT.601, of 256. */
const [RED, GREEN, BLUE] = [77, 150, 29];

/** @param {number} red @param {number} green @param {number} blue */
const luma = (red, green, blue) => (RED * red + GREEN * green + BLUE * blue) / 256;

/**
 * @param {Grey} grey
 * @param {number} radius of the square of pixels around each whose mean is taken
 * @param {number} strength times what a pixel differs from that mean
 * @returns {Grey}
 */
export function sharpened({ data, width, height }, radius, strength) {
  const rows = new Float32Array(data.length);
  for (let y = 0; y < height; y++) sums(data, y * width, 1, width, radius, rows);
  const around = new Float32Array(data.length);
  for (let x = 0; x < width; x++) sums(rows, x, width, height, radius, around);
  const sharp = new Uint8ClampedArray(data.length);
  const count = (2 * radius + 1) ** 2;
  for (let i = 0; i < data.length; i++)
    sharp[i] = data[i] + strength * (data[i] - around[i] / count);
  return { data: sharp, width, height };
}

/**
 * Of each sample and those around it, of which the outermost go on for ever.
 * @param {ArrayLike<number>} samples
 * @param {number} from index of the first
 * @param {number} step to the next
 * @param {number} count
 * @param {number} radius
 * @param {Float32Array} to at the same places
 */
function sums(samples, from, step, count, radius, to) {
  const at = (/** @type {number} */ i) =>
    samples[from + Math.min(count - 1, Math.max(0, i)) * step];
  let sum = 0;
  for (let i = -radius; i <= radius; i++) sum += at(i);
  for (let i = 0; i < count; i++) {
    to[from + i * step] = sum;
    sum += at(i + radius + 1) - at(i - radius);
  }
}

/** Rows first, then columns. @param {Grey} from @param {Grey} to clamped */
function resize(from, to) {
  const across = tapsOf(from.width, to.width);
  const down = tapsOf(from.height, to.height);
  const rows = new Float32Array(from.height * to.width);
  for (let y = 0; y < from.height; y++) {
    for (let x = 0, tap = 0; x < to.width; x++) {
      const first = y * from.width + across.firsts[x];
      let sum = 0;
      for (let i = 0; i < across.count; i++) sum += across.weights[tap++] * from.data[first + i];
      rows[y * to.width + x] = sum;
    }
  }
  const line = new Float32Array(to.width);
  for (let y = 0; y < to.height; y++) {
    line.fill(0);
    for (let i = 0; i < down.count; i++) {
      const weight = down.weights[y * down.count + i];
      const row = (down.firsts[y] + i) * to.width;
      for (let x = 0; x < to.width; x++) line[x] += weight * rows[row + x];
    }
    to.data.set(line, y * to.width);
  }
}

/**
 * Which old pixels each new one is made of: the first of a few in a row, and what each of them weighs.
 * @param {number} from
 * @param {number} to
 */
function tapsOf(from, to) {
  const step = from / to;
  const count = Math.min(from, to > from ? 4 : Math.ceil(step) + 2);
  const firsts = new Int32Array(to);
  const weights = new Float32Array(to * count);
  for (let i = 0; i < to; i++) {
    const begin = Math.floor(to > from ? (i + 0.5) * step - 1.5 : i * step - 0.5);
    firsts[i] = Math.min(from - count, Math.max(0, begin));
    const add = (/** @type {number} */ at, /** @type {number} */ weight) => {
      const inside = Math.min(from - 1, Math.max(0, at));
      weights[i * count + Math.min(count - 1, Math.max(0, inside - firsts[i]))] += weight;
    };
    if (to > from) cubic((i + 0.5) * step - 0.5, add);
    else means(i * step - 0.5, step, add);
  }
  return { firsts, weights, count };
}

/** Catmull and Rom's. @param {number} place @param {(at: number, weight: number) => void} add */
function cubic(place, add) {
  const left = Math.floor(place);
  const t = place - left;
  add(left - 1, ((2 - t) * t - 1) * t * 0.5);
  add(left, ((3 * t - 5) * t * t + 2) * 0.5);
  add(left + 1, ((4 - 3 * t) * t + 1) * t * 0.5);
  add(left + 2, (t - 1) * t * t * 0.5);
}

/**
 * Evenly in what it covers.
 * @param {number} begin
 * @param {number} step
 * @param {(at: number, weight: number) => void} add
 */
function means(begin, step, add) {
  const looks = Math.ceil(step);
  for (let look = 0; look < looks; look++) {
    const place = begin + ((look + 0.5) / looks) * step;
    const left = Math.floor(place);
    add(left, (1 - (place - left)) / looks);
    if (place > left) add(left + 1, (place - left) / looks);
  }
}
