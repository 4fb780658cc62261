// Runs in the report's page: draws its charts with uPlot, and again when width or colours change.

/**
 * @typedef {import('./report.js').Report} Report
 * @typedef {import('./report.js').Line} Line
 * @typedef {import('uplot')} Chart
 * @typedef {import('uplot').Options} Options
 * @typedef {import('uplot').Series} Series
 * @typedef {import('uplot').AlignedData} Data
 */

const UPlot = /** @type {typeof import('uplot')} */ (Reflect.get(globalThis, 'uPlot'));
const element = (/** @type {string} */ id) =>
  /** @type {HTMLElement} */ (document.getElementById(id));
const report = /** @type {Report} */ (JSON.parse(element('report').textContent ?? ''));

const HEIGHT = 240;
const LOW = 150;
const WHOLE = [1, 2, 5, 10, 20, 50, 100];

/** @param {string} name of a CSS variable */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** What is drawn now, by the place it is in. @type {Map<string, Chart>} */
const drawn = new Map();

/**
 * @param {string} place
 * @param {Data} data
 * @param {(width: number) => Options} optionsFor
 */
function draw(place, data, optionsFor) {
  drawn.get(place)?.destroy();
  const box = element(place);
  drawn.set(place, new UPlot(optionsFor(box.clientWidth), data, box));
}

/** @param {string} label @param {object} [more] */
function axis(label, more = {}) {
  const grid = { stroke: colour('--grid'), width: 1 };
  const font = '12px system-ui, sans-serif';
  const text = { stroke: colour('--muted'), font, labelFont: font, labelSize: 18 };
  return { ...text, label, grid, ticks: grid, ...more };
}

// ---- size and work against accuracy

/** What is better the higher it is. @param {Line} line */
const worth = (line) => (line.score ? line.score.ap * 100 : -line.error * 100);

/**
 * @param {string} place
 * @param {string} title of the x axis
 * @param {(line: Line) => number} cost
 */
function drawCurve(place, title, cost) {
  const lines = report.lines.toSorted((a, b) => cost(a) - cost(b));
  const reference = report.measure?.float ? report.measure.float.ap * 100 : null;
  let best = Number.NEGATIVE_INFINITY;
  const front = lines.map((line) => {
    const isBetter = worth(line) > best;
    best = Math.max(best, worth(line));
    return isBetter ? worth(line) : null;
  });
  const data = [lines.map(cost), lines.map(worth), front];
  if (reference !== null) data.push(lines.map(() => reference));
  const [from, to] = [data[0][0] ?? 0, data[0].at(-1) ?? 1];
  const room = (Number(to) - Number(from)) * 0.05 || 1;
  draw(place, /** @type {Data} */ (data), (width) => ({
    width,
    height: HEIGHT,
    scales: {
      x: { time: false, range: () => [Number(from) - room, Number(to) + room] },
      y: {
        range: (_, low, high) => [
          low - (high - low) * 0.08 - 0.2,
          high + (high - low) * 0.08 + 0.2,
        ],
      },
    },
    axes: [
      axis(title, { size: 44 }),
      axis(report.lines[0].score ? 'AP' : '− error, %', { size: 52 }),
    ],
    series: curveSeries(lines, title, reference !== null),
  }));
}

/** @param {Line[]} lines @param {string} title @param {boolean} hasFloat @returns {Series[]} */
function curveSeries(lines, title, hasFloat) {
  const dots = { show: true, size: 7, fill: colour('--accent') };
  const label = (
    /** @type {any} */ _,
    /** @type {number} */ value,
    /** @type {any} */ __,
    /** @type {number | null} */ at,
  ) => (at === null ? '–' : `${value?.toFixed(2)} at ${lines[at].label}`);
  const float = {
    label: 'float',
    stroke: colour('--muted'),
    dash: [5, 4],
    points: { show: false },
  };
  return [
    { label: title, value: (_, value) => (value ?? '–').toLocaleString('en') },
    { label: 'pressed', stroke: colour('--accent'), paths: () => null, points: dots, value: label },
    {
      label: 'best',
      stroke: colour('--accent'),
      width: 2,
      spanGaps: true,
      points: { show: false },
    },
    .../** @type {Series[]} */ (hasFloat ? [float] : []),
  ];
}

// ---- layer by layer

/** @typedef {import('../../web/src/press.js').LayerAccount} Layer */

/**
 * @param {string} place
 * @param {string} title
 * @param {Layer[]} layers
 * @param {(layer: Layer) => number} value
 * @param {[number, number | null]} range
 */
function drawBars(place, title, layers, value, range) {
  const bars = UPlot.paths.bars?.({ size: [0.8, 24] });
  /** @type {Data} */
  const data = [layers.map((_, index) => index), layers.map(value)];
  draw(place, data, (width) => ({
    width,
    height: LOW,
    cursor: { sync: { key: 'layers' } },
    scales: {
      x: { time: false, range: () => [-0.7, layers.length - 0.3] },
      y: { range: (_, __, high) => [range[0], range[1] ?? (high || 1) * 1.05] },
    },
    axes: [
      axis('', { size: 26, labelSize: 0, incrs: WHOLE }),
      axis('', { size: 44, labelSize: 0, ...(range[1] === 8 ? { incrs: [2, 4] } : {}) }),
    ],
    series: [
      { label: 'layer', value: (_, at) => (at === null ? '–' : `${at} ${layers[at]?.name ?? ''}`) },
      {
        label: title,
        stroke: colour('--accent'),
        fill: colour('--accent'),
        paths: bars,
        points: { show: false },
        value: (_, v) => (v === null ? '–' : Number(v.toPrecision(3)).toString()),
      },
    ],
  }));
}

/** @param {Layer} layer */
const zeroShare = ({ zeroBlocks, blocks }) => (blocks ? (zeroBlocks / blocks) * 100 : 0);

/** Rows of a table whose first cell is text. @param {string} id @param {string[][]} rows */
function fillTable(id, rows) {
  const body = element(id).querySelector('tbody');
  body?.replaceChildren(
    ...rows.map((cells) => {
      const row = document.createElement('tr');
      row.append(
        ...cells.map((text) => {
          const cell = document.createElement('td');
          cell.textContent = text;
          return cell;
        }),
      );
      return row;
    }),
  );
}

/** @param {Layer} layer @param {number} index */
function rowOf(layer, index) {
  const error = (/** @type {number} */ share) => `${(share * 100).toPrecision(2)} %`;
  return [
    `${index} ${layer.name}`,
    layer.weights.toLocaleString('en'),
    String(layer.bits),
    `${zeroShare(layer).toFixed(1)} %`,
    error(layer.error.before),
    error(layer.error.after),
    `${(layer.share * 100).toFixed(1)} %`,
  ];
}

// ---- all of it

function drawAll() {
  const chosen = /** @type {HTMLSelectElement | null} */ (document.querySelector('#choice'));
  const { layers } = report.lines[Number(chosen?.value ?? 0)];
  if (report.lines.length > 1) {
    drawCurve('by-size', 'kB', ({ bytes }) => bytes / 1000);
    drawCurve('by-work', 'million multiply-adds', ({ macs }) => macs / 1e6);
  }
  drawBars('bits', 'bits', layers, ({ bits }) => bits, [0, 8]);
  drawBars('zeros', 'zero blocks, %', layers, zeroShare, [0, 100]);
  drawBars('error', 'error, %', layers, ({ error }) => error.after * 100, [0, null]);
  fillTable('layers', layers.map(rowOf));
}

drawAll();
document.querySelector('#choice')?.addEventListener('change', drawAll);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
let width = innerWidth;
addEventListener('resize', () => {
  if (innerWidth === width) return;
  width = innerWidth;
  requestAnimationFrame(drawAll);
});
