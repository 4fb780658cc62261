// Sets up what a task needs and is missing: npm packages, compilers, Emscripten, browsers, engines for tests.
//   node tools/setup.mjs [web] [build] [native] [check] [browser] [wasmedge] [arm64] [python] [train] [film]
// Without a word: build.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.mjs';
import { armNode, emscriptenFolder, toolchain, wasmEdge } from './places.mjs';
import * as emscripten from './setup/emscripten.mjs';
import { unpackArmNode, unpackWasmEdge } from './setup/engines.mjs';
import * as packages from './setup/packages.mjs';
import { demand, install, packagesOf } from './setup/system.mjs';
import { makeTraining, trainingPython } from './setup/training.mjs';
import { fail, Refusal, step, tell } from './step.mjs';

/** @typedef {import('./step.mjs').Say} Say */

/**
 * @typedef {object} Part something a task needs
 * @property {string} name
 * @property {string[]} system its system packages
 * @property {boolean} [optional] tests that need it are skipped without it
 * @property {() => boolean} [ready]
 * @property {(say: Say) => Promise<string>} [make] what remains to do when its system packages are there
 */

const venv = process.env.WISP_PYTHON ? [] : packagesOf.venv;

/** @type {Record<string, Part>} */
const parts = {
  npm: {
    name: 'npm packages',
    system: [],
    ready: packages.isReady,
    make: packages.installPackages,
  },
  cmake: { name: 'CMake and Ninja', system: packagesOf.build },
  emscripten: {
    name: 'Emscripten',
    get system() {
      return emscriptenFolder()?.startsWith(toolchain) === false ? [] : packagesOf.emscripten;
    },
    ready: emscripten.isReady,
    make: emscripten.unpackEmscripten,
  },
  wasi: {
    name: 'WASI: clang and wasi-libc',
    system: process.env.WASI_SDK_PATH ? [] : packagesOf.wasi,
  },
  native: { name: 'native compilers and sanitizers', system: packagesOf.native },
  check: { name: 'C formatter and linter', system: packagesOf.check },
  chromium: { name: 'Chromium', system: packagesOf.chromium, optional: true },
  firefox: { name: 'Firefox', system: packagesOf.firefox, optional: true },
  webkit: { name: 'WebKit', system: packagesOf.webkit, optional: true },
  wasmedge: {
    name: 'WasmEdge',
    system: packagesOf.wasmedge,
    optional: true,
    ready: () => wasmEdge() !== undefined,
    make: unpackWasmEdge,
  },
  arm64: {
    name: 'Node for Arm under qemu',
    system: packagesOf.arm64,
    optional: true,
    ready: () => armNode() !== undefined,
    make: unpackArmNode,
  },
  venv: { name: 'Python with venv', system: venv, optional: true },
  train: {
    name: 'PyTorch for training',
    system: venv,
    optional: true,
    ready: () => trainingPython() !== undefined,
    make: makeTraining,
  },
  ffmpeg: { name: 'ffmpeg', system: packagesOf.ffmpeg, optional: true },
};

/** @type {Record<string, string[]>} */
const tasks = {
  web: ['npm', 'cmake', 'emscripten'],
  build: ['npm', 'cmake', 'emscripten', 'wasi'],
  native: ['npm', 'cmake', 'native'],
  check: ['npm', 'cmake', 'check'],
  browser: ['chromium', 'firefox', 'webkit'],
  wasmedge: ['wasmedge'],
  arm64: ['npm', 'arm64'],
  python: ['cmake', 'wasi', 'venv'],
  train: ['train'],
  film: ['ffmpeg'],
};

/**
 * @param {...string} names of tasks
 * @returns {Promise<void>}
 */
export async function setUp(...names) {
  const unknown = names.find((name) => !Object.hasOwn(tasks, name));
  if (unknown)
    throw new Refusal(
      `There is no "${unknown}" to set up; there is ${Object.keys(tasks).join(', ')}.`,
    );
  const wanted = [...new Set(names.flatMap((name) => tasks[name]))].map((name) => parts[name]);
  demand(wanted.filter((part) => !part.optional).flatMap((part) => part.system));
  await withLock(toolchain, async () => {
    const start = performance.now();
    let isNew = false;
    for (const part of wanted) {
      const words = await step(part.name, (say) => (part.optional ? attempt : provide)(part, say));
      isNew ||= words !== READY && !words.startsWith(SKIPPED);
    }
    if (isNew) tell('set up in all', start);
  });
}

const READY = 'ready';
const SKIPPED = 'skipped: ';

/** @param {Part} part @param {Say} say */
async function provide({ system, ready, make }, say) {
  const installed = await install(system, say);
  const made = make && !ready?.() ? await make(say) : '';
  return [installed, made].filter(Boolean).join('; ') || READY;
}

/** @param {Part} part @param {Say} say */
async function attempt(part, say) {
  try {
    return await provide(part, say);
  } catch (error) {
    return `${SKIPPED}${/** @type {Error} */ (error).message}`;
  }
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2);
  await setUp(...(names.length > 0 ? names : ['build'])).catch(fail);
}
