// address.js - the page's settings in its address: read when it opens, written when they change.
import { input, make, select } from './elements.js';

/** Names in the address that are the ids of controls. */
const SLIDERS = ['confidence', 'iou', 'max'];
const SWITCHES = ['agnostic', 'multi', 'tiles', 'count'];

/**
 * What an address asks to be opened; the menus for size and threads are set to what it says.
 * @param {URLSearchParams} params
 * @returns {{model: string | null, image: string | null}} addresses
 */
export function asked(params) {
  const size = /^(\d{1,4})(?:[x×](\d{1,4}))?$/.exec(params.get('size') ?? '');
  if (size) choose(select('size'), `${size[1]}×${size[2] ?? size[1]}`);
  const threads = params.get('threads');
  if (threads && /^\d{1,2}$/.test(threads)) choose(select('threads'), threads);
  return { model: params.get('model'), image: params.get('image') };
}

/** @param {HTMLSelectElement} menu @param {string} value */
function choose(menu, value) {
  if (![...menu.options].some((option) => option.value === value)) {
    const option = make('option', '', value.replace('×', ' × '));
    option.value = value;
    menu.append(option);
  }
  menu.value = value;
}

/**
 * Sets the controls to what the address says, once a model is open.
 * @param {URLSearchParams} params
 * @param {import('./class-filter.js').ClassFilter} classes
 * @returns {string} what it asks for in vain; '' if nothing
 */
export function apply(params, classes) {
  const faults = SLIDERS.filter((name) => params.has(name)).flatMap((name) =>
    slide(input(name), name, params.get(name) ?? ''),
  );
  for (const name of SWITCHES.filter((one) => params.has(one))) {
    input(name).checked = !['0', 'false', 'none'].includes(params.get(name) ?? '');
    input(name).dispatchEvent(new Event('input', { bubbles: true }));
  }
  const wanted = params.get('classes')?.split(',').filter(Boolean);
  const strangers = wanted ? classes.choose(wanted) : [];
  if (strangers.length)
    faults.push(`This model has no class “${strangers[0]}”, which the address asks for.`);
  return faults.join(' ');
}

/** @param {HTMLInputElement} slider @param {string} name @param {string} text */
function slide(slider, name, text) {
  const value = Number(text);
  if (!text || !(value >= Number(slider.min) && value <= Number(slider.max)))
    return [`${name} in the address is ${slider.min} … ${slider.max}, not “${text}”.`];
  slider.valueAsNumber = value;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  return [];
}

/**
 * The address that shows the same: only what differs from what a visitor finds, and no file of the visitor's own.
 * @param {object} shown
 * @param {string} [shown.model] address, if it has one and isn't the page's own
 * @param {string} [shown.image] address, if it has one
 * @param {string[] | null} shown.classes names of the wanted ones; null for all
 * @returns {string}
 */
export function addressOf({ model, image, classes }) {
  const params = new URLSearchParams();
  if (model) params.set('model', short(model));
  if (image) params.set('image', short(image));
  for (const name of SLIDERS) {
    const { value, defaultValue } = input(name);
    if (Number(value) !== Number(defaultValue)) params.set(name, value);
  }
  for (const name of SWITCHES) {
    const { checked, defaultChecked } = input(name);
    if (checked !== defaultChecked) params.set(name, checked ? '1' : '0');
  }
  if (classes) params.set('classes', classes.join(','));
  for (const name of ['size', 'threads']) {
    const { value } = select(name);
    if (value) params.set(name, value.replace('×', 'x'));
  }
  const query = String(params).replace(/%(2F|3A|2C)/g, (code) => decodeURIComponent(code));
  return location.pathname + (query && `?${query}`) + location.hash;
}

/** Of the same server, without its name. @param {string} address */
function short(address) {
  const { origin, pathname, search, href } = new URL(address, location.href);
  if (origin !== location.origin) return href;
  const folder = new URL('.', location.href).pathname;
  return (pathname.startsWith(folder) ? pathname.slice(folder.length) : pathname) + search;
}
