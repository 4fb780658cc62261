// results.js - the boxes as a sentence, as a table and as JSON; a row brings out its box.
import { classColour } from 'wisp-yolo/draw';
import { block, button, element, make } from './elements.js';
import { nameOfBox, summary } from './sentences.js';

/** @typedef {import('../src/index.js').Box} Box */
/** @typedef {import('../src/index.js').Result} Result */

const TABLE_INTERVAL = 250; // ms between two changes of the table while a video runs
const SPEECH_INTERVAL = 1500; // ms between two announcements to a screen reader
const REFUSED =
  'The clipboard was not allowed. Allow it in the settings beside the address, then try again.';
const SAID = 1600; // ms a button shows that it has done its work

export class Results {
  #summary = block('summary');
  #spoken = block('spoken');
  #body = element('rows', HTMLTableSectionElement);
  #copy = button('copy');
  #save = button('save');
  #onHighlight;
  /** @type {Result | null} */
  #result = null;
  #timer = 0;
  #speechTimer = 0;

  /**
   * @param {object} callbacks
   * @param {(index: number) => void} callbacks.onHighlight -1 for none
   * @param {() => Promise<void>} callbacks.onSave
   * @param {(error: unknown) => void} callbacks.onError
   */
  constructor({ onHighlight, onSave, onError }) {
    this.#onHighlight = onHighlight;
    this.#copy.addEventListener('click', () => {
      void this.#copyJson().then(() => said(this.#copy, 'Copied'), onError);
    });
    this.#save.addEventListener('click', () => {
      void onSave().then(() => said(this.#save, 'Saved'), onError);
    });
    this.#listen();
  }

  /** @param {Result} result */
  show(result) {
    this.#result = result;
    this.#copy.disabled = this.#save.disabled = false;
    this.#timer ||= window.setTimeout(
      () => {
        this.#timer = 0;
        this.#render();
      },
      this.#body.rows.length ? TABLE_INTERVAL : 0,
    );
    this.#speechTimer ||= window.setTimeout(() => {
      this.#speechTimer = 0;
      const text = summary(this.#result?.boxes ?? []);
      if (this.#result && this.#spoken.textContent !== text) this.#spoken.textContent = text;
    }, SPEECH_INTERVAL);
  }

  /** @param {string} text instead of the results */
  clear(text) {
    clearTimeout(this.#timer);
    clearTimeout(this.#speechTimer);
    this.#timer = this.#speechTimer = 0;
    this.#result = null;
    this.#copy.disabled = this.#save.disabled = true;
    this.#summary.textContent = text;
    this.#spoken.textContent = '';
    this.#body.replaceChildren();
  }

  #render() {
    const boxes = this.#result?.boxes ?? [];
    this.#summary.textContent = summary(boxes);
    while (this.#body.rows.length > boxes.length) this.#body.deleteRow(-1);
    for (const [i, box] of boxes.entries()) fill(this.#body.rows[i] ?? this.#newRow(), box);
    this.#body.rows[0]?.setAttribute('tabindex', '0');
  }

  /** Rows are kept and filled anew, so that the focus stays while a video runs. */
  #newRow() {
    const row = this.#body.insertRow();
    row.tabIndex = -1;
    const name = make('td');
    name.append(make('span', 'swatch'), make('span'));
    row.append(name, make('td', 'end'), make('td', 'end soft'), make('td', 'end soft'));
    return row;
  }

  #listen() {
    const rowOf = (/** @type {Event} */ event) =>
      event.target instanceof Element ? event.target.closest('tr') : null;
    this.#body.addEventListener('pointerover', (e) =>
      this.#onHighlight(rowOf(e)?.sectionRowIndex ?? -1),
    );
    this.#body.addEventListener('pointerleave', () => this.#onHighlight(-1));
    this.#body.addEventListener('focusin', (e) =>
      this.#onHighlight(rowOf(e)?.sectionRowIndex ?? -1),
    );
    this.#body.addEventListener('focusout', () => this.#onHighlight(-1));
    this.#body.addEventListener('keydown', (event) => {
      const last = this.#body.rows.length - 1;
      const at = rowOf(event)?.sectionRowIndex ?? 0;
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.#body.rows[Math.max(0, Math.min(to, last))]?.focus();
    });
  }

  async #copyJson() {
    if (!this.#result) return;
    const { width, height, boxes, times } = this.#result;
    const text = JSON.stringify({ width, height, boxes, times }, null, 2);
    await navigator.clipboard.writeText(text).catch((cause) => {
      throw new Error(REFUSED, { cause });
    });
  }
}

/** @param {HTMLTableRowElement} row @param {Box} box */
function fill(row, box) {
  const [name, score, place, size] = row.cells;
  const [swatch, text] = name.children;
  if (swatch instanceof HTMLElement) swatch.style.background = classColour(box.label);
  text.textContent = nameOfBox(box);
  score.textContent = box.score.toFixed(3);
  place.textContent = `${Math.round(box.x)}, ${Math.round(box.y)}`;
  size.textContent = `${Math.round(box.width)} × ${Math.round(box.height)}`;
}

/** A button tells that it has done its work. @param {HTMLButtonElement} pressed @param {string} text */
export function said(pressed, text) {
  const before = pressed.textContent;
  if (before === text) return;
  pressed.textContent = text;
  setTimeout(() => (pressed.textContent = before), SAID);
}
