// What npm packs: all that the exports and the command need is in it, and nothing that is only for development.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { root } from '../tools/places.mjs';

const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** @type {Set<string>} */
let packed;
before(async () => {
  const words = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout } = await promisify(execFile)('npm', words, { cwd: root });
  const [{ files }] = JSON.parse(stdout);
  packed = new Set(files.map((/** @type {{path: string}} */ { path: name }) => name));
});

test('every export is there, its types first', () => {
  for (const [name, entry] of Object.entries(exports)) {
    const targets = typeof entry === 'string' ? [entry] : Object.values(entry);
    for (const target of targets) assert.ok(packed.has(target.slice(2)), `${name}: ${target}`);
    if (typeof entry !== 'string') assert.equal(Object.keys(entry)[0], 'types', name);
  }
});

test('whatever a packed module imports or names beside itself is packed too', () => {
  const missing = [];
  for (const name of packed) {
    if (!/^(web|cli|bench)\/.*\.js$/.test(name)) continue;
    const text = readFileSync(path.join(root, name), 'utf8').replaceAll(/\/\*[^]*?\*\//g, '');
    const addresses = text.matchAll(
      /(?:from |import\(|^import |new URL\()'(\.{1,2}\/[^']+)'(?:\)|, import\.meta\.url\)|;)/gm,
    );
    for (const [, target] of addresses) {
      const file = path.posix.join(path.posix.dirname(name), target);
      if (path.extname(file) && !packed.has(file) && !MODELS.test(file))
        missing.push(`${name}: ${file}`);
    }
  }
  assert.deepEqual(missing, []);
});

/** The model that comes with wisp may not have been trained yet. */
const MODELS = existsSync(path.join(root, 'models', 'codes.wisp')) ? /^$/ : /^models\//;

test('tests, demo and tools stay here', () => {
  const strangers = [...packed].filter((name) => /^(tests|tools|core|web\/demo|wasm)\//.test(name));
  assert.deepEqual(strangers, []);
});
