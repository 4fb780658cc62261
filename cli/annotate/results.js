// Where annotated copies go: a new folder for each run, in which nothing is written over.

import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { makeFolder } from '../../web/src/bytes/kept.js';
import { unwritable } from '../files.js';

export class Results {
  /** @type {Set<string>} */
  #taken = new Set();

  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
  }

  /**
   * A folder in `place`: 1, or the number after it that is free; NAME, NAME-2, …
   * @param {string} place
   * @param {string} [name]
   */
  static async make(place, name) {
    try {
      await makeFolder(place);
      for (let n = 1; ; n++) {
        const folder = path.join(place, name ? (n > 1 ? `${name}-${n}` : name) : String(n));
        if (isMade(folder)) return new Results(folder);
      }
    } catch (cause) {
      throw unwritable(place, cause, 'no folder can be made there');
    }
  }

  /** @param {string} name @param {string} ending @returns {string} a path that nothing has in this run */
  file(name, ending) {
    for (let n = 1; ; n++) {
      const file = `${n > 1 ? `${name}-${n}` : name}${ending}`;
      if (this.#taken.has(file)) continue;
      this.#taken.add(file);
      return path.join(this.folder, file);
    }
  }
}

/** Whether it was not there before. @param {string} folder */
function isMade(folder) {
  try {
    mkdirSync(folder);
    return true;
  } catch (cause) {
    if (/** @type {NodeJS.ErrnoException} */ (cause).code === 'EEXIST') return false;
    throw cause;
  }
}

/** Lines of JSON in a file; they are there when `write` returns, however the process ends. */
export class Lines {
  #file;
  /** @type {number} */
  #handle;

  /** @param {string} file */
  constructor(file) {
    this.#file = file;
    this.#handle = this.#saying(() => openSync(file, 'w'));
  }

  /** @param {string} line */
  write(line) {
    this.#saying(() => writeSync(this.#handle, `${line}\n`));
  }

  close() {
    closeSync(this.#handle);
  }

  /** @template T @param {() => T} act @returns {T} */
  #saying(act) {
    try {
      return act();
    } catch (cause) {
      throw unwritable(this.#file, cause);
    }
  }
}
