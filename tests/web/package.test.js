// What npm packs: all that the exports and the command need is in it, and nothing that is only for development.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { referencesOf } from '../../bench/networks/imports.js';
import { root } from '../../tools/places.mjs';

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
    for (const target of targets) {
      const [begin, end] = target.slice(2).split('*'); // of whole folders
      const isPacked =
        end === undefined ? packed.has(begin) : [...packed].some((file) => file.startsWith(begin));
      assert.ok(isPacked, `${name}: ${target}`);
    }
    if (typeof entry !== 'string') assert.equal(Object.keys(entry)[0], 'types', name);
  }
});

test('whatever a packed module imports or names beside itself is packed too', () => {
  const missing = [];
  for (const name of packed) {
    if (!/^(web|cli|bench)\/.*\.js$/.test(name)) continue;
    const own = referencesOf(name, readFileSync(path.join(root, name), 'utf8'))
      .map(({ to }) => to)
      .filter((to) => path.extname(to) && existsSync(path.join(root, to)));
    missing.push(...own.filter((to) => !packed.has(to)).map((to) => `${name}: ${to}`));
  }
  assert.deepEqual(missing, []);
});

test('tests, demo and tools stay here', () => {
  const strangers = [...packed].filter((name) => /^(tests|tools|core|web\/demo|wasm)\//.test(name));
  assert.deepEqual(strangers, []);
});

const CONSUMER = `
import { Detector } from 'wisp-yolo';
import { press } from 'wisp-yolo/press';
const detector = await Detector.open('best.wisp', { threads: 1 });
const classes: readonly string[] = ['person'];
const one: number = (await detector.detect('a.jpg', { classes })).boxes.length;
const both: number = (await detector.detect(['a.jpg', 'b.jpg'] as readonly string[])).length;
const { bytes } = await press('best.onnx', { pictures: ['a.jpg'] });
await detector.close();
export { one, both, bytes };
`;

for (const lib of [['ES2022'], ['ES2022', 'DOM'], ['ES2023']])
  test(`a program in TypeScript that knows ${lib.join(' and ')} compiles, wisp's types with it`, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'wisp-types-'));
    try {
      await promisify(execFile)(process.execPath, ['tools/build.mjs', 'types'], { cwd: root });
      const at = (/** @type {string} */ name) => [path.join(root, 'dist', 'types', `${name}.d.ts`)];
      const paths = { 'wisp-yolo': at('index'), 'wisp-yolo/press': at('press') };
      const rest = { module: 'nodenext', strict: true, noEmit: true, types: [] };
      const config = {
        compilerOptions: { target: 'es2022', lib, paths, ...rest },
        include: ['*.mts'],
      };
      writeFileSync(path.join(folder, 'consumer.mts'), CONSUMER);
      writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
      const tsc = path.join(root, 'node_modules', '.bin', 'tsc');
      await promisify(execFile)(tsc, ['-p', folder]).catch(({ stdout }) => assert.fail(stdout));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
