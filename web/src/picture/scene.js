// A drawn picture to measure with where no photograph is at hand: gradients, shapes and noise, the same everywhere.

import { RandomNumbers } from '../graph/random-numbers.js';

const WIDTH = 1280;
const HEIGHT = 720;
const SHAPES = 60;
const NOISE = 24; // of 256 levels

/** @typedef {{data: Uint8ClampedArray<ArrayBuffer>, width: number, height: number}} Frame RGBA */

/** @returns {Frame} */
export function drawScene(width = WIDTH, height = HEIGHT) {
  const numbers = new RandomNumbers(7);
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4;
      data.set([(x / width) * 160, (y / height) * 160, 200 - (y / height) * 120, 255], at);
    }
  }
  for (let i = 0; i < SHAPES; i++) drawShape(data, width, height, numbers);
  for (let i = 0; i < data.length; i++) {
    if (i % 4 < 3) data[i] += (numbers.uniform() - 0.5) * NOISE;
  }
  return { data, width, height };
}

/**
 * A filled rectangle or ellipse of one colour.
 * @param {Uint8ClampedArray} data
 * @param {number} width
 * @param {number} height
 * @param {RandomNumbers} numbers
 */
function drawShape(data, width, height, numbers) {
  const [x0, y0] = [numbers.uniform() * width, numbers.uniform() * height];
  const [rx, ry] = [10 + numbers.uniform() * 120, 10 + numbers.uniform() * 120];
  const colour = Array.from({ length: 3 }, () => numbers.uniform() * 256);
  const isRound = numbers.uniform() < 0.5;
  for (let y = Math.max(0, Math.ceil(y0 - ry)); y < Math.min(height, y0 + ry); y++) {
    for (let x = Math.max(0, Math.ceil(x0 - rx)); x < Math.min(width, x0 + rx); x++) {
      if (isRound && ((x - x0) / rx) ** 2 + ((y - y0) / ry) ** 2 > 1) continue;
      data.set(colour, (y * width + x) * 4);
    }
  }
}
