// Where things are: the folders of this checkout and the programs that set-up has found or unpacked.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isExecutable, which } from './command.mjs';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** Its real place, so that checkouts may share one through a link. */
export const toolchain = real(path.join(root, '.toolchain'));
export const modules = path.join(root, 'node_modules');

/** @param {string} folder */
function real(folder) {
  return existsSync(folder) ? realpathSync(folder) : folder;
}

const OLDEST_EMSCRIPTEN = [3, 1, 60];

/** The folder of the emcc to use: the user's if it is new enough, else the unpacked one. */
export function emscriptenFolder() {
  const users = which('emcc');
  if (users && isNewEnough(users)) return path.dirname(users);
  const own = path.join(toolchain, 'bin', 'emcc');
  return isExecutable(own) ? path.dirname(own) : undefined;
}

/** @type {Map<string, boolean>} starting it takes a while */
const newEnough = new Map();

/** @param {string} emcc */
function isNewEnough(emcc) {
  if (emcc.startsWith(toolchain + path.sep)) return true;
  if (!newEnough.has(emcc)) newEnough.set(emcc, compare(versionText(emcc), OLDEST_EMSCRIPTEN) >= 0);
  return newEnough.get(emcc);
}

/**
 * @param {string} text has a version in it, or none, which is older than any
 * @param {number[]} other
 * @returns {number} negative: older than `other`
 */
function compare(text, other) {
  const version = (/(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [0, 0, 0, 0]).slice(1).map(Number);
  return version.map((part, i) => part - other[i]).find((difference) => difference !== 0) ?? 0;
}

/** @param {string} emcc */
function versionText(emcc) {
  try {
    return execFileSync(emcc, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return ''; // an Emscripten that does not even start
  }
}

/** A Node whose V8 is right about relaxed SIMD (22 or newer): npm's, else the one that runs this. */
export function relaxedNode() {
  const own = path.join(modules, 'node', 'bin', 'node');
  if (isExecutable(own)) return own;
  return Number(process.versions.node.split('.')[0]) >= 22 ? process.execPath : undefined;
}

/** @returns {string | undefined} */
export function chromium() {
  return process.env.CHROMIUM_PATH || which('chromium', 'chromium-browser', 'google-chrome');
}

/** @returns {string | undefined} */
export function firefox() {
  return process.env.FIREFOX_PATH || which('firefox-esr', 'firefox');
}

/** WebKit's own small browser, which its driver starts; no command on PATH. @returns {string | undefined} */
export function miniBrowser() {
  const names = existsSync('/usr/lib') ? readdirSync('/usr/lib') : [];
  const folders = names.filter((name) => name.endsWith('-linux-gnu'));
  return folders
    .flatMap((name) => ['4.1', '4.0'].map((version) => [name, `webkit2gtk-${version}`]))
    .map((parts) => path.join('/usr/lib', ...parts, 'MiniBrowser'))
    .find(isExecutable);
}

/** A second WASI engine, unpacked by `node tools/setup.mjs wasmedge`. */
export function wasmEdge() {
  return unpacked('wasmedge', 'wasmedge') ?? which('wasmedge');
}

/** Node for 64-bit Arm under qemu, unpacked by `node tools/setup.mjs arm64`. */
export function armNode() {
  return unpacked('arm64', 'node');
}

/** A program of .toolchain that finds its files from wherever it is; earlier ones didn't. @param {string[]} parts */
function unpacked(...parts) {
  const file = path.join(toolchain, ...parts);
  return isExecutable(file) && readFileSync(file, 'utf8').includes('"$here/') ? file : undefined;
}
