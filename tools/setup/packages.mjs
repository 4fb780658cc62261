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

/** @returns {Promise<string>} */
export async function installPackages() {
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root });
  if (!relaxedNode())
    throw new Refusal(
      'npm did not run the install script of its package "node": allow it (ignore-scripts), or use Node 22 or newer.',
    );
  return 'installed';
}
