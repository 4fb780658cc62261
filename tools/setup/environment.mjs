// Virtual environments of Python: made once, and made anew when what belongs into one has changed or it is half made.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../command.mjs';
import { Refusal } from '../step.mjs';

/** The Python that environments are made of; it needs its modules venv and pip. */
export const PYTHON = process.env.WISP_PYTHON || 'python3';

export const PIP = ['-m', 'pip', '--disable-pip-version-check', '--quiet'];

/** What an environment depends on besides its contents. */
const VERSION = ['-c', 'import sys; print(sys.version, sys.base_prefix)'];

/** @param {string} folder of an environment @returns {string} its Python */
export function pythonOf(folder) {
  const isWindows = process.platform === 'win32';
  return path.join(folder, ...(isWindows ? ['Scripts', 'python.exe'] : ['bin', 'python']));
}

/**
 * Whether an environment is whole and was made of this Python with these contents.
 * @param {string} folder
 * @param {string[]} contents
 */
export function isMade(folder, contents) {
  const { status, stdout } = spawnSync(PYTHON, VERSION, { encoding: 'utf8' });
  return status === 0 && holds(folder, stampOf(stdout, contents));
}

/**
 * @param {string} folder
 * @param {string[]} contents what tells it from others, such as its packages
 * @param {(python: string) => Promise<unknown>} fill puts them into the empty environment
 * @returns {Promise<string>} its Python
 */
export async function makeEnvironment(folder, contents, fill) {
  const stamp = stampOf(await run(PYTHON, VERSION), contents);
  const python = pythonOf(folder);
  if (holds(folder, stamp)) return python;
  rmSync(folder, { recursive: true, force: true });
  await run(PYTHON, ['-m', 'venv', folder]).catch((cause) => {
    const advice = 'on Debian "apt-get install python3-venv" brings what it lacks';
    throw new Refusal(`${PYTHON} -m venv failed; ${advice}.\n${cause.output}`);
  });
  await fill(python);
  writeFileSync(stampFile(folder), stamp);
  return python;
}

/** Written last, so that what was broken off has none. @param {string} folder */
const stampFile = (folder) => path.join(folder, '.made');

/** @param {string} folder @param {string} stamp */
function holds(folder, stamp) {
  return existsSync(stampFile(folder)) && readFileSync(stampFile(folder), 'utf8') === stamp;
}

/** @param {string} version @param {string[]} contents */
function stampOf(version, contents) {
  return createHash('sha256')
    .update([version, ...contents].join('\n'))
    .digest('hex');
}
