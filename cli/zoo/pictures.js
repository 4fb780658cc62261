// Calibration pictures out of a zip archive, a file each.

import { readFile } from 'node:fs/promises';
import { unzipSync } from 'fflate';
import { saying, WispError } from '../../web/src/error.js';
import { isPicture, spread } from '../files.js';

const LARGEST = 64 << 20; // bytes of a picture

/**
 * @param {string} archive
 * @param {number} limit at most so many, spread over all
 * @returns {Promise<Uint8Array[]>} in the order of their names
 */
export async function picturesIn(archive, limit) {
  const bytes = await readFile(archive);
  /** @type {string[]} */
  const names = [];
  const isWanted = (/** @type {import('fflate').UnzipFileInfo} */ { name, originalSize }) =>
    isPicture(name) && !/(^|\/)(\.|__MACOSX)/.test(name) && originalSize <= LARGEST;
  try {
    const list = (/** @type {import('fflate').UnzipFileInfo} */ entry) => {
      if (isWanted(entry)) names.push(entry.name);
      return false; // nothing is unpacked yet
    };
    unzipSync(bytes, { filter: list });
    const chosen = spread(names.sort(), limit);
    const files = unzipSync(bytes, { filter: ({ name }) => chosen.includes(name) });
    if (chosen.length > 0) return chosen.map((name) => files[name]);
  } catch (cause) {
    const sentence = `${archive} can't be unpacked: ${saying(cause)}.`;
    throw new WispError('WISP_ERR_FORMAT', sentence, { cause });
  }
  throw new WispError('WISP_ERR_FORMAT', `${archive} holds no pictures.`);
}
