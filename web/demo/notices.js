// notices.js - says in place what went wrong, until it is dismissed or overtaken.
import { make } from './elements.js';
import { isAbort, sentence } from './sentences.js';

const SVG = 'http://www.w3.org/2000/svg';

export class Notices {
  #place;
  #passing = false;

  /** @param {HTMLElement} place */
  constructor(place) {
    this.#place = place;
  }

  /**
   * Shows one sentence instead of the last one.
   * @param {unknown} error nothing is said of an abort
   * @param {boolean} [passing] it is over as soon as a frame succeeds
   */
  error(error, passing = false) {
    if (isAbort(error)) return;
    const text = sentence(error);
    this.#passing = passing;
    if (this.#place.querySelector('p')?.textContent === text) return; // a video fails once a frame
    const notice = make('div', 'notice');
    notice.setAttribute('role', 'alert');
    notice.append(make('p', '', text), this.#dismissal());
    this.#place.replaceChildren(notice);
  }

  /** A frame has succeeded. */
  settle() {
    if (this.#passing) this.clear();
  }

  clear() {
    this.#passing = false;
    this.#place.replaceChildren();
  }

  #dismissal() {
    const dismissal = make('button', 'icon-button');
    dismissal.type = 'button';
    dismissal.setAttribute('aria-label', 'Dismiss');
    const icon = document.createElementNS(SVG, 'svg');
    icon.setAttribute('class', 'icon');
    icon.setAttribute('aria-hidden', 'true');
    const use = document.createElementNS(SVG, 'use');
    use.setAttribute('href', '#i-close');
    icon.append(use);
    dismissal.append(icon);
    dismissal.addEventListener('click', () => this.clear());
    return dismissal;
  }
}
