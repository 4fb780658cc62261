// Makes the Python package: `npm run python` → release/wisp_yolo-0.1.0-py3-none-any.whl.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { run } from './command.mjs';
import { root } from './places.mjs';
import { makeEnvironment, PIP } from './setup/environment.mjs';
import { setUp } from './setup.mjs';
import { fail, step } from './step.mjs';

const FOLDER = path.join(root, 'wasm', 'python');

/**
 * A virtual environment with these packages, made once and kept in build/.
 * @param {string} name
 * @param {string[]} packages as pip takes them
 * @returns {Promise<string>} its Python
 */
export function environment(name, packages) {
  const fill = async (/** @type {string} */ python) => {
    if (packages.length > 0) await run(python, [...PIP, 'install', ...packages]);
  };
  return makeEnvironment(path.join(root, 'build', name), packages, fill);
}

/**
 * The module must have been built.
 * @param {string} folder
 * @returns {Promise<string>} the wheel in it
 */
export async function makeWheel(folder) {
  const python = await environment('python-pip', []);
  await run(python, [...PIP, 'wheel', '--no-deps', '--wheel-dir', folder, FOLDER]);
  const name = readdirSync(folder).find((file) => /^wisp_yolo-.*\.whl$/.test(file));
  return path.join(folder, `${name}`);
}

/** @param {string} python of an environment @param {string} wheel whose dependencies are there */
export async function installWheel(python, wheel) {
  await run(python, [...PIP, 'install', '--force-reinstall', '--no-deps', wheel]);
}

/** What the package needs, as its pyproject.toml says. @returns {string[]} */
export function dependencies() {
  const text = readFileSync(path.join(FOLDER, 'pyproject.toml'), 'utf8');
  const list = /^dependencies = \[(.*)\]$/m.exec(text)?.[1] ?? '';
  return [...list.matchAll(/"([^"]+)"/g)].map(([, one]) => one);
}

async function main() {
  await setUp('python');
  await build('reactor');
  const folder = path.join(root, 'release');
  mkdirSync(folder, { recursive: true });
  for (const old of readdirSync(folder).filter((name) => name.endsWith('.whl')))
    rmSync(path.join(folder, old));
  const wheel = await step('wheel', () => makeWheel(folder));
  const name = path.basename(wheel);
  console.log(`\nrelease/${name}\nTo try it: pip install release/${name}`);
}

if (import.meta.filename === process.argv[1]) await main().catch(fail);
