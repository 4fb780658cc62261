// chart.js - draws the last frames: milliseconds by stage, stacked, and the frame rate as a line.
import uPlot from 'uplot';
import { make } from './elements.js';

/** @typedef {{key: string, colour: string}} Layer `colour` names a custom property of the page */

const FRAMES = 120;
const SHEET = new URL('../../vendor/uplot/dist/uPlot.min.css', import.meta.url);

export class Chart {
  #place;
  #layers;
  #plot;
  /** One list a layer and one of the frame rates. @type {(number | null)[][]} */
  #values;

  /** @param {HTMLElement} place @param {Layer[]} layers from the bottom up */
  constructor(place, layers) {
    document.head.append(Object.assign(make('link'), { rel: 'stylesheet', href: SHEET.href }));
    this.#place = place;
    this.#layers = layers;
    this.#values = [...layers, null].map(() => []);
    this.#plot = new uPlot(this.#options(), this.#data(), place);
    new ResizeObserver(() => this.#plot.setSize(this.#size())).observe(place);
  }

  /**
   * @param {Record<string, number>} times ms by layer
   * @param {number | null} rate frames per second
   */
  add(times, rate) {
    [...this.#layers.map(({ key }) => times[key] ?? 0), rate].forEach((value, i) => {
      this.#values[i].push(value);
      if (this.#values[i].length > FRAMES) this.#values[i].shift();
    });
    this.#plot.setData(this.#data());
  }

  clear() {
    for (const list of this.#values) list.length = 0;
    this.#plot.setData(this.#data());
  }

  /** The colours of the page have changed. */
  repaint() {
    this.#plot.redraw(false, true);
  }

  /** @returns {uPlot.AlignedData} */
  #data() {
    const frames = this.#values[0].map((_, i) => i);
    const stacked = [];
    let below = frames.map(() => 0);
    for (const list of this.#values.slice(0, -1)) {
      below = below.map((sum, i) => sum + (list[i] ?? 0));
      stacked.push(below);
    }
    // The tallest is painted first, so that every layer shows only what it adds.
    const rates = this.#values[this.#layers.length];
    return [frames, ...stacked.reverse(), rates, rates]; // the first one is the halo of the second
  }

  /** The newest frame stands at the right edge. @returns {[number, number]} */
  #span() {
    const n = this.#values[0].length;
    return [n - FRAMES, n];
  }

  /**
   * The highest mark of an axis carries its unit. There is no scale for what has no values yet.
   * @param {number[]} marks
   * @param {string} unit
   * @param {(number | null)[]} values
   */
  #marks(marks, unit, values) {
    const some = values.some((value) => value !== null);
    const last = marks.length - 1;
    return marks.map((mark, i) => (some ? `${mark}${i === last ? unit : ''}` : ''));
  }

  #size() {
    return { width: Math.max(80, this.#place.clientWidth), height: this.#place.clientHeight || 84 };
  }

  /** @returns {uPlot.Options} */
  #options() {
    const bars = uPlot.paths.bars?.({ size: [1, 14], align: 1, gap: 1 });
    const axis = {
      stroke: () => property('--muted'),
      font: `11px ${property('--font')}`,
      ticks: { show: false },
      size: 44,
      gap: 4,
      space: 26,
    };
    return {
      ...this.#size(),
      padding: [6, 0, 4, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: () => this.#span() },
        ms: { range: (_, __, max) => [0, ceiling(max)] },
        rate: { range: (_, __, max) => [0, ceiling(max)] },
      },
      axes: [
        { show: false },
        {
          ...axis,
          scale: 'ms',
          grid: { stroke: () => property('--line'), width: 1 },
          values: (_, marks) => this.#marks(marks, ' ms', this.#values[0]),
        },
        {
          ...axis,
          scale: 'rate',
          side: 1,
          grid: { show: false },
          values: (_, marks) => this.#marks(marks, '/s', this.#values[this.#layers.length]),
        },
      ],
      series: [
        {},
        ...[...this.#layers].reverse().map(({ colour }) => ({
          scale: 'ms',
          paths: bars,
          points: { show: false },
          width: 0,
          fill: () => property(colour),
          stroke: () => property(colour),
        })),
        { scale: 'rate', stroke: () => property('--surface'), width: 4, points: { show: false } },
        { scale: 'rate', stroke: () => property('--text'), width: 1.5, points: { show: false } },
      ],
    };
  }
}

/** Room above the highest value, steady while values tremble. @param {number | null} max */
function ceiling(max) {
  if (!max) return 10;
  const step = 10 ** Math.floor(Math.log10(max * 1.1)) / 2;
  return Math.ceil((max * 1.1) / step) * step;
}

/**
 * A colour of the page as it is computed now: light-dark() is resolved by a probe.
 * @param {string} name
 */
function property(name) {
  if (name === '--font') return getComputedStyle(document.documentElement).getPropertyValue(name);
  probe ??= document.body.appendChild(make('i'));
  probe.hidden = true;
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}
/** @type {HTMLElement | undefined} */
let probe;
