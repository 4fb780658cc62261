// gallery.js - the list of models: what comes with the page opens at once, the others are fetched by the visitor.
import { make, withSheet } from './elements.js';
import { bytes } from './sentences.js';
import { zoo } from './zoo.js';

/** @typedef {import('./session.js').Model} Model */
/** @typedef {import('./zoo.js').Entry} Entry */

const LEAD =
  'Those with a button open here. The others are for you to download from where they are published; ' +
  'drop the file on this page with some pictures, and it is pressed to 8 bits. Each keeps its own licence.';

/** @param {(model: Model) => void} onOpen */
export async function showGallery(onOpen) {
  const dialog = make('dialog', 'card gallery');
  dialog.setAttribute('aria-labelledby', 'gallery-title');
  const title = make('h2', '', 'Models');
  title.id = 'gallery-title';
  const list = make('ul');
  for (const { entry, model } of await zoo()) {
    const open = () => {
      dialog.close();
      if (model) onOpen(model);
    };
    list.append(item(entry, model ? open : null));
  }
  if (!list.children.length) list.append(make('li', 'muted', 'The list of models did not load.'));
  const close = make('button', 'button', 'Close');
  close.type = 'button';
  close.addEventListener('click', () => dialog.close());
  const ends = make('div', 'row end');
  ends.append(close);
  dialog.append(title, make('p', 'muted', LEAD), list, ends);
  dialog.addEventListener('close', () => dialog.remove());
  await withSheet('extras.css');
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {Entry} entry @param {(() => void) | null} open */
function item({ name, about = '', bytes: size = 0, licence = '', address = '' }, open) {
  const entry = make('li');
  const words = make('div');
  const facts = [about, size ? bytes(size) : '', licence].filter(Boolean).join(' · ');
  words.append(make('b', '', name), make('p', 'muted', facts));
  entry.append(words);
  if (open) {
    const button = make('button', 'button small', 'Open');
    button.type = 'button';
    button.setAttribute('aria-label', `Open ${name}`);
    button.addEventListener('click', open);
    entry.append(button);
  } else if (/^https:/.test(address)) {
    const link = make('a', 'button quiet small', 'Download');
    link.href = address;
    link.setAttribute('aria-label', `Download ${name}`);
    link.rel = 'noreferrer';
    link.target = '_blank';
    entry.append(link);
  }
  return entry;
}
