// The report as text for a terminal.

import { engines } from '../plan.js';
import { table } from './columns.js';
import { showLayers } from './layer-table.js';
import { showStarts } from './starts.js';

/**
 * @typedef {import('./report.js').Report} Report
 * @typedef {import('./report.js').Line} Line
 */

/**
 * @param {Report} report
 * @param {'mean' | 'median' | 'min'} by what ratios compare
 */
export function showReport(report, by) {
  const { machine, places, settings, lanes, layers, starts, missing, command } = report;
  const where = places.map(({ version, flags }) => [version, ...flags].join(' '));
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.system}`,
    ...where,
    Object.entries(settings)
      .map(([key, value]) => `${key} ${value}`)
      .join(', '),
    command,
    ...(lanes.length > 0 ? showLanes(lanes, by) : []),
    ...(layers ?? []).map(showLayers),
    ...(starts ? showStarts(starts) : []),
    ...missing.map(({ id, why }) => `Not measured: ${id}: ${why}`),
  ].join('\n');
}

/** @param {Line[]} lanes @param {'mean' | 'median' | 'min'} by */
function showLanes(lanes, by) {
  const ratios = ratioTable(lanes, by);
  const head = `Times as fast, by the ${by}: end to end / engine alone`;
  return [
    '',
    'Milliseconds an image, end to end unless said otherwise',
    ...timeTable(lanes),
    ...(ratios.length > 0 ? ['', head, ...ratios] : []),
  ];
}

/** @param {Line[]} lines */
function timeTable(lines) {
  const head = 'engine|network|threads|where|mean|median|min|± sd|pre|engine|post|images/s|boxes';
  return table([
    head.split('|'),
    ...lines.map((line) => [
      ...namesOf(line),
      ...[line.total.mean, line.total.median, line.total.min, line.total.deviation].map(ms),
      ...[line.pre.mean, line.run.mean, line.post.mean].map(ms),
      line.imagesPerSecond.toFixed(1),
      String(line.boxes),
    ]),
  ]);
}

/** @param {Line[]} lines @param {'mean' | 'median' | 'min'} by */
function ratioTable(lines, by) {
  const rivals = [...Object.keys(engines), 'own dense', 'own 1 thread'];
  const shown = rivals.filter((name) =>
    lines.some(({ ratios }) => ratios.some(({ against }) => against === name)),
  );
  if (shown.length === 0) return [];
  return table([
    ['engine', 'network', 'threads', 'where', ...shown],
    ...lines.map((line) => [
      ...namesOf(line),
      ...shown.map((name) => {
        const ratio = line.ratios.find(({ against }) => against === name);
        return ratio ? `${ratio.total[by].toFixed(2)} / ${ratio.alone[by].toFixed(2)}` : '';
      }),
    ]),
  ]);
}

/** @param {Line} line */
const namesOf = ({ title, model, threads, place }) => [title, model, String(threads), place];

/** @param {number} value milliseconds */
const ms = (value) => value.toFixed(value < 10 ? 2 : 1);
