// speed.js - how long a frame takes, stage by stage, and how many there are a second.
import { block, button, make } from './elements.js';
import { milliseconds } from './sentences.js';

/** The stages of a result's `times`, in the order in which they run. */
const STAGES = [
  {
    key: 'pixels',
    name: 'Pixels',
    colour: '--stage-pixels',
    hint: 'from the picture or video to memory',
  },
  {
    key: 'prep',
    name: 'Letterbox',
    colour: '--stage-prep',
    hint: 'scaled and bordered to the input size',
  },
  { key: 'run', name: 'Network', colour: '--stage-run', hint: 'all layers' },
  { key: 'post', name: 'Boxes', colour: '--stage-post', hint: 'decoded and suppressed' },
];
const WINDOW = 2000; // ms over which frames are counted
const MEASURED = 40; // frames

/** @typedef {import('./chart.js').Chart} Chart */

async function openChart() {
  const { Chart } = await import('./chart.js');
  return new Chart(block('chart'), STAGES);
}

export class Speed {
  #total = block('total');
  #rate = block('rate');
  #measure = button('measure');
  /** Comes after the first boxes: nobody waits for them longer because of it. @type {Promise<Chart> | undefined} */
  #chart;
  /** @type {HTMLElement[]} */
  #numbers;
  /** When the last frames were done. @type {number[]} */
  #done = [];
  #left = 0;

  /** @param {() => void} onMeasure a frame is wanted */
  constructor(onMeasure) {
    this.#numbers = STAGES.map(() => make('dd', 'number', '–'));
    const rows = STAGES.flatMap((stage, i) => {
      const mark = make('i');
      mark.style.background = `var(${stage.colour})`;
      const term = make('dt');
      term.append(mark, stage.name);
      term.title = stage.hint;
      return [term, this.#numbers[i]];
    });
    block('stages').replaceChildren(...rows);
    this.#measure.addEventListener('click', () => {
      this.#done = [];
      this.#left = MEASURED;
      onMeasure();
    });
  }

  /** Whether the same picture is to be looked at again. */
  get wantsMore() {
    return this.#left > 0;
  }

  /** @param {Record<string, number>} times @param {boolean} live */
  show(times, live) {
    const now = performance.now();
    this.#measure.disabled = live;
    if (this.#left > 0) this.#left--;
    const steady = live || this.#left > 0 || this.#done.length > 1;
    this.#done = steady ? [...this.#done.filter((then) => now - then < WINDOW), now] : [];
    const rate = this.#framesPerSecond();
    this.#total.textContent = milliseconds(times.total);
    this.#rate.textContent = rate ? rate.toFixed(rate < 10 ? 1 : 0) : '–';
    for (const [i, { key }] of STAGES.entries()) {
      this.#numbers[i].textContent = milliseconds(times[key] ?? 0);
    }
    this.#chart ??= openChart();
    this.#chart.then((chart) => chart.add(times, rate));
  }

  clear() {
    this.#left = 0;
    this.#done = [];
    this.#measure.disabled = true;
    for (const place of [this.#total, this.#rate, ...this.#numbers]) place.textContent = '–';
    this.#chart?.then((chart) => chart.clear());
  }

  repaint() {
    this.#chart?.then((chart) => chart.repaint());
  }

  #framesPerSecond() {
    const n = this.#done.length - 1;
    return n > 0 ? (n * 1000) / (this.#done[n] - this.#done[0]) : null;
  }
}
