// What a module of JavaScript refers to, as far as its text tells: imports, import() and the addresses of other files.

import path from 'node:path';

/**
 * @typedef {object} Reference
 * @property {'import' | 'import()' | 'address' | 'worker'} by address: of a file beside or above, written as
 *   './name.js' or given to `new URL`; worker: one that `new Worker` starts
 * @property {string} to a file by its path from the root, with slashes; a package or a Node module as written
 */

const STRING = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/.source;
const COMMENTS = new RegExp(`(${STRING})|/\\*[^]*?\\*/|//[^\n]*`, 'g');
const STATEMENT = /^(?:import|export|\})\s*(?:[^'"();]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
const CALL = /\bimport\(\s*(['"`])([^'"`$]+)\1/g;
const ADDRESS = /(new Worker\(\s*)?(new URL\(\s*)?(['"`])([\w@./-]+)\3/g;

/** Without its comments, which hold types of other modules. @param {string} text */
export const codeOf = (text) => text.replaceAll(COMMENTS, '$1');

/**
 * It reads what the formatter leaves: a statement begins its line. Names put together at run time are not seen.
 * @param {string} name of the module, from the root, with slashes
 * @param {string} text
 * @returns {Reference[]}
 */
export function referencesOf(name, text) {
  const code = codeOf(text);
  const found = /** @type {Reference[]} */ ([]);
  for (const [, target] of code.matchAll(STATEMENT))
    found.push({ by: 'import', to: fromRoot(name, target) });
  for (const [, , target] of code.matchAll(CALL))
    found.push({ by: 'import()', to: fromRoot(name, target) });
  const imported = new Set(found.map(({ to }) => to));
  for (const [, worker, url, , target] of code.matchAll(ADDRESS)) {
    const isPath = /^\.{0,2}\//.test(target);
    if (!isPath && !url) continue;
    const to = fromRoot(name, isPath ? target : `./${target}`);
    found.push({ by: worker ? 'worker' : 'address', to });
  }
  return found.filter(({ by, to }) => by.startsWith('import') || !imported.has(to));
}

/** @param {string} name @param {string} target as it is written there */
function fromRoot(name, target) {
  if (target.startsWith('/')) return target.slice(1);
  return target.startsWith('.') ? path.posix.join(path.posix.dirname(name), target) : target;
}
