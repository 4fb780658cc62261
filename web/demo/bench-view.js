// bench-view.js - shows what was measured: a sentence, bars and a table.
import { averagePrecision, YOLOV5N } from './accuracy.js';
import { block, make } from './elements.js';

/**
 * @typedef {import('./bench-run.js').Field} Field
 * @typedef {import('./bench-run.js').Lane} Lane
 * @typedef {import('./bench-run.js').Plan} Plan
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
 * @property {number | null} ratio of another line's median to this one's: how many times as fast
 * @property {number | null} ap of the trained network, where it is known
 */

const TIERS = { 'wisp-relaxed': 'Relaxed SIMD', wisp: 'Plain SIMD' };
const BASELINE = 'ort-web';

/** @param {Plan} plan @param {Field} field @returns {Line[]} fastest first */
export function linesOf(plan, { runners }) {
  const lines = runners
    .filter(({ turns }) => turns.length > 0)
    .map(({ lane, turns }) => {
      const totals = turns.map(({ total }) => total).sort((a, b) => a - b);
      const mean = (/** @type {keyof Turn} */ key) =>
        turns.reduce((sum, turn) => sum + turn[key], 0) / turns.length;
      const middle = totals.length / 2;
      const median = (totals[Math.ceil(middle) - 1] + totals[Math.floor(middle)]) / 2;
      const parts = { before: mean('before'), network: mean('network'), after: mean('after') };
      const whole = { count: turns.length, median, mean: mean('total'), least: totals[0] };
      return { lane, ...whole, ...parts, ap: averagePrecision(plan, lane) };
    });
  return lines
    .map((line) => {
      const other = lines.find(({ lane }) => isBaselineOf(plan, lane, line.lane));
      return { ...line, ratio: other ? other.median / line.median : null };
    })
    .sort((a, b) => a.median - b.median);
}

/**
 * What a lane is compared with: onnxruntime-web where it is measured too, else itself without zeros.
 * @param {Plan} plan
 */
const baselineName = ({ peers }) =>
  peers.some(({ id }) => id === BASELINE) ? 'onnxruntime-web FP32' : 'dense';

/** @param {Plan} plan @param {Lane} candidate @param {Lane} lane */
function isBaselineOf(plan, candidate, lane) {
  if (candidate.threads !== lane.threads || candidate.sparsity > 0) return false;
  if (baselineName(plan) === 'dense') return candidate.engine === lane.engine;
  return typeof candidate.engine !== 'string' && candidate.engine.id === BASELINE;
}

/** @param {Plan} plan @param {Line[]} lines @param {Field} field */
export function show(plan, lines, { refusals, choice }) {
  block('results').classList.toggle('empty', lines.length === 0);
  block('choice').textContent = choice ? `By itself wisp takes ${choice.reason}.` : '';
  block('summary').textContent = summary(plan, lines);
  const most = Math.max(...lines.map(({ median }) => median));
  block('bars').replaceChildren(...lines.map((line) => barOf(line, most)));
  block('rows').replaceChildren(...lines.map(rowOf));
  block('note').textContent = lines.length ? note(plan, lines) : '';
  block('refusals').replaceChildren(
    ...refusals.map(({ lane, why }) => make('li', '', `${nameOf(lane)}: ${why}`)),
  );
}

/**
 * The fastest of each share of zeros, e.g. “21.2 ms dense, 11.1 ms with 50 % zero”.
 * @param {Plan} plan
 * @param {Line[]} lines
 */
function summary({ network, size, sparsities }, lines) {
  const parts = sparsities.flatMap((sparsity) => {
    const best = lines.find(
      ({ lane }) => typeof lane.engine === 'string' && lane.sparsity === sparsity,
    );
    if (!best) return [];
    return [
      `${best.median.toFixed(1)} ms ${sparsity > 0 ? `with ${zerosOf(best.lane)}` : 'dense'}`,
    ];
  });
  if (!parts.length) return '';
  return `${network.replace('yolo', 'YOLO')} at ${size} × ${size}: ${parts.join(', ')}`;
}

/** @param {Plan} plan @param {Line[]} lines */
function note(plan, lines) {
  const other = baselineName(plan);
  const against = other === 'dense' ? 'without zeros' : other;
  const ratio = `×: times as fast as ${against}, by the median, with as many threads.`;
  if (lines.every(({ ap }) => ap === null)) return ratio;
  const [float, int8] = [YOLOV5N.float, YOLOV5N.int8].map((ap) => ap.toFixed(2));
  return (
    `${ratio} AP: these weights are random and find nothing. The official YOLOv5n has ${float} in float and ${int8} ` +
    "pressed to wisp's 8 bits, on 543 images of COCO val2017; what was not measured is left out."
  );
}

/** @param {Line} line @param {number} most */
function barOf({ lane, median }, most) {
  const kind = typeof lane.engine === 'string' ? lane.engine : 'peer';
  const item = make('li', kind);
  const track = make('div', 'track');
  const bar = make('div', 'bar-of');
  bar.style.setProperty('--share', (median / most).toFixed(4));
  track.append(bar, make('span', 'number', `${median.toFixed(1)} ms`));
  item.append(make('span', 'name', nameOf(lane)), track);
  return item;
}

/** @param {Line} line */
function rowOf({ lane, median, mean, least, before, network, after, ratio, ap }) {
  const row = make('tr');
  const zeros = lane.sparsity > 0 ? `${lane.sparsity * 100} %` : 'None';
  row.append(make('td', '', titleOf(lane)), make('td', '', zeros));
  const times = [median, mean, least, before, network, after].map((ms) =>
    ms.toFixed(ms < 10 ? 2 : 1),
  );
  const rest = [(1000 / mean).toFixed(1), ratio?.toFixed(2) ?? '–', ap?.toFixed(2) ?? '–'];
  for (const text of [String(lane.threads), ...times, ...rest]) row.append(make('td', 'end', text));
  return row;
}

/** @param {Lane} lane */
const titleOf = ({ engine }) => (typeof engine === 'string' ? TIERS[engine] : engine.title);

/** @param {Lane} lane */
function nameOf(lane) {
  const threads = `${lane.threads} thread${lane.threads > 1 ? 's' : ''}`;
  const zeros = typeof lane.engine === 'string' ? [zerosOf(lane)] : [];
  return [titleOf(lane), ...zeros, threads].join(', ');
}

/** @param {Lane} lane */
const zerosOf = ({ sparsity }) => (sparsity > 0 ? `${sparsity * 100} % zero` : 'dense');
