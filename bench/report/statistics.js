// What is said of many measurements of one thing.

/**
 * @typedef {object} Summary all in the unit of the values
 * @property {number} mean
 * @property {number} median
 * @property {number} min
 * @property {number} max
 * @property {number} p90 nine of ten values are no larger
 * @property {number} deviation standard deviation of the values
 */

/** @param {number[]} values at least one @returns {Summary} */
export function summary(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    median: quantile(sorted, 0.5),
    min: sorted[0],
    max: sorted[sorted.length - 1],
    p90: quantile(sorted, 0.9),
    deviation: Math.sqrt(squares / Math.max(1, values.length - 1)),
  };
}

/** @param {number[]} sorted @param {number} share 0 … 1 */
function quantile(sorted, share) {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}
