// The engines that wisp is measured against: fetched from npm, in fixed versions, when the bench first asks for one.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { root } from '../root.js';

/** What this package is built and tested with, which is fetched where it was installed without. */
const { devDependencies: OWN } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** @type {Record<string, string>} */
const VERSIONS = {
  'onnxruntime-web': '1.30.0',
  'onnxruntime-node': '1.30.0',
  '@litertjs/core': '2.5.3',
  autocannon: '9.0.0',
  'barcode-detector': '3.2.2',
  ...OWN,
};

/** What of a fetched package is imported. */
const MAIN = {
  flatbuffers: 'js/flatbuffers.js',
  'playwright-core': 'index.mjs',
  'puppeteer-core': 'lib/esm/puppeteer/puppeteer-core.js',
};

export const benchFolder = path.join(root, '.bench');
export const peerFolder = path.join(benchFolder, 'node_modules');

/**
 * Installs the packages that are missing or of another version.
 * @param {string[]} names
 * @param {(line: string) => void} say
 */
export async function fetchPeers(names, say) {
  const missing = [];
  for (const name of new Set(names)) {
    if (!(await isFetched(name))) missing.push(`${name}@${VERSIONS[name]}`);
  }
  if (missing.length === 0) return;
  say(`fetching ${missing.join(', ')} from npm`);
  await mkdir(benchFolder, { recursive: true });
  const manifest = path.join(benchFolder, 'package.json');
  if (!existsSync(manifest)) await writeFile(manifest, '{"private": true}\n');
  // no peer needs its install script; onnxruntime-node's fetches what is for GPUs
  const command = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact'];
  try {
    await promisify(execFile)('npm', [...command, ...missing], { cwd: benchFolder });
  } catch (cause) {
    const { stderr } = /** @type {{stderr?: string}} */ (cause);
    const why = /^npm error (?!code|path|command)(.+)$/m.exec(stderr ?? '')?.[1] ?? String(cause);
    throw new Error(`npm could not fetch ${missing.join(', ')}: ${why}`, { cause });
  }
}

/** Whether a package is there, in the version that is measured. @param {string} name */
export async function isFetched(name) {
  const manifest = path.join(peerFolder, name, 'package.json');
  if (!existsSync(manifest)) return false;
  return JSON.parse(await readFile(manifest, 'utf8')).version === VERSIONS[name];
}

/**
 * A package that the bench itself needs: the project's own if it is there, else a fetched one.
 * @param {keyof typeof MAIN} name
 * @param {(line: string) => void} say
 * @returns {Promise<any>}
 */
export async function importPackage(name, say) {
  try {
    return await import(name);
  } catch {
    await fetchPeers([name], say);
    return import(pathToFileURL(path.join(peerFolder, name, MAIN[name])).href);
  }
}

/** What a bundler does with imports of packages: workers have no import maps. @param {string} file */
export async function resolveImports(file) {
  const text = await readFile(file, 'utf8');
  return text.replaceAll(/from "(@litertjs\/[\w-]+)"/g, 'from "/peers/$1/dist/index.js"');
}
