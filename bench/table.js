// The report as text for a terminal.

import { engines } from './plan.js';

/**
 * @typedef {import('./report.js').Report} Report
 * @typedef {import('./report.js').Line} Line
 */

/** @param {Report} report */
export function showReport(report) {
  const { machine, places, settings, lanes, missing, command } = report;
  const where = places.map(({ version, flags }) => [version, ...flags].join(' '));
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.system}`,
    ...where,
    Object.entries(settings)
      .map(([key, value]) => `${key} ${value}`)
      .join(', '),
    command,
    '',
    'Milliseconds an image, end to end unless said otherwise',
    ...timeTable(lanes),
    '',
    'Times as fast as the peer, by the means: end to end / engine alone',
    ...ratioTable(lanes),
    ...missing.map(({ title, model, why }) => `Not measured: ${title}, ${model}: ${why}`),
  ].join('\n');
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

/** @param {Line[]} lines */
function ratioTable(lines) {
  const peers = Object.keys(engines).filter((name) =>
    lines.some(({ ratios }) => ratios.some(({ engine }) => engine === name)),
  );
  return table([
    ['engine', 'network', 'threads', 'where', ...peers],
    ...lines.map((line) => [
      ...namesOf(line),
      ...peers.map((name) => {
        const ratio = line.ratios.find(({ engine }) => engine === name);
        return ratio ? `${ratio.total.toFixed(2)} / ${ratio.alone.toFixed(2)}` : '';
      }),
    ]),
  ]);
}

/** @param {Line} line */
const namesOf = ({ title, model, threads, place }) => [title, model, String(threads), place];

/** @param {number} value milliseconds */
const ms = (value) => value.toFixed(value < 10 ? 2 : 1);

const TEXT_COLUMNS = 2; // the rest are numbers, which stand to the right

/** @param {string[][]} rows the first has the names of the columns */
export function table(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const line = (/** @type {string[]} */ row) =>
    row
      .map((cell, i) => (i < TEXT_COLUMNS ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  return [
    line(rows[0]),
    widths.map((width) => '─'.repeat(width)).join('  '),
    ...rows.slice(1).map(line),
  ];
}
