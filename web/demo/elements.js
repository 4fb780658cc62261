// elements.js - finds the page's elements by id, with the type the caller relies on.

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type))
    throw new Error(`index.html has no ${type.name} with the id “${id}”`);
  return found;
}

/** @param {string} id */
export const button = (id) => element(id, HTMLButtonElement);
/** @param {string} id */
export const input = (id) => element(id, HTMLInputElement);
/** @param {string} id */
export const select = (id) => element(id, HTMLSelectElement);
/** @param {string} id */
export const block = (id) => element(id, HTMLElement);
/** @param {string} id */
export const dialog = (id) => element(id, HTMLDialogElement);

/**
 * A new element with a class and a text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} [className]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, className = '', text = '') {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** Sheets that were asked for. @type {Map<string, Promise<unknown>>} */
const sheets = new Map();

/** Waits for a sheet that not every visitor needs. @param {string} name beside this file */
export function withSheet(name) {
  const known = sheets.get(name);
  if (known) return known;
  const link = make('link');
  link.rel = 'stylesheet';
  link.href = new URL(name, import.meta.url).href;
  const loaded = new Promise((resolve) => {
    link.onload = link.onerror = resolve;
  });
  document.head.append(link);
  sheets.set(name, loaded);
  return loaded;
}
