// What a request calls a picture → its bytes: uploaded, in base64, in an allowed folder, at an allowed address.

import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { WispError } from '../../web/src/index.js';

const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/;
const SHORTEST = 64; // characters: no picture is smaller, paths mostly are

/** @param {string} sentence */
const refused = (sentence) => new WispError('WISP_ERR_SOURCE', sentence);

export class Pictures {
  #fetcher;
  #folder;

  /** @param {import('./fetching.js').Fetcher} fetcher @param {string} [folder] whose files requests may name */
  constructor(fetcher, folder) {
    this.#fetcher = fetcher;
    this.#folder = folder;
  }

  /** @param {string[]} named @param {AbortSignal} signal @returns {Promise<File[]>} */
  read(named, signal) {
    return Promise.all(named.map((one, i) => this.#one(one, `picture ${i}`, signal)));
  }

  /** @param {string} text @param {string} name @param {AbortSignal} signal @returns {Promise<File>} */
  async #one(text, name, signal) {
    if (/^https?:/i.test(text)) return this.#fetcher.get(text, signal);
    const [, data] = /^data:[^,]*;base64,(.*)$/s.exec(text) ?? [];
    if (data !== undefined) return decoded(data, name);
    if (text.length >= SHORTEST && BASE64.test(text)) return decoded(text, name);
    return this.#file(text);
  }

  /** @param {string} text */
  async #file(text) {
    if (!this.#folder)
      throw refused(
        `${shown(text)} is neither base64 nor an address, and files are not read here: ` +
          'start the server with --allow-files FOLDER.',
      );
    const folder = await realpath(this.#folder);
    const file = await realpath(path.resolve(folder, text)).catch(() => null);
    const inside = file !== null && !path.relative(folder, file).startsWith('..');
    if (!inside || path.isAbsolute(path.relative(folder, file)))
      throw refused(`${shown(text)} is no file in the folder that is served.`);
    try {
      return new File([await readFile(file)], path.basename(file));
    } catch {
      throw refused(`${shown(text)} can't be read.`);
    }
  }
}

/** @param {string} text @param {string} name */
function decoded(text, name) {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0) throw refused(`${name} is not base64.`);
  return new File([bytes], name);
}

/** @param {string} text */
const shown = (text) => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
