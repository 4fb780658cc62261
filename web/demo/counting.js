// counting.js - follows things through a video: boxes get numbers, classes are counted, all of it can be saved as CSV.
import { Tracker } from 'wisp-yolo/track';
import { save } from './annotate.js';
import { block, button, make } from './elements.js';
import { nameOfClass, plural, stem } from './sentences.js';

/**
 * @typedef {import('../src/index.js').Box} Box
 * @typedef {import('../src/track.js').TrackedBox} TrackedBox
 * @typedef {import('./sources.js').Source} Source
 */

const HEAD = 'seconds,id,class,score,x,y,width,height';
const MOST = 200_000; // rows that are kept

export class Counting {
  #panel = block('counting');
  #list = block('counts');
  #csv = button('count-csv');
  #tracker = new Tracker();
  /** @type {string[]} */
  #rows = [];
  /** @type {Source | null} */
  #source = null;
  #seconds = 0; // of the last frame
  #state = '';

  constructor() {
    this.#csv.addEventListener('click', () => this.#save());
    button('count-again').addEventListener('click', () => this.#begin(this.#source));
  }

  /**
   * @param {Box[]} boxes that were found in the present frame of `source`
   * @param {Source} source
   * @param {HTMLVideoElement} video
   * @returns {TrackedBox[]} the same, numbered
   */
  follow(boxes, source, video) {
    const seconds = video.currentTime;
    const startsAgain = source !== this.#source || seconds < this.#seconds;
    if (startsAgain) this.#begin(source);
    const isNew = startsAgain || seconds > this.#seconds;
    this.#seconds = seconds;
    const tracked = this.#tracker.update(boxes, seconds);
    if (isNew) this.#note(tracked, seconds);
    this.#paint();
    return tracked;
  }

  /** What was counted is forgotten. */
  end() {
    this.#begin(null);
    this.#panel.hidden = true;
  }

  /** @param {Source | null} source */
  #begin(source) {
    this.#tracker = new Tracker({ confidence: 0 }); // weaker ones than the visitor wants are not there
    this.#source = source;
    this.#rows = [];
    this.#seconds = 0;
    this.#paint();
  }

  /** @param {TrackedBox[]} tracked @param {number} seconds */
  #note(tracked, seconds) {
    for (const { id, name, score, x, y, width, height } of tracked) {
      if (id === null || this.#rows.length >= MOST) continue;
      const place = [x, y, width, height].map((one) => one.toFixed(1));
      this.#rows.push([seconds.toFixed(3), id, field(name), score.toFixed(3), ...place].join(','));
    }
  }

  /** Nothing changes while it says the same. */
  #paint() {
    const counts = this.#tracker.counts;
    const state = JSON.stringify(counts);
    this.#panel.hidden = this.#source === null;
    this.#csv.disabled = this.#rows.length === 0;
    if (state === this.#state) return;
    this.#state = state;
    this.#list.replaceChildren(
      ...counts.map(({ name, count }) => {
        const called = nameOfClass(name);
        const item = make('li');
        item.append(
          make('b', 'number', String(count)),
          ` ${count === 1 ? called : plural(called)}`,
        );
        return item;
      }),
    );
    if (!counts.length) this.#list.replaceChildren(make('li', 'muted', 'Nothing counted yet'));
  }

  #save() {
    const text = `${[HEAD, ...this.#rows].join('\n')}\n`;
    save(
      new Blob([text], { type: 'text/csv' }),
      `${stem(this.#source?.name ?? 'video')}-boxes.csv`,
    );
  }
}

/** As RFC 4180 has it. @param {string} text */
const field = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
