// Makes the package as it is published, with its checksum: `npm run release` → release/.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from './build.mjs';
import { run } from './command.mjs';
import { modules, root } from './places.mjs';
import { setUp } from './setup.mjs';
import { fail, step } from './step.mjs';

const FOLDER = path.join(root, 'release');

/** @param {string} folder @returns {Promise<string>} the package's file in it; what it is made of has been built */
export async function pack(folder) {
  const words = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [{ filename }] = JSON.parse(await run('npm', words, { cwd: root }));
  return path.join(folder, filename);
}

/** Whether all its entries and their types are found. @param {string} file the package's */
export async function checkPackage(file) {
  const tool = (/** @type {string} */ name) => path.join(modules, '.bin', name);
  await run(tool('publint'), ['run', file, '--strict']);
  await run(tool('attw'), [file, '--profile', 'esm-only']);
}

async function release() {
  await setUp('build');
  await build('web', 'wasi', 'types');
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER);
  const file = await pack(FOLDER);
  await step('entries and types', () => checkPackage(file));
  const name = path.basename(file);
  const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
  writeFileSync(path.join(FOLDER, 'SHA256SUMS'), `${sum}  ${name}\n`);
  console.log(`\nrelease/${name}, SHA-256 ${sum}\nTo publish it: npm publish release/${name}`);
}

if (import.meta.filename === process.argv[1]) await release().catch(fail);
