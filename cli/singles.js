// 32-bit floats as JSON shows them: with the fewest digits that bring the same float back.

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
