// Boxes as lines of JSON: 32-bit floats with the fewest digits that bring the same float back.

const DIGITS = 9; // always enough

/** @param {number} value a 32-bit float */
export function single(value) {
  for (let digits = 1; digits < DIGITS; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(DIGITS));
}

/** @param {import('../web/src/index.js').Box} box */
export const shortBox = ({ x, y, width, height, score, ...rest }) => ({
  x: single(x),
  y: single(y),
  width: single(width),
  height: single(height),
  score: single(score),
  ...rest,
});

/**
 * @param {object} head what stands before the boxes: which picture it is
 * @param {import('../web/src/index.js').Result} result
 * @returns {string} JSON
 */
export function lineOf(head, { width, height, boxes, times }) {
  return JSON.stringify({
    ...{ ...head, width, height },
    boxes: boxes.map(shortBox),
    times: rounded(times),
  });
}

/** To the microsecond. @param {import('../web/src/detect/engine.js').Times} times */
const rounded = (times) =>
  Object.fromEntries(Object.entries(times).map(([key, ms]) => [key, Number(ms.toFixed(3))]));

/** Waits for a slow reader. @param {string} line @returns {Promise<void>} */
export function print(line) {
  return new Promise((resolve) => {
    process.stdout.write(`${line}\n`, () => resolve());
  });
}
