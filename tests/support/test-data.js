// Where the real test data is (WISP_DATA, or ../shared/data), and what a test without it says.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = resolve(root, process.env.WISP_DATA ?? '../shared/data');

/** @param {string} name of a file or folder of the data */
export const dataPath = (name) => resolve(folder, name);

/**
 * `skip` of a test that needs these files.
 * @param {...string} names
 */
export function without(...names) {
  const missing = names.map(dataPath).find((path) => !existsSync(path));
  return missing ? `${missing} is missing; set WISP_DATA to the folder of the test data` : false;
}
