// code-list.js - the codes as a list: what each says, with buttons to copy and save it, or why it can't be read.
import { classColour } from 'wisp-yolo/draw';
import { fileOf, linkOf, visible } from './code-text.js';
import { block, make } from './elements.js';
import { said } from './results.js';
import { nameOfClass, unreadable } from './sentences.js';

/**
 * @typedef {import('./codes.js').Seen} Seen
 * @typedef {import('./code-text.js').Code} Code
 *
 * @typedef {object} Entry
 * @property {Seen} box
 * @property {number | null} [id] of a code that is followed
 * @property {Code} [code]
 * @property {Uint8Array | null} [bytes]
 *
 * @typedef {object} Sight an entry that is, or was a moment ago, in the picture
 * @property {string} key
 * @property {Entry} entry
 * @property {number} seen when, ms
 * @property {HTMLLIElement} item
 */

const KEPT_MS = 2500; // how long a code that was read stays when it is out of sight
const UNREAD_MS = 700; // and one that was not
const MOST = 20; // codes in the list

export class CodeList {
  #list = block('codes');
  #spoken = block('codes-spoken');
  /** @type {Sight[]} */
  #sights = [];

  /** @param {(box: Seen | null) => void} onHighlight null for none */
  constructor(onHighlight) {
    const boxOf = (/** @type {Event} */ { target }) =>
      this.#sights.find(({ item }) => target instanceof Node && item.contains(target))?.entry.box ??
      null;
    for (const event of ['pointerover', 'focusin'])
      this.#list.addEventListener(event, (e) => onHighlight(boxOf(e)));
    for (const event of ['pointerleave', 'focusout'])
      this.#list.addEventListener(event, () => onHighlight(null));
  }

  /**
   * @param {Entry[]} entries
   * @param {{isLive: boolean, isDone: boolean, isBroken: boolean}} state isDone: what can be read was read; isBroken:
   *   nothing will be
   */
  show(entries, { isLive, isDone, isBroken }) {
    const now = performance.now();
    const lost = new Set(this.#sights);
    // in a video those without a number may be none
    const sure = entries.filter(({ id, code }) => !isLive || code || id || isBroken).slice(0, MOST);
    const keyOf = (/** @type {Entry} */ entry) =>
      isLive ? `followed ${entry.id}` : `picture ${sure.indexOf(entry)}`;
    const before = new Map(
      sure.map((entry) => [entry, taken(lost, known(lost, keyOf(entry), entry))]),
    );
    for (const seen of sure) {
      const key = keyOf(seen);
      const there = before.get(seen) ?? (isLive ? taken(lost, lostAt(lost, seen)) : undefined);
      const sight = there ?? this.#add(key, seen);
      const entry = isLive ? remembering(sight.entry, seen) : seen;
      if (entry.code && sight.entry.code?.text !== entry.code.text && isDone)
        this.#spoken.textContent = sentenceOf(entry.code);
      Object.assign(sight, { key, entry, seen: now });
      paint(sight, isBroken ? 'Found, but not read.' : wordsOf(entry, isDone));
    }
    const keys = new Set(this.#sights.filter((sight) => !lost.has(sight)).map(({ key }) => key));
    for (const sight of lost) {
      const kept = isLive && !keys.has(sight.key) ? (sight.entry.code ? KEPT_MS : UNREAD_MS) : 0;
      if (now - sight.seen >= kept) this.#drop(sight);
      else sight.item.classList.add('gone');
    }
    this.#list.hidden = this.#sights.length === 0;
  }

  clear() {
    this.#sights = [];
    this.#list.replaceChildren();
    this.#list.hidden = true;
    this.#spoken.textContent = '';
  }

  /** @param {string} key @param {Entry} entry @returns {Sight} */
  #add(key, { box, id }) {
    const sight = { key, entry: { box, id }, seen: 0, item: make('li') };
    this.#sights.push(sight);
    this.#list.append(sight.item);
    return sight;
  }

  /** @param {Sight} sight */
  #drop(sight) {
    this.#sights = this.#sights.filter((other) => other !== sight);
    sight.item.remove();
  }
}

/**
 * The same code, or one that says the same: it moved too fast to be followed, or the video has begun again.
 * @param {Set<Sight>} sights
 * @param {string} key
 * @param {Entry} entry
 */
function known(sights, key, { code }) {
  const all = [...sights];
  const own = all.find((sight) => sight.key === key);
  const isTwin = (/** @type {Sight} */ { entry }) =>
    code && entry.code?.text === code.text && entry.code.format === code.format;
  return own?.entry.code ? own : (all.find(isTwin) ?? own);
}

/** @param {Set<Sight>} lost it leaves them @param {Sight | undefined} sight */
function taken(lost, sight) {
  if (sight) lost.delete(sight);
  return sight;
}

/** What was there before a code that isn't read yet. @param {Set<Sight>} sights @param {Entry} entry */
function lostAt(sights, { box, code }) {
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const isThere = (/** @type {Sight} */ { entry: { box: at } }) =>
    at.name === box.name &&
    Math.abs(x - at.x - at.width / 2) < at.width / 2 &&
    Math.abs(y - at.y - at.height / 2) < at.height / 2;
  return code ? undefined : [...sights].find(isThere);
}

/** With what it said before, while it is read anew. @param {Entry} before @param {Entry} entry @returns {Entry} */
const remembering = ({ code, bytes }, entry) =>
  entry.code || !code || entry.box.why !== undefined ? entry : { ...entry, code, bytes };

/** @param {Entry} entry @param {boolean} isDone */
const wordsOf = ({ box }, isDone) =>
  isDone && box.why !== undefined ? unreadable(box.why) : 'Reading …';

/** @param {Code} code */
const sentenceOf = ({ format, text, binary }) =>
  binary ? `${format} with binary content` : `${format}: ${text}`;

/**
 * Nothing changes while it says the same, so that a focused button stays.
 * @param {Sight} sight
 * @param {string} words while it was not read
 */
function paint({ item, entry: { box, code, bytes } }, words) {
  item.classList.remove('gone');
  const state = code ? `${code.format} ${code.text}` : `${box.name} ${words}`;
  if (item.dataset.state === state) return;
  item.dataset.state = state;
  item.classList.toggle('read', code !== undefined);
  const swatch = make('i', 'swatch');
  swatch.style.background = classColour(box.label);
  const kind = make('span', 'kind');
  kind.append(swatch, code?.format ?? nameOfClass(box.name));
  if (!code) return item.replaceChildren(kind, make('p', 'muted', words));
  const buttons = make('span', 'row');
  buttons.append(copyButton(code), saveButton(code, bytes ?? new Uint8Array()));
  item.replaceChildren(kind, buttons, contentOf(code));
}

/** @param {string} text @param {string} label */
function smallButton(text, label) {
  const button = make('button', 'button quiet small', text);
  button.type = 'button';
  button.setAttribute('aria-label', label);
  return button;
}

/** @param {Code} code */
function copyButton(code) {
  const copy = smallButton('Copy', `Copy what the ${code.format} says`);
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(code.text).then(
      () => said(copy, 'Copied'),
      () => said(copy, 'Not allowed'),
    );
  });
  return copy;
}

/** @param {Code} code @param {Uint8Array} bytes */
function saveButton(code, bytes) {
  const button = smallButton('Save', `Save what the ${code.format} says`);
  button.addEventListener('click', async () => {
    const { save } = await import('./annotate.js');
    const { name, file } = fileOf(code, bytes);
    save(file, name);
    said(button, 'Saved');
  });
  return button;
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
