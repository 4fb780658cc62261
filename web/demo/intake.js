// intake.js - everything that can be dropped, pasted or chosen: files and addresses.
import { block, button, dialog, input } from './elements.js';

/** @typedef {import('../src/bytes/file-kind.js').FileKind} FileKind */

/**
 * @typedef {object} Takers
 * @property {(files: File[]) => void} files
 * @property {(address: string) => void} address
 */

const HEAD = 4096; // bytes

/**
 * What a file is, by its bytes, and where they say nothing by the type that the browser gives its name.
 * @param {File} file
 * @returns {Promise<FileKind>}
 */
export async function kindOf(file) {
  const { fileKind } = await import('../src/bytes/file-kind.js');
  const kind = fileKind(new Uint8Array(await file.slice(0, HEAD).arrayBuffer()));
  const [named] = file.type.split('/');
  const isMedium = kind.sort === 'other' && (named === 'image' || named === 'video');
  return isMedium ? { ...kind, sort: named === 'image' ? 'picture' : 'video' } : kind;
}

/** Listens on the whole page. @param {Takers} takers */
export function listen(takers) {
  listenForDrops(takers);
  listenForAddress(takers);
  document.addEventListener('paste', (event) => {
    if (event.target instanceof HTMLInputElement && event.target.type !== 'range') return;
    take(event.clipboardData, takers);
  });
  for (const id of ['choose-model', 'choose-picture', 'choose-video']) {
    const chooser = input(id);
    chooser.addEventListener('change', () => {
      if (chooser.files?.length) takers.files([...chooser.files]);
      chooser.value = ''; // the same file may be chosen again
    });
  }
}

/** Every element with data-address opens the question. @param {Takers} takers */
function listenForAddress(takers) {
  const question = dialog('address-dialog');
  const field = input('address');
  for (const opener of document.querySelectorAll('[data-address]')) {
    opener.addEventListener('click', () => {
      question.returnValue = '';
      question.showModal();
      field.select();
    });
  }
  button('address-cancel').addEventListener('click', () => question.close());
  question.addEventListener('close', () => {
    if (question.returnValue === 'open') takers.address(field.value.trim());
  });
}

/** @param {Takers} takers */
function listenForDrops(takers) {
  const stage = block('stage');
  let depth = 0; // dragenter and dragleave come for every element on the way
  const leave = () => {
    depth = 0;
    stage.classList.remove('dropping');
  };
  document.addEventListener('dragenter', (event) => {
    event.preventDefault();
    if (depth++ === 0 && !document.querySelector('dialog[open]')) stage.classList.add('dropping');
  });
  document.addEventListener('dragleave', () => {
    if (--depth <= 0) leave();
  });
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    leave();
    take(event.dataTransfer, takers);
  });
}

/** @param {DataTransfer | null} data @param {Takers} takers */
function take(data, takers) {
  if (!data) return;
  const entries = [...data.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  if (entries.some((entry) => entry.isDirectory)) void filesIn(entries).then(takers.files);
  else if (data.files.length) takers.files([...data.files]);
  else {
    const address = (data.getData('text/uri-list') || data.getData('text/plain')).trim();
    if (/^https?:\/\/\S+$/.test(address)) takers.address(address);
  }
}

/**
 * The files of folders and their folders.
 * @param {FileSystemEntry[]} entries
 * @returns {Promise<File[]>}
 */
async function filesIn(entries) {
  const found = await Promise.all(
    entries.map(async (entry) => {
      if (entry.isDirectory)
        return filesIn(await children(/** @type {FileSystemDirectoryEntry} */ (entry)));
      return new Promise((resolve, reject) =>
        /** @type {FileSystemFileEntry} */ (entry).file((file) => resolve([file]), reject),
      );
    }),
  );
  return found.flat();
}

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<FileSystemEntry[]>} */
async function children(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all; // a reader gives at most 100 entries at a time
    all.push(...some);
  }
}
