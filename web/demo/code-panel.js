// code-panel.js - shows the program that does what is on the screen, and the address that shows the same.
import { make, withSheet } from './elements.js';
import { said } from './results.js';
import { snippetOf } from './snippet.js';

const DOCS = new URL('../../docs/', import.meta.url);

/**
 * @param {import('./snippet.js').Shown} shown
 * @param {string} address of this page with its settings
 */
export async function showCode(shown, address) {
  const dialog = make('dialog', 'card code');
  dialog.setAttribute('aria-labelledby', 'code-title');
  const title = make('h2', '', 'What is on the screen, as code');
  title.id = 'code-title';
  const text = snippetOf(shown);
  const listing = make('pre');
  listing.tabIndex = 0; // it scrolls
  listing.setAttribute('aria-label', 'Code');
  listing.append(make('code', '', text));
  const close = action('Close', 'button quiet', async () => dialog.close());
  const ends = make('div', 'row end');
  ends.append(
    close,
    action('Copy address', 'button', () => copy(address), 'Copied'),
    action('Copy code', 'button primary', () => copy(text), 'Copied'),
  );
  dialog.append(title, lead(), listing, ends);
  dialog.addEventListener('close', () => dialog.remove());
  await withSheet('extras.css');
  document.body.append(dialog);
  dialog.showModal();
}

function lead() {
  const words = make(
    'p',
    'muted',
    'For a page with an <img> or <video> and a <canvas>, where the package ',
  );
  const link = make('a', '', 'first picture in an app');
  link.href = new URL('start.html', DOCS).href;
  words.append(make('code', '', 'wisp-yolo'), ' is installed: ', link, '.');
  return words;
}

/** @param {string} text */
const copy = (text) => navigator.clipboard.writeText(text);

/**
 * @param {string} text
 * @param {string} className
 * @param {() => Promise<void>} act
 * @param {string} [done] shown for a moment
 */
function action(text, className, act, done) {
  const button = make('button', className, text);
  button.type = 'button';
  button.addEventListener('click', () => {
    void act().then(
      () => done && said(button, done),
      () => said(button, 'Not allowed'),
    );
  });
  return button;
}
