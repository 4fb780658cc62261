// The system packages wisp builds and tests with: which are missing, and how they get installed.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { which } from '../command.mjs';
import { chromium, firefox, miniBrowser } from '../places.mjs';
import { Refusal } from '../step.mjs';
import { aptGet } from './apt.mjs';

const LLVM = '/usr/lib/llvm-19';
const RUNTIMES = `${LLVM}/lib/clang/19/lib`;

/** @param {...string} names */
const command =
  (...names) =>
  () =>
    which(...names) !== undefined;
/** @param {...string} files */
const file =
  (...files) =>
  () =>
    files.some(existsSync);
const hasWasiSdk = () => Boolean(process.env.WASI_SDK_PATH);

/**
 * Debian's packages and the sign that each is there, whoever installed it.
 * @type {Record<string, () => boolean>}
 */
const signs = {
  cmake: command('cmake'),
  'ninja-build': command('ninja'),
  gcc: command('cc', 'gcc'),
  'libc6-dev': file('/usr/include/stdio.h'),
  python3: command('python3'),
  'python3-venv': () => spawnSync('python3', ['-c', 'import ensurepip, venv']).status === 0,
  'clang-19': command('clang-19'),
  'lld-19': file(`${LLVM}/bin/wasm-ld`),
  'llvm-19': file(`${LLVM}/bin/llvm-ar`),
  'libclang-rt-19-dev': file(`${RUNTIMES}/linux`),
  'libclang-rt-19-dev-wasm32': () =>
    hasWasiSdk() || file(`${RUNTIMES}/wasi`, `${RUNTIMES}/wasm32-unknown-wasi`)(),
  'wasi-libc': () => hasWasiSdk() || file('/usr/lib/wasm32-wasi/libc.a')(),
  'clang-format-19': command('clang-format-19'),
  cppcheck: command('cppcheck'),
  'debian-archive-keyring': file('/usr/share/keyrings/debian-archive-keyring.gpg'),
  chromium: () => chromium() !== undefined,
  'firefox-esr': () => firefox() !== undefined,
  'webkit2gtk-driver': () => which('WebKitWebDriver') !== undefined && miniBrowser() !== undefined,
  xvfb: command('Xvfb'),
  'qemu-user-static': command('qemu-aarch64-static'),
  ffmpeg: () => which('ffmpeg') !== undefined && which('ffprobe') !== undefined,
};

/** @type {Record<string, string[]>} */
export const packagesOf = {
  build: ['cmake', 'ninja-build'],
  emscripten: ['python3', 'clang-19', 'lld-19', 'llvm-19', 'debian-archive-keyring'],
  wasi: ['clang-19', 'lld-19', 'llvm-19', 'wasi-libc', 'libclang-rt-19-dev-wasm32'],
  native: ['gcc', 'libc6-dev', 'clang-19', 'libclang-rt-19-dev'],
  check: ['clang-format-19', 'cppcheck'],
  chromium: ['chromium'],
  firefox: ['firefox-esr'],
  webkit: ['webkit2gtk-driver', 'xvfb'],
  wasmedge: ['debian-archive-keyring'],
  arm64: ['qemu-user-static'],
  venv: ['python3', 'python3-venv'],
  ffmpeg: ['ffmpeg'],
};

/** @param {string[]} packages */
export function missing(packages) {
  return [...new Set(packages)].filter((name) => !signs[name]());
}

/** Whether this process may install packages. */
function canInstall() {
  return process.getuid?.() === 0 && which('apt-get') !== undefined;
}

/**
 * Refuses, with every missing package in one sentence, where this process may not install them itself.
 * @param {string[]} packages
 */
export function demand(packages) {
  const names = missing(packages);
  if (names.length === 0 || canInstall()) return;
  const list = names.join(' ');
  const how = which('apt-get')
    ? `run "sudo apt-get install ${list}"`
    : 'install what your system calls them';
  throw new Refusal(
    `wisp needs the Debian packages ${list}, which only root can install: ${how}, then start again.`,
  );
}

let listsAreFresh = false;

/**
 * @param {string[]} packages
 * @param {import('../step.mjs').Say} say
 * @returns {Promise<string>} what it installed, in words
 */
export async function install(packages, say) {
  const names = missing(packages);
  if (names.length === 0) return '';
  demand(names);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  if (!listsAreFresh) await aptGet(['update'], { env, say, what: 'lists of packages' });
  listsAreFresh = true;
  const how = { env, say, what: names.join(', ') };
  await aptGet(['install', '-y', '--no-install-recommends', ...names], how);
  const still = missing(names);
  if (still.length > 0)
    throw new Refusal(`apt-get has installed ${still.join(' ')}, but not where wisp looks for it.`);
  return `installed ${names.join(' ')}`;
}
