// samples.js - the drawn pictures that come with the page, offered while the model finds what is in them.
import { block, make } from './elements.js';
import { isCode } from './sentences.js';

/** Made by tests/demo/demo-samples.js, which also puts them side by side into small.webp. */
const SAMPLES = [
  { file: 'parcel', title: 'A parcel' },
  { file: 'trip', title: 'A trip' },
  { file: 'kitchen', title: 'A kitchen' },
];

export class Samples {
  #welcome = block('samples');
  #bar = block('sample-bar');

  /** @param {(address: string) => void} onChoose */
  constructor(onChoose) {
    for (const place of [block('sample-list'), this.#bar]) {
      place.append(...SAMPLES.map((_, i) => buttonFor(i, onChoose)));
    }
  }

  /** @param {string[]} classes that the open model finds */
  offer(classes) {
    this.#welcome.hidden = this.#bar.hidden = !classes.some(isCode);
  }
}

/** @param {number} index @param {(address: string) => void} onChoose */
function buttonFor(index, onChoose) {
  const { file, title } = SAMPLES[index];
  const button = make('button', 'sample');
  button.type = 'button';
  button.title = title;
  const picture = make('i');
  picture.style.backgroundPositionX = `${(100 * index) / (SAMPLES.length - 1)}%`;
  button.append(picture, make('span', '', title));
  button.addEventListener('click', () =>
    onChoose(new URL(`samples/${file}.webp`, import.meta.url).href),
  );
  return button;
}
