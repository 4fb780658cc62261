// bench-view.js - shows what was measured: bars, a table, and the same as JSON.
import { block, make } from './elements.js';

/**
 * @typedef {import('./bench-run.js').Runner} Runner
 * @typedef {import('./bench-run.js').Refusal} Refusal
 * @typedef {import('./bench-run.js').Lane} Lane
 * @typedef {import('./bench-run.js').Turn} Turn
 *
 * @typedef {object} Line milliseconds
 * @property {Lane} lane
 * @property {number} count of turns
 * @property {number} median
 * @property {number} mean
 * @property {number} least
 * @property {number} before mean, as the next two
 * @property {number} network
 * @property {number} after
 */

const TIERS = { 'wisp-relaxed': 'Relaxed SIMD', wisp: 'Plain SIMD' };

/** @param {Runner[]} runners @returns {Line[]} fastest first */
export function linesOf(runners) {
  return runners
    .filter(({ turns }) => turns.length > 0)
    .map(({ lane, turns }) => {
      const totals = turns.map(({ total }) => total).sort((a, b) => a - b);
      const mean = (/** @type {keyof Turn} */ key) =>
        turns.reduce((sum, turn) => sum + turn[key], 0) / turns.length;
      const middle = totals.length / 2;
      const median = (totals[Math.ceil(middle) - 1] + totals[Math.floor(middle)]) / 2;
      const parts = { before: mean('before'), network: mean('network'), after: mean('after') };
      return { lane, count: turns.length, median, mean: mean('total'), least: totals[0], ...parts };
    })
    .sort((a, b) => a.median - b.median);
}

/** @param {Line[]} lines @param {Refusal[]} refusals */
export function show(lines, refusals) {
  block('results').classList.toggle('empty', lines.length === 0);
  const most = Math.max(...lines.map(({ median }) => median));
  block('bars').replaceChildren(...lines.map((line) => barOf(line, most)));
  block('rows').replaceChildren(...lines.map(rowOf));
  block('refusals').replaceChildren(
    ...refusals.map(({ lane, why }) => make('li', '', `${nameOf(lane)}: ${why}`)),
  );
}

/** @param {Line} line @param {number} most */
function barOf({ lane, median }, most) {
  const item = make('li', lane.tier === 'wisp' ? 'plain' : '');
  const track = make('div', 'track');
  const bar = make('div', 'bar-of');
  bar.style.setProperty('--share', (median / most).toFixed(4));
  track.append(bar, make('span', 'number', `${median.toFixed(1)} ms`));
  item.append(make('span', 'name', nameOf(lane)), track);
  return item;
}

/** @param {Line} line */
function rowOf({ lane, median, mean, least, before, network, after }) {
  const row = make('tr');
  row.append(make('td', '', TIERS[lane.tier]), make('td', '', zerosOf(lane)));
  const times = [median, mean, least, before, network, after].map((ms) =>
    ms.toFixed(ms < 10 ? 2 : 1),
  );
  for (const text of [String(lane.threads), ...times, (1000 / mean).toFixed(1)]) {
    row.append(make('td', 'end', text));
  }
  return row;
}

/** @param {Lane} lane */
function nameOf(lane) {
  const threads = `${lane.threads} thread${lane.threads > 1 ? 's' : ''}`;
  const zeros = lane.sparsity > 0 ? `${zerosOf(lane)} zero` : 'dense';
  return `${TIERS[lane.tier]}, ${zeros}, ${threads}`;
}

/** @param {Lane} lane */
const zerosOf = ({ sparsity }) => (sparsity > 0 ? `${sparsity * 100} %` : 'None');
