// Parts of a picture as codes are read best that are small and aslant: turned upright and enlarged.

/**
 * @typedef {import('./code-pixels.js').Grey} Grey
 * @typedef {import('./code-reading.js').Rect} Rect
 * @typedef {import('./code-reading.js').Point} Point
 */

const INNER = 0.8; // of the box's sides: what lies further out may be the picture's own edges

/**
 * By how much the edges in a box are turned, clockwise: those of codes run along two directions, square to each other,
 * so four times the angle of a gradient is the same for all of them (Bigün and Granlund's double angle, doubled).
 * @param {Grey} grey
 * @param {Rect} box
 * @returns {number} radians, -π/4 … π/4
 */
export function turnIn({ data, width, height }, box) {
  const outer = (1 - INNER) / 2;
  const left = Math.max(1, Math.floor(box.x + outer * box.width));
  const top = Math.max(1, Math.floor(box.y + outer * box.height));
  const right = Math.min(width - 2, Math.ceil(box.x + (1 - outer) * box.width));
  const bottom = Math.min(height - 2, Math.ceil(box.y + (1 - outer) * box.height));
  let [real, imaginary] = [0, 0];
  for (let y = top; y <= bottom; y++) {
    for (let i = y * width + left; i <= y * width + right; i++) {
      const falling = data[i + width + 1] - data[i - width - 1];
      const rising = data[i - width + 1] - data[i + width - 1];
      // Scharr's, whose angles are true within a degree
      const across = 3 * (falling + rising) + 10 * (data[i + 1] - data[i - 1]);
      const down = 3 * (falling - rising) + 10 * (data[i + width] - data[i - width]);
      const square = across * across + down * down;
      if (square === 0) continue;
      const cosine = across * across - down * down; // cosine of twice the angle, times the square
      const sine = 2 * across * down; // its sine
      real += (cosine * cosine - sine * sine) / square;
      imaginary += (2 * cosine * sine) / square;
    }
  }
  return Math.atan2(imaginary, real) / 4;
}

/**
 * A part of a picture, enlarged, and turned about its middle so that what is in it stands upright. Cubic between
 * pixels: along rows first, then down columns (Catmull and Smith's two passes).
 * @param {Grey} grey
 * @param {Rect} part of it
 * @param {number} turn of what is in it, radians, -π/4 … π/4
 * @param {number} scale from 1 on
 * @returns {Grey}
 */
export function upright(grey, part, turn, scale) {
  const [width, height] = [part.width, part.height].map((side) => Math.round(side * scale));
  const [cosine, sine] = [Math.cos(turn), Math.sin(turn)];
  const [middle, centre] = [part.x + part.width / 2 - 0.5, part.y + part.height / 2 - 0.5];
  const reach = (part.width * Math.abs(sine) + part.height * cosine) / 2 + 2;
  const first = Math.max(0, Math.floor(centre - reach));
  const rows = Math.min(grey.height - 1, Math.ceil(centre + reach)) - first + 1;
  const aslant = new Float32Array(rows * width);
  for (let y = 0, to = 0; y < rows; y++) {
    const from = (first + y) * grey.width;
    const begin = middle - (sine / cosine) * (first + y - centre);
    for (let x = 0; x < width; x++) {
      const place = begin + (x + 0.5 - width / 2) / (scale * cosine);
      aslant[to++] = cubic(grey.data, from, 1, grey.width, place);
    }
  }
  const data = new Uint8ClampedArray(width * height);
  for (let y = 0, to = 0; y < height; y++) {
    const begin = centre - first + (cosine * (y + 0.5 - height / 2)) / scale;
    for (let x = 0; x < width; x++) {
      const place = begin + (sine * (x + 0.5 - width / 2)) / scale;
      data[to++] = cubic(aslant, x, width, rows, place);
    }
  }
  return { data, width, height };
}

/**
 * Where a place of such a part lies in the picture.
 * @param {Point} place
 * @param {Rect} part
 * @param {number} turn
 * @param {number} scale
 * @returns {Point}
 */
export function fromUpright({ x, y }, part, turn, scale) {
  const [width, height] = [part.width, part.height].map((side) => Math.round(side * scale));
  const [across, down] = [(x - width / 2) / scale, (y - height / 2) / scale];
  const [cosine, sine] = [Math.cos(turn), Math.sin(turn)];
  return {
    x: part.x + part.width / 2 + cosine * across - sine * down,
    y: part.y + part.height / 2 + sine * across + cosine * down,
  };
}

/**
 * Catmull and Rom's, of samples at equal distances; outside of them the outermost.
 * @param {ArrayLike<number>} samples
 * @param {number} from index of the first
 * @param {number} step to the next
 * @param {number} count
 * @param {number} place in samples
 */
function cubic(samples, from, step, count, place) {
  const left = Math.floor(place);
  const t = place - left;
  const before = samples[from + within(left - 1, count) * step];
  const near = samples[from + within(left, count) * step];
  const far = samples[from + within(left + 1, count) * step];
  const behind = samples[from + within(left + 2, count) * step];
  const ends = ((2 - t) * t - 1) * t * before + (t - 1) * t * t * behind;
  return 0.5 * (ends + ((3 * t - 5) * t * t + 2) * near + ((4 - 3 * t) * t + 1) * t * far);
}

/** @param {number} index @param {number} count */
const within = (index, count) => (index < 0 ? 0 : index < count ? index : count - 1);
