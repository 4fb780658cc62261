// Models by name under Node: what `wisp pull` has fetched and pressed, and where it is kept.

import { WispError } from '../error.js';
import { keptFolder, keptPath } from './kept.js';

/**
 * @typedef {object} Pulled what is kept of a model beside its file
 * @property {string} name
 * @property {string} sha256 of the .wisp file, which is kept under it
 * @property {number} bytes of it
 * @property {string} licence of the weights
 * @property {{address: string, sha256: string}} source what it was pressed from
 * @property {{count: number, from: string}} pictures it was calibrated on
 * @property {object} settings of the press
 */

/** Where that is said. @param {string} name */
export const notePath = (name) =>
  process.getBuiltinModule('node:path').join(keptFolder(), 'pulled', `${name}.json`);

/**
 * The file of a model's name; a file or folder that is called so comes first.
 * @param {string} name
 * @returns {Promise<string>} a path
 */
export async function pulledFile(name) {
  if (process.getBuiltinModule('node:fs').existsSync(name)) return name;
  const file = await keptFile(name);
  if (file) return file;
  const sentence =
    `${name}: there is no such file, and no model of that name has been pulled: run "wisp pull ${name}", ` +
    'or "wisp pull" to see which there are.';
  throw new WispError('WISP_ERR_FETCH', sentence);
}

/** @param {string} name @returns {Promise<string | undefined>} a path, if the model was pulled and is still there */
export async function keptFile(name) {
  const note = await readNote(name);
  const file = note && keptPath(true, note.sha256);
  return file && process.getBuiltinModule('node:fs').existsSync(file) ? file : undefined;
}

/** @param {string} name @returns {Promise<Pulled | null>} */
async function readNote(name) {
  try {
    const note = JSON.parse(
      await process.getBuiltinModule('node:fs').promises.readFile(notePath(name), 'utf8'),
    );
    return typeof note?.sha256 === 'string' ? note : null;
  } catch {
    return null; // none, or damaged: to be pulled again
  }
}
