// Makes the Python package: `npm run python` → release/wisp_yolo-0.1.0-py3-none-any.whl.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { run } from './command.mjs';
import { root } from './places.mjs';
import { setUp } from './setup.mjs';
import { fail, Refusal, step } from './step.mjs';

const FOLDER = path.join(root, 'wasm', 'python');
/** The Python to use; it needs its modules venv and pip. */
const PYTHON = process.env.WISP_PYTHON ?? 'python3';

/**
 * A virtual environment with these packages, made once and kept in build/.
 * @param {string} name
 * @param {string[]} packages as pip takes them
 * @returns {Promise<string>} its Python
 */
export async function environment(name, packages) {
  const version = await run(PYTHON, ['-c', 'import sys; print(sys.version, sys.base_prefix)']);
  const stamp = createHash('sha256')
    .update([version, ...packages].join('\n'))
    .digest('hex');
  const folder = path.join(root, 'build', name);
  const stampFile = path.join(folder, '.made');
  const isWindows = process.platform === 'win32';
  const python = path.join(folder, ...(isWindows ? ['Scripts', 'python.exe'] : ['bin', 'python']));
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return python;
  rmSync(folder, { recursive: true, force: true });
  await run(PYTHON, ['-m', 'venv', folder]).catch((cause) => {
    const advice = 'on Debian "apt-get install python3-venv" brings what it lacks';
    throw new Refusal(`${PYTHON} -m venv failed; ${advice}.\n${cause.output}`);
  });
  if (packages.length > 0) await run(python, [...PIP, 'install', ...packages]);
  writeFileSync(stampFile, stamp);
  return python;
}

const PIP = ['-m', 'pip', '--disable-pip-version-check', '--quiet'];

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
