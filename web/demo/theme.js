// theme.js - light, dark or as the system says; set before the first paint.
const KEY = 'wisp-theme';
const ORDER = /** @type {const} */ (['auto', 'light', 'dark']);
const NAMES = { auto: 'as the system', light: 'light', dark: 'dark' };

/** @typedef {(typeof ORDER)[number]} Theme */

apply(remembered());

/**
 * Turns to the next theme at each press.
 * @param {HTMLButtonElement} button
 * @param {() => void} onChange
 */
export function themeButton(button, onChange) {
  const say = (/** @type {Theme} */ theme) => {
    const next = following(theme);
    button.setAttribute('aria-label', `Colours: ${NAMES[theme]}. Change to ${NAMES[next]}`);
    button.title = `Colours: ${NAMES[theme]}`;
    button.querySelector('use')?.setAttribute('href', `#i-${theme}`);
  };
  let theme = remembered();
  say(theme);
  button.addEventListener('click', () => {
    theme = following(theme);
    remember(theme);
    apply(theme);
    say(theme);
    onChange();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange);
}

/** @param {Theme} theme @returns {Theme} */
const following = (theme) => ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length];

/** @param {Theme} theme */
function apply(theme) {
  document.documentElement.style.colorScheme = theme === 'auto' ? 'light dark' : theme;
}

/** @returns {Theme} */
function remembered() {
  try {
    const kept = localStorage.getItem(KEY);
    return ORDER.find((theme) => theme === kept) ?? 'auto';
  } catch {
    return 'auto'; // storage may be forbidden; the choice then lasts as long as the page
  }
}

/** @param {Theme} theme */
function remember(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    return;
  }
}
