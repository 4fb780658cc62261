// class-filter.js - chooses which classes are looked for.
import { classColour } from 'wisp-yolo/draw';
import { block, button, element, input, make } from './elements.js';
import { nameOfClass } from './sentences.js';

export class ClassFilter {
  #list = block('class-list');
  #count = block('classes-count');
  #search = input('class-search');
  /** @type {HTMLInputElement[]} */
  #boxes = [];
  #onChange;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
    this.#search.addEventListener('input', () => this.#narrow());
    button('class-all').addEventListener('click', () => this.#tick(true));
    button('class-none').addEventListener('click', () => this.#tick(false));
    this.#list.addEventListener('change', () => this.#changed());
  }

  /** Starts again with the classes of another model, all of them wanted. @param {string[]} names */
  show(names) {
    element('classes', HTMLDetailsElement).hidden = names.length < 2;
    this.#search.value = '';
    this.#boxes = names.map((name) => {
      const box = make('input');
      box.type = 'checkbox';
      box.checked = true;
      box.value = name;
      return box;
    });
    this.#list.replaceChildren(...this.#boxes.map((box, label) => item(box, label)));
    this.#say();
  }

  /** Labels of the wanted classes; null for all. @returns {number[] | null} */
  get wanted() {
    const labels = this.#boxes.flatMap((box, label) => (box.checked ? [label] : []));
    return labels.length === this.#boxes.length ? null : labels;
  }

  /** Names of the wanted classes; null for all. @returns {string[] | null} */
  get names() {
    return this.wanted?.map((label) => this.#boxes[label].value) ?? null;
  }

  /** Wants these and no others. @param {string[]} names @returns {string[]} those that there are none of */
  choose(names) {
    const strangers = names.filter((name) => !this.#boxes.some(({ value }) => value === name));
    if (strangers.length < names.length)
      for (const box of this.#boxes) box.checked = names.includes(box.value);
    this.#changed();
    return strangers;
  }

  /** Acts on what the search shows. @param {boolean} checked */
  #tick(checked) {
    for (const box of this.#boxes) if (!box.closest('li')?.hidden) box.checked = checked;
    this.#changed();
  }

  #narrow() {
    const text = this.#search.value.trim().toLowerCase();
    for (const box of this.#boxes) {
      const entry = box.closest('li');
      if (entry)
        entry.hidden = !`${box.value} ${nameOfClass(box.value)}`.toLowerCase().includes(text);
    }
  }

  #changed() {
    this.#say();
    this.#onChange();
  }

  #say() {
    const n = this.#boxes.filter((box) => box.checked).length;
    const all = this.#boxes.length;
    this.#count.textContent = n === all ? `all ${all}` : `${n} of ${all}`;
  }
}

/** @param {HTMLInputElement} box @param {number} label */
function item(box, label) {
  const entry = make('li');
  const line = make('label', 'switch');
  const swatch = make('i', 'swatch');
  swatch.style.background = classColour(label);
  line.append(box, swatch, make('span', '', nameOfClass(box.value)));
  entry.append(line);
  return entry;
}
