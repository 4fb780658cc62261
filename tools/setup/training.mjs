// The Python that trains in tests: one with what models/train/requirements.txt lists, PyTorch in its build for CPUs.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { run } from '../command.mjs';
import { root, toolchain } from '../places.mjs';
import { Refusal } from '../step.mjs';
import { isMade, makeEnvironment, PIP, PYTHON, pythonOf } from './environment.mjs';

/** @typedef {import('../step.mjs').Say} Say */

const HOME = path.join(toolchain, 'python-train');
const REQUIREMENTS = path.join(root, 'models', 'train', 'requirements.txt');
/** PyTorch's own index, asked where pip's has no build for CPUs: on Linux PyPI's brings gigabytes of CUDA. */
const CPU_INDEX = 'https://download.pytorch.org/whl/cpu';
/** A fetch on a slow line may take long, but has an end. */
const TIMEOUT_MS = 1_200_000;

/** The Python to train with: the user's if it has all that is listed, else the one that set-up has made. */
export function trainingPython() {
  if (process.env.WISP_PYTHON && hasAll(PYTHON)) return PYTHON;
  return isMade(HOME, contents()) ? pythonOf(HOME) : undefined;
}

/** Whether a Python has the listed packages, in whatever version. @param {string} python */
function hasAll(python) {
  const names = pins().map((pin) => pin.split('==')[0]);
  const ask = 'import sys, importlib.metadata as m; [m.version(name) for name in sys.argv[1:]]';
  return spawnSync(python, ['-c', ask, ...names]).status === 0;
}

/**
 * @param {Say} say
 * @param {string} [home] where to make it
 * @returns {Promise<string>} the version of PyTorch in it
 */
export async function makeTraining(say, home = HOME) {
  const python = await makeEnvironment(home, contents(), async (fresh) => {
    try {
      await fill(fresh, say);
    } catch (error) {
      rmSync(home, { recursive: true, force: true }); // up to a gigabyte
      throw new Refusal(complaint(/** @type {Error & {output?: string}} */ (error)));
    }
  });
  return (await run(python, ['-c', 'import torch; print(torch.__version__)'])).trim();
}

/** @param {string} python @param {Say} say */
async function fill(python, say) {
  const how = { timeoutMs: TIMEOUT_MS };
  const install = [...PIP, 'install', '--retries', '2'];
  const torch = torchPin();
  say(`fetching ${torch}, 0.2 GB`);
  const alone = [...install, '--no-deps', torch];
  await run(python, alone, how).catch(() => run(python, [...alone, '--index-url', CPU_INDEX], how));
  say(`fetching what ${path.relative(root, REQUIREMENTS)} lists besides`);
  await run(python, [...install, '-r', REQUIREMENTS], how);
}

/** PyTorch as `pip` takes it: on Linux only its build for CPUs will do; elsewhere there is no other on PyPI. */
function torchPin() {
  const pin = pins().find((line) => line.startsWith('torch=='));
  return process.platform === 'linux' ? `${pin}+cpu` : `${pin}`;
}

/** Why there is none and what to do, in one line. @param {Error & {output?: string}} error of pip */
function complaint({ message, output = '' }) {
  const said = output.split('\n').filter((line) => line.startsWith('ERROR: '));
  const saying = said.at(-1)?.slice('ERROR: '.length) ?? message;
  const unreached = 'pip could not reach every index of packages: ';
  const reason = (output.includes('connection broken') ? unreached : '') + saying;
  const advice = 'to test training, name a Python that has models/train/requirements.txt';
  return `${reason}; ${advice} in WISP_PYTHON`;
}

/** @returns {string[]} */
const pins = () => contents().flatMap((text) => text.split('\n').filter(Boolean));

const contents = () => [readFileSync(REQUIREMENTS, 'utf8')];
