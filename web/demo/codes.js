// codes.js - what the codes in the picture say: read when they are seen, shown with a button to copy.

import { classColour } from 'wisp-yolo/draw';
import { CodeReader } from './code-reader.js';
import { linkOf, visible } from './code-text.js';
import { block, make } from './elements.js';
import { said } from './results.js';
import { isCode, nameOfClass } from './sentences.js';

/**
 * @typedef {import('../src/index.js').Box} Box
 * @typedef {import('./code-text.js').Code} Code
 * @typedef {import('./sources.js').Source} Source
 *
 * @typedef {object} Sight a code that is, or was a moment ago, in the picture
 * @property {Box} box where it was seen last
 * @property {number} seen when, ms
 * @property {number} tried when it was read last; 0: never
 * @property {Code | null} code
 * @property {HTMLLIElement} item
 */

const SAME = 0.3; // IoU from which on two boxes show the same thing
const KEPT_MS = 2000; // how long a code that was read stays when it is out of sight
const AGAIN_MS = 1000; // a code that moves may have become another one
const REST = 4; // times as long as reading took, so that the frame rate stays
const LEAST_REST_MS = 120;
const MOST = 20; // codes in the list

export class Codes {
  #list = block('codes');
  #spoken = block('codes-spoken');
  #reader = new CodeReader();
  #onError;
  /** @type {Sight[]} */
  #sights = [];
  /** @type {Source | null} */
  #source = null;
  #reading = false;
  #timer = 0;
  #broken = false;

  /**
   * @param {object} callbacks
   * @param {(box: Box | null) => void} callbacks.onHighlight null for none
   * @param {(error: unknown) => void} callbacks.onError
   */
  constructor({ onHighlight, onError }) {
    this.#onError = onError;
    const boxOf = (/** @type {Event} */ { target }) =>
      this.#sights.find(({ item }) => target instanceof Node && item.contains(target))?.box ?? null;
    for (const event of ['pointerover', 'focusin'])
      this.#list.addEventListener(event, (e) => onHighlight(boxOf(e)));
    for (const event of ['pointerleave', 'focusout'])
      this.#list.addEventListener(event, () => onHighlight(null));
  }

  /** @param {Box[]} boxes that were found in `source` just now @param {Source} source */
  show(boxes, source) {
    if (source !== this.#source) this.clear();
    this.#source = source;
    const now = performance.now();
    const codes = boxes.filter(({ name }) => isCode(name)).slice(0, MOST);
    const lost = new Set(this.#sights);
    for (const box of codes) {
      const known = [...lost].find((sight) => isSame(sight.box, box));
      if (known) lost.delete(known);
      const sight = known ?? this.#add(box);
      Object.assign(sight, { box, seen: now });
    }
    const kept = isLive(source) ? KEPT_MS : 0;
    for (const sight of lost) if (!sight.code || now - sight.seen >= kept) this.#drop(sight);
    this.#list.hidden = this.#sights.length === 0;
    if (!this.#timer) void this.#next();
  }

  /** @param {Box} box @returns {Code | null} what it says, as far as it was read */
  codeIn(box) {
    return this.#sights.find((sight) => sight.box === box)?.code ?? null;
  }

  clear() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#source = null;
    this.#sights = [];
    this.#list.replaceChildren();
    this.#list.hidden = true;
    this.#spoken.textContent = '';
  }

  /** @param {Box} box @returns {Sight} */
  #add(box) {
    const sight = { box, seen: 0, tried: 0, code: null, item: make('li') };
    this.#sights.push(sight);
    this.#list.append(sight.item);
    paint(sight);
    return sight;
  }

  /** @param {Sight} sight */
  #drop(sight) {
    this.#sights = this.#sights.filter((other) => other !== sight);
    sight.item.remove();
  }

  /** The sight that waits longest, if there is one to be read. @param {Source} source */
  #due(source) {
    const now = performance.now();
    const live = isLive(source);
    const due = this.#sights.filter(
      ({ tried, seen, code }) =>
        tried === 0 || (live && now - seen < KEPT_MS / 4 && (!code || now - tried > AGAIN_MS)),
    );
    return due.sort((a, b) => a.tried - b.tried)[0];
  }

  async #next() {
    const source = this.#source;
    const sight = source && !this.#reading && !this.#broken && this.#due(source);
    if (!sight) return;
    this.#reading = true;
    const started = performance.now();
    try {
      const code = await this.#reader.read(source, sight.box);
      if (source === this.#source) this.#take(sight, code);
    } catch (error) {
      if (source === this.#source) this.#giveUp(sight, error);
    }
    this.#reading = false;
    const rest = isLive(source) ? Math.max(LEAST_REST_MS, REST * (performance.now() - started)) : 0;
    this.#timer = window.setTimeout(() => {
      this.#timer = 0;
      void this.#next();
    }, rest);
  }

  /** @param {Sight} sight @param {Code | null} code */
  #take(sight, code) {
    sight.tried = performance.now();
    if (code) {
      const isTwin = (/** @type {Sight} */ { code: other }) => other?.text === code.text;
      // it was seen before, and moved too fast to be followed
      const twin = this.#sights.find(
        (other) => other !== sight && isTwin(other) && other.seen < sight.seen,
      );
      if (twin) this.#drop(twin);
      if (!twin && sight.code?.text !== code.text) this.#spoken.textContent = sentenceOf(code);
      sight.code = code;
    }
    paint(sight);
  }

  /** Once is enough: the reader is not there. @param {Sight} sight @param {unknown} error */
  #giveUp(sight, error) {
    this.#broken = true;
    sight.tried = performance.now();
    paint(sight);
    this.#onError(error);
  }
}

/** @param {Source} source */
const isLive = ({ element }) => element instanceof HTMLVideoElement && !element.paused;

/** @param {Box} a @param {Box} b */
function isSame(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (a.label !== b.label || width <= 0 || height <= 0) return false;
  const both = width * height;
  return both / (a.width * a.height + b.width * b.height - both) > SAME;
}

/** @param {Code} code */
const sentenceOf = ({ format, text, binary }) =>
  binary ? `${format} with binary content` : `${format}: ${text}`;

/** Nothing changes while it says the same, so that a focused button stays. @param {Sight} sight */
function paint({ item, box, code, tried }) {
  const state = code ? `${code.format} ${code.text}` : String(tried > 0);
  if (item.dataset.state === state) return;
  item.dataset.state = state;
  const swatch = make('i', 'swatch');
  swatch.style.background = classColour(box.label);
  const kind = make('span', 'kind');
  kind.append(swatch, code?.format ?? nameOfClass(box.name));
  if (code) item.replaceChildren(kind, copyButton(code), contentOf(code));
  else {
    const words = tried ? 'Not readable: closer, sharper or straighter may help.' : 'Reading …';
    item.replaceChildren(kind, make('p', 'muted', words));
  }
}

/** @param {Code} code */
function copyButton(code) {
  const copy = make('button', 'button quiet small', 'Copy');
  copy.type = 'button';
  copy.setAttribute('aria-label', `Copy what the ${code.format} says`);
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(code.text).then(
      () => said(copy, 'Copied'),
      () => said(copy, 'Not allowed'),
    );
  });
  return copy;
}

/** @param {Code} code */
function contentOf(code) {
  const content = make('p', code.binary ? 'content binary' : 'content');
  const address = linkOf(code);
  if (!address) {
    content.textContent = visible(code.text);
    return content;
  }
  const link = make('a', '', code.text);
  link.href = address;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  content.append(link);
  return content;
}
