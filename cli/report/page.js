// The report as one HTML file that needs nothing else: no network, no other file.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/**
 * @typedef {import('./report.js').Report} Report
 * @typedef {import('./report.js').Line} Line
 */

const require = createRequire(import.meta.url);
const own = (/** @type {string} */ name) => readFileSync(new URL(name, import.meta.url), 'utf8');
const uplot = (/** @type {string} */ name) =>
  readFileSync(require.resolve(`uplot/dist/${name}`), 'utf8');

/** @param {Report} report @returns {string} HTML */
export function pageOf(report) {
  const { source, lines } = report;
  const { name } = /** @type {{name: string}} */ (source);
  const data = JSON.stringify(report).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${text(name)} pressed</title>
<style>${uplot('uPlot.min.css')}
${own('page.css')}</style>
<h1>${text(name)} pressed</h1>
<p class="muted">${text(subtitle(report))}</p>
${facts(report)}
${lines.length > 1 ? curves(report) : ''}
${layers(lines)}
${settings(report)}
<script type="application/json" id="report">${data}</script>
<script>${uplot('uPlot.iife.min.js')}</script>
<script type="module">${own('charts.js')}</script>
</html>
`;
}

/** @param {unknown} value */
const text = (value) =>
  String(value)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

const kilobytes = (/** @type {number} */ bytes) =>
  `${(bytes / 1000).toLocaleString('en', { maximumFractionDigits: 0 })} kB`;
const points = (/** @type {number} */ share) => (share * 100).toFixed(2);
const percent = (/** @type {number} */ share) => `${(share * 100).toFixed(1)} %`;
const millions = (/** @type {number} */ count) =>
  `${(count / 1e6).toLocaleString('en', { maximumFractionDigits: 0 })} M`;

/** @param {Report} report */
function subtitle({ wisp, date, input, classes, calibration }) {
  const shown = classes.length > 4 ? `${classes.length} classes` : classes.join(', ');
  const pictures = `${calibration} picture${calibration === 1 ? '' : 's'}`;
  return `${input.width} × ${input.height}; ${shown}; calibrated on ${pictures}; wisp ${wisp}, ${date.slice(0, 10)}`;
}

/** What the scores are. @param {Report} report */
function measured({ measure }) {
  if (!measure) return '';
  if (measure.kind === 'labels') return `on ${measure.pictures} labelled pictures`;
  return `with the float network's boxes on ${measure.pictures} calibration pictures`;
}

/** The first and, of a sweep, the last press in a few numbers. @param {Report} report */
function facts(report) {
  const { lines, source, measure } = report;
  const ends = lines.length > 1 ? [lines[0], lines[lines.length - 1]] : lines;
  const all = (/** @type {(line: Line) => string} */ of) => [...new Set(ends.map(of))].join(' … ');
  const { bytes } = /** @type {{bytes?: number}} */ (source);
  const scored = ends.every(({ score }) => score);
  const ap = (/** @type {Line} */ { score }) => points(score?.ap ?? 0);
  const title = measure?.kind === 'labels' ? 'AP' : 'Agreement (AP)';
  const before = measure?.float ? `float ${points(measure.float.ap)}, ` : '';
  return `<dl class="facts">
${fact(
  'Size',
  all((line) => kilobytes(line.bytes)),
  bytes ? `ONNX ${kilobytes(bytes)}` : '',
)}
${scored ? fact(title, all(ap), before + measured(report)) : ''}
${fact(
  'Bits of a weight',
  all(({ meanBits }) => meanBits.toFixed(2)),
  'mean, before entropy coding',
)}
${fact(
  '1×4 blocks zero',
  all(({ zeroBlocks }) => percent(zeroBlocks)),
  '',
)}
${fact(
  'Multiply-adds',
  all(({ macs }) => millions(macs)),
  `dense ${millions(lines[0].denseMacs)}`,
)}
</dl>`;
}

/** @param {string} name @param {string} value @param {string} note */
const fact = (name, value, note) =>
  `<div><dt>${text(name)}</dt><dd>${text(value)}<small>${text(note)}</small></dd></div>`;

/** @param {Report} report */
function curves(report) {
  const { lines } = report;
  const rows = lines.map((line) => {
    const cells = [
      line.label,
      kilobytes(line.bytes),
      line.meanBits.toFixed(2),
      percent(line.zeroBlocks),
      millions(line.macs),
      line.score ? points(line.score.ap) : '–',
      line.score ? points(line.score.ap50) : '–',
      `${line.seconds.toFixed(0)} s`,
      line.file,
    ];
    const row = cells.map((cell) => `<td>${text(cell)}</td>`).join('');
    return `<tr${line.isBest ? ' class="best"' : ''}>${row}</tr>`;
  });
  return `<section><h2>What each setting costs</h2>
<div class="charts">
<figure><figcaption>Size of the file against AP; the line joins the best</figcaption>
<div id="by-size"></div></figure>
<figure><figcaption>Work of a picture against AP</figcaption><div id="by-work"></div></figure>
</div>
<div class="wide"><table><thead><tr><th>setting<th>size<th>bits<th>zero blocks<th>multiply-adds
<th>AP<th>AP50<th>time<th>file</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>
<p class="muted">AP ${text(measured(report))}. In colour: no other file is both smaller and better.</p></section>`;
}

/** @param {Line[]} lines */
function layers(lines) {
  const options = lines.map((line, at) => `<option value="${at}">${text(line.label)}</option>`);
  const choice =
    lines.length > 1
      ? `<p><label>Of <select id="choice">${options.join('')}</select></label></p>`
      : '';
  const chart = (/** @type {string} */ id, /** @type {string} */ caption) =>
    `<figure><figcaption>${caption}</figcaption><div id="${id}"></div></figure>`;
  return `<section><h2>Layer by layer</h2>${choice}
<div class="charts single">
${chart('bits', 'Bits of a weight')}
${chart('zeros', 'Share of the 1×4 blocks that are zero')}
${chart('error', 'What a layer’s outputs lose: mean square over their variance, after repair')}
</div>
<div class="wide"><table id="layers"><thead><tr><th>layer<th>weights<th>bits<th>zero blocks
<th>error before repair<th>error after<th>share of the loss</tr></thead>
<tbody></tbody></table></div></section>`;
}

/** @param {Report} report */
function settings({ source, lines }) {
  const rows = (/** @type {object} */ object) =>
    Object.entries(object)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([key, value]) => `<dt>${text(key)}</dt><dd>${text(value)}</dd>`)
      .join('\n');
  return `<section><h2>Where it comes from</h2><dl class="settings">
${rows(source)}
${rows(lines[0].settings)}
</dl>${lines.length > 1 ? '<p class="muted">The settings are those of the first press.</p>' : ''}</section>`;
}
