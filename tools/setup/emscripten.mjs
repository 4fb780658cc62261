// Emscripten under .toolchain where the user has none: the one of a newer Debian, on this Debian's clang.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { run } from '../command.mjs';
import { emscriptenFolder, toolchain } from '../places.mjs';
import { fetchPackages, RELEASE, unpack } from './archive.mjs';

const PACKAGES = [
  'emscripten=3.1.69+dfsg-3',
  'binaryen=120-4',
  'libc6',
  'libstdc++6',
  'libgcc-s1',
  'node-acorn',
];
const PARTS = ['emscripten', 'binaryen', 'bin'];
const COMMANDS = [
  'emcc',
  'em++',
  'emar',
  'emranlib',
  'emcmake',
  'emmake',
  'emnm',
  'emstrip',
  'em-config',
];
const LIBRARIES = './usr/share/emscripten/cache/sysroot/lib/wasm32-emscripten';
/** Three quarters of the package: variants of the system libraries that no build here links. */
const UNUSED = [
  ...[
    'lto',
    'lto-pic',
    'pic',
    '*-ww*',
    'libGL*-emu*',
    'libGL*-ofb*',
    'libGL*full_es3*',
    'libGL*webgl2*',
  ].map((name) => `${LIBRARIES}/${name}`),
  './usr/share/emscripten/test',
  './usr/share/emscripten/docs',
  '*/ChangeLog.*',
];

/** Nothing in it says where it is: a checkout that was moved or copied brings its toolchain along. */
const stamp = `${PACKAGES.join(' ')}, relocatable`;
const stampFile = path.join(toolchain, '.stamp');

/** @returns {boolean} */
export function isReady() {
  const folder = emscriptenFolder();
  return folder !== undefined && (folder !== path.join(toolchain, 'bin') || readStamp() === stamp);
}

function readStamp() {
  try {
    return readFileSync(stampFile, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Unpacks next to the final place and moves in at the end, so that what stands there is always whole.
 * @param {import('../step.mjs').Say} say
 */
export async function unpackEmscripten(say) {
  const fresh = path.join(toolchain, 'unpacking');
  rmSync(fresh, { recursive: true, force: true });
  const request = { packages: PACKAGES, release: RELEASE };
  const deb = await fetchPackages(path.join(fresh, 'apt'), request, say);
  say('unpacking');
  await unpackCompiler(deb, path.join(fresh, 'emscripten'));
  await unpackBinaryen(deb, path.join(fresh, 'binaryen'));
  for (const name of COMMANDS)
    writeProgram(path.join(fresh, 'bin', name), `exec "$here/../emscripten/${name}" "$@"`);

  rmSync(stampFile, { force: true });
  for (const part of PARTS) {
    const place = path.join(toolchain, part);
    if (existsSync(place)) renameSync(place, path.join(fresh, `old-${part}`));
    renameSync(path.join(fresh, part), place);
  }
  rmSync(fresh, { recursive: true });
  // without it the "type": "module" of the project's package.json would reach into Emscripten's scripts
  writeFileSync(path.join(toolchain, 'package.json'), '{"type":"commonjs"}\n');
  const version = await run(path.join(toolchain, 'bin', 'emcc'), ['--version']);
  writeFileSync(stampFile, stamp);
  return /\d+\.\d+\.\d+/.exec(version)?.[0] ?? '';
}

/**
 * @param {(name: string) => string} deb
 * @param {string} into
 */
async function unpackCompiler(deb, into) {
  await unpack(deb('emscripten'), into, {
    strip: 4,
    only: './usr/share/emscripten',
    without: UNUSED,
  });
  // the parser of its JavaScript optimiser, where Node looks for it
  await unpack(deb('node-acorn'), path.join(into, 'node_modules'), {
    strip: 4,
    only: './usr/share/nodejs/acorn',
  });
  const settings = [
    'from tools.utils import path_from_root', // Emscripten's own: the file is read as Python
    "LLVM_ROOT = '/usr/lib/llvm-19/bin'",
    "BINARYEN_ROOT = path_from_root('..', 'binaryen')",
    "NODE_JS = 'node'",
    'FROZEN_CACHE = True',
  ];
  writeFileSync(path.join(into, '.emscripten'), `${settings.join('\n')}\n`);
}

/**
 * Its programs need a newer libc than this system has; they get theirs beside them, and a loader that uses it.
 * @param {(name: string) => string} deb
 * @param {string} into
 */
async function unpackBinaryen(deb, into) {
  const programs = path.join(into, 'programs');
  await unpack(deb('binaryen'), programs, { strip: 3, only: './usr/bin/wasm*' });
  for (const name of ['binaryen', 'libc6', 'libstdc++6', 'libgcc-s1'])
    await unpack(deb(name), path.join(into, 'lib'), {
      strip: 4,
      only: './usr/lib/*-linux-gnu/*.so*',
    });
  const loader = readdirSync(path.join(into, 'lib')).find((name) => name.startsWith('ld-linux'));
  for (const name of readdirSync(programs))
    writeProgram(
      path.join(into, 'bin', name),
      `exec "$here/../lib/${loader}" --library-path "$here/../lib" "$here/../programs/${name}" "$@"`,
    );
}

/**
 * @param {string} file
 * @param {string} line for the shell; $here is the program's folder, wherever that is by then
 */
export function writeProgram(file, line) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\nhere=$(dirname "$(realpath "$0")")\n${line}\n`);
  chmodSync(file, 0o755);
}
