// The report as an SVG: a bar for each lane, slowest first; light or dark as the page around it is.

import { BASELINE, engines } from '../plan.js';

/**
 * @typedef {import('./report.js').Report} Report
 * @typedef {import('./report.js').Line} Line
 */

const WIDTH = 800;
const MARGIN = 16;
const LABELS = 290; // where bars begin
const VALUES = 640; // where the longest bar ends
const TITLE = 58; // height of the head
const GROUP = 34; // of a group's name
const ROW = 26;
const BAR = 16;
const FOOT = 46;

const STYLE = `
  text { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: #1f2328; }
  .head { font-size: 17px; font-weight: 600; }
  .group { font-weight: 600; }
  .quiet { fill: #59636e; }
  .small { font-size: 11px; }
  .value { font-variant-numeric: tabular-nums; }
  .strong { font-weight: 600; }
  .wisp { fill: #0b6e5f; } .peer { fill: #9aa4af; }
  .wisp.edge { fill: #5fb8a8; } .peer.edge { fill: #c5ccd3; }
  .axis { stroke: #d1d9e0; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .wisp { fill: #3fc1a9; } .peer { fill: #6e7781; }
    .wisp.edge { fill: #23796b; } .peer.edge { fill: #464e57; }
    .axis { stroke: #3d444d; }
  }`;

/** What a bar is. @typedef {'mean' | 'median' | 'min'} Statistic */
const NAMES = { mean: 'mean', median: 'median', min: 'least' };

/** @param {Report} report @param {Statistic} [by] @returns {string} SVG */
export function drawChart(report, by = 'mean') {
  const groups = groupsOf(report, by);
  const isOneNetwork = new Set(report.lanes.map(({ model }) => networkOf(model))).size === 1;
  const most = Math.max(...report.lanes.map(({ total }) => total[by]));
  let y = TITLE;
  const body = groups.flatMap(({ name, lines }) => {
    const head = text(MARGIN, y + 20, name, 'group');
    y += GROUP;
    const rows = lines.map((line, i) => drawRow(line, by, y + i * ROW, most, isOneNetwork));
    const axis = `<path class="axis" d="M${LABELS - 0.5} ${y - 4}v${lines.length * ROW + 2}"/>`;
    y += lines.length * ROW;
    return [head, ...rows, axis];
  });
  const height = y + FOOT;
  const title = 'Milliseconds an image, end to end: shorter is better';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
      `width="${WIDTH}" height="${height}" role="img" aria-labelledby="t d">`,
    `<title id="t">${title}</title>`,
    `<desc id="d">${escape(inWords(groups, by))}</desc>`,
    `<style>${STYLE}\n</style>`,
    text(MARGIN, 30, title, 'head'),
    text(MARGIN, 50, subtitle(report, by), 'quiet'),
    ...body,
    text(MARGIN, height - 24, footer(report), 'quiet small'),
    text(MARGIN, height - 8, LEGEND, 'quiet small'),
    '</svg>\n',
  ].join('\n');
}

const LEGEND =
  'Pale ends of a bar: letterbox before, decoding and NMS after. ×: times as fast as onnxruntime-web FP32.';

/** @typedef {{name: string, lines: Line[]}} Group */

/** @param {Report} report @param {Statistic} by @returns {Group[]} one a place and number of threads */
function groupsOf({ lanes, places }, by) {
  const browser = places.find(({ name }) => name !== 'node') ?? places[0];
  /** @type {Map<string, Line[]>} */
  const groups = new Map();
  for (const line of lanes) {
    const isGuest = engines[line.engine].places.length === 1; // native, beside whatever browser
    const place = isGuest ? browser.name : line.place;
    const version = places.find(({ name }) => name === place)?.version ?? place;
    const name = `${version}, ${line.threads} thread${line.threads > 1 ? 's' : ''}`;
    groups.set(name, [...(groups.get(name) ?? []), line]);
  }
  return [...groups].map(([name, lines]) => ({
    name,
    lines: lines.toSorted((a, b) => b.total[by] - a.total[by]),
  }));
}

/** @param {Line} line @param {Statistic} by @param {number} y @param {number} most @param {boolean} isOneNetwork */
function drawRow(line, by, y, most, isOneNetwork) {
  const scale = (VALUES - LABELS) / most;
  const kind = engines[line.engine].kind === 'wisp' ? 'wisp' : 'peer';
  const middle = y + BAR - 4;
  const pre = line.pre[by] * scale;
  const post = line.post[by] * scale;
  const all = line.total[by] * scale;
  const bar = (/** @type {number} */ x, /** @type {number} */ width, /** @type {string} */ style) =>
    `<rect class="${style}" x="${(LABELS + x).toFixed(1)}" y="${y}" ` +
    `width="${Math.max(0, width).toFixed(1)}" height="${BAR}"/>`;
  return [
    text(LABELS - 10, middle, labelOf(line, isOneNetwork), '', 'end'),
    bar(0, pre, `${kind} edge`),
    bar(pre, all - pre - post, kind),
    bar(all - post, post, `${kind} edge`),
    valueOf(line, by, LABELS + all + 8, middle),
  ].join('');
}

/** @param {Line} line @param {boolean} isOneNetwork whose name stands in the head */
function labelOf({ title, model, sparsity }, isOneNetwork) {
  const zeros = sparsity > 0 ? `, ${Math.round(sparsity * 100)} % zero` : '';
  return `${title}${isOneNetwork ? '' : ` · ${networkOf(model)}`}${zeros}`;
}

/** @param {string} model */
const networkOf = (model) => model.replace(/@[\d.]+$/, '').replace(/^.*[\\/]/, '');

/** @param {Line} line @param {Statistic} by @param {number} x @param {number} y */
function valueOf({ total, ratios }, by, x, y) {
  const time = `${total[by].toFixed(total[by] < 100 ? 1 : 0)} ms`;
  const ratio = ratios.find(({ against }) => against === BASELINE);
  const factor = ratio ? `<tspan class="strong" dx="8">${ratio.total[by].toFixed(1)}×</tspan>` : '';
  return text(x, y, time, 'value').replace('</text>', `${factor}</text>`);
}

/** @param {Report} report @param {Statistic} by */
function subtitle({ settings, lanes }, by) {
  const { input, picture, batch } = /** @type {Record<string, string | number>} */ (settings);
  const names = [...new Set(lanes.map(({ model }) => networkOf(model)))].join(', ');
  const counts = [...new Set(lanes.map(({ count }) => count))].join(' or ');
  const load = Number(batch) > 1 ? `, batch ${batch}` : '';
  return `${names}, ${input}, ${picture}${load}; ${NAMES[by]} of ${counts}, the engines in turn in one run`;
}

/** @param {Report} report */
function footer({ machine, date, wisp }) {
  return `${machine.cpu}, ${machine.cores} cores, ${machine.system}; wisp ${wisp}, ${date.slice(0, 10)}`;
}

/** @param {Group[]} groups @param {Statistic} by */
function inWords(groups, by) {
  return groups
    .map(({ name, lines }) => {
      const values = lines.map((line) => `${labelOf(line, false)} ${line.total[by].toFixed(1)}`);
      return `${name}: ${values.join(', ')}.`;
    })
    .join(' ');
}

/** @param {number} x @param {number} y @param {string} content @param {string} [style] @param {string} [anchor] */
function text(x, y, content, style = '', anchor = '') {
  const how = (style && ` class="${style}"`) + (anchor && ` text-anchor="${anchor}"`);
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${how}>${escape(content)}</text>`;
}

/** @param {string} content */
const escape = (content) =>
  content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
