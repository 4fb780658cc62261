// The npm packages of package-lock.json: whether node_modules holds them, and `npm ci` if not.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../command.mjs';
import { modules, relaxedNode, root } from '../places.mjs';
import { Refusal } from '../step.mjs';

/** @typedef {{packages: Record<string, {version?: string, optional?: boolean}>}} Lock */

/** Whether every package of the lock file is there in its version; npm keeps the list of what it has installed. */
export function isReady() {
  const installed = path.join(modules, '.package-lock.json');
  if (!existsSync(installed) || !relaxedNode()) return false;
  const there = readLock(installed);
  return Object.entries(readLock(path.join(root, 'package-lock.json'))).every(
    ([name, { version, optional }]) => name === '' || optional || there[name]?.version === version,
  );
}

/** @param {string} file */
function readLock(file) {
  return /** @type {Lock} */ (JSON.parse(readFileSync(file, 'utf8'))).packages;
}

/** @param {import('../step.mjs').Say} say @returns {Promise<string>} */
export async function installPackages(say) {
  const lock = readLock(path.join(root, 'package-lock.json'));
  const all = Object.values(lock).filter(({ optional }) => !optional).length - 1; // itself
  let there = 0;
  const onLine = (/** @type {string} */ line) => {
    if (/ http fetch GET 200 \S+\.tgz /.test(line)) say(`fetching: ${++there} of ${all}`);
  };
  say(`fetching up to ${all}`);
  const words = ['ci', '--no-audit', '--no-fund', '--loglevel=http'];
  await run('npm', words, { cwd: root, onLine }).catch((error) => {
    error.output = error.output?.replaceAll(/^npm http .*\n/gm, ''); // what went well
    throw error;
  });
  if (!relaxedNode())
    throw new Refusal(
      'npm did not run the install script of its package "node": allow it (ignore-scripts), or use Node 22 or newer.',
    );
  return 'installed';
}
