// web/src → dist/web, for pages without a bundler: what they import, and each worker as one file, without comments.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { root } from './places.mjs';

const FOLDER = path.join(root, 'dist', 'web');
const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
/** Those of the package. They share what they import, and what they load later is apart. @type {string[]} */
const ENTRIES = Object.values(exports).flatMap(({ browser = [] }) => browser);
const WORKERS = ['web/src/detect/worker.js', 'web/src/pressing/press-worker.js'];

/** The oldest that wisp runs in. */
const TARGET = ['chrome100', 'firefox114', 'safari16.4'];

const ADDRESS = /new URL\('(\.[^']+)', import\.meta\.url\)/g;

/**
 * Addresses of other files, as they are from FOLDER; the glue of the builds stays apart.
 * @type {import('esbuild').Plugin}
 */
const addresses = {
  name: 'addresses',
  setup(build) {
    build.onLoad({ filter: /[\\/]web[\\/]src[\\/].*\.js$/ }, async ({ path: file }) => {
      const text = await readFile(file, 'utf8');
      const contents = text.replaceAll(ADDRESS, (_, to) => {
        const target = path.resolve(path.dirname(file), to);
        const isWorker = WORKERS.some((name) => path.join(root, name) === target);
        return `new URL('${isWorker ? `./${path.basename(target)}` : fromFolder(target)}', import.meta.url)`;
      });
      return { contents, loader: 'js' };
    });
    build.onResolve({ filter: /\.mjs\?$/ }, ({ path: to, resolveDir }) => ({
      path: fromFolder(path.resolve(resolveDir, to.slice(0, -1))),
      external: true,
    }));
  },
};

/** @param {string} file @returns {string} its address from a module in FOLDER */
function fromFolder(file) {
  const address = path.relative(FOLDER, file).split(path.sep).join('/');
  return address.startsWith('.') ? address : `./${address}`;
}

/**
 * @typedef {object} Script
 * @property {string} name of the file in dist/web
 * @property {Uint8Array} bytes
 * @property {string[]} imports names of those that it can't run without
 */

/** @returns {Promise<Script[]>} */
export async function scripts() {
  const made = await Promise.all([make(ENTRIES, true), make(WORKERS, false)]);
  return made.flat();
}

/** @param {string[]} entryPoints @param {boolean} splitting @returns {Promise<Script[]>} */
async function make(entryPoints, splitting) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    splitting,
    outdir: FOLDER,
    entryNames: '[name]',
    chunkNames: 'part-[hash]',
    bundle: true,
    minify: true,
    format: 'esm',
    target: TARGET,
    external: ['pbf', 'fflate', 'zxing-wasm'], // seldom needed, and mapped as a page likes
    plugins: [addresses],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  return outputFiles.map(({ path: file, contents: bytes }) => {
    const { imports } = metafile.outputs[path.relative(root, file).split(path.sep).join('/')];
    const own = imports.filter(({ kind, external }) => kind === 'import-statement' && !external);
    return {
      name: path.basename(file),
      bytes,
      imports: own.map(({ path: to }) => path.posix.basename(to)),
    };
  });
}

/** Writes them; those of an earlier build go. @returns {Promise<string>} how it went */
export async function bundle() {
  const made = await scripts();
  rmSync(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  for (const { name, bytes } of made) writeFileSync(path.join(FOLDER, name), bytes);
  return '';
}
