// What npm packs: all that the exports and the command need is in it, and nothing that is only for development.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { referencesOf } from '../../bench/networks/imports.js';
import { root } from '../../tools/places.mjs';
import { readRecipes } from '../apps/recipes.js';

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

test('what Emscripten makes imports nothing, which bundlers for pages would look for', () => {
  const glue = [...packed].filter((name) => /^dist\/[^/]*\.mjs$/.test(name));
  assert.equal(glue.length, 6);
  for (const name of glue)
    assert.doesNotMatch(readFileSync(path.join(root, name), 'utf8'), /\bimport\(|^import\b/m, name);
});

test('what a page loads names the variables of an environment one by one, or Parcel breaks it', () => {
  const modules = [...packed].filter((name) => /^web\/src\/.*\.js$/.test(name));
  for (const name of modules)
    assert.doesNotMatch(readFileSync(path.join(root, name), 'utf8'), /\} = process\.env/, name);
});

test('tests, demo and tools stay here', () => {
  const strangers = [...packed].filter((name) => /^(tests|tools|core|web\/demo|wasm)\//.test(name));
  assert.deepEqual(strangers, []);
});

test('each part of docs/RECIPES.md is run by `npm run test:apps`', () => {
  const folder = path.join(root, 'tests', 'apps');
  const apps = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'utf8'));
  const parts = [...readRecipes()].filter(([, { files, commands }]) => {
    return commands.length > 0 || Object.keys(files).length > 0;
  });
  assert.ok(parts.length > 10);
  for (const [heading] of parts) assert.ok(apps.join('').includes(`'${heading}'`), heading);
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

/**
 * Compiles programs of the package's users.
 * @param {Record<string, string>} programs by name
 * @param {string[]} lib
 * @param {boolean} [strict]
 */
async function compile(programs, lib, strict = true) {
  const folder = mkdtempSync(path.join(tmpdir(), 'wisp-types-'));
  try {
    await promisify(execFile)(process.execPath, ['tools/build.mjs', 'types'], { cwd: root });
    const typed = Object.entries(exports).filter(([, entry]) => entry.types);
    const paths = Object.fromEntries(
      typed.map(([name, { types }]) => [
        path.posix.join('wisp-yolo', name),
        [path.join(root, types)],
      ]),
    );
    const rest = { module: 'nodenext', strict, noEmit: true, types: [] };
    const config = {
      compilerOptions: { target: 'es2022', lib, paths, ...rest },
      include: ['*.mts', '*.d.ts'],
    };
    for (const [name, text] of Object.entries(programs))
      writeFileSync(path.join(folder, name), text);
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = path.join(root, 'node_modules', '.bin', 'tsc');
    await promisify(execFile)(tsc, ['-p', folder]).catch(({ stdout }) => assert.fail(stdout));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const lib of [['ES2022'], ['ES2022', 'DOM'], ['ES2023']])
  test(`a program in TypeScript that knows ${lib.join(' and ')} compiles, wisp's types with it`, () =>
    compile({ 'consumer.mts': CONSUMER }, lib));

test('the types of all that the package exports compile', () => {
  const names = Object.keys(exports).filter((name) => exports[name].types);
  const lines = names.map((name) => `import '${path.posix.join('wisp-yolo', name)}';\n`);
  return compile({ 'exports.mts': lines.join('') }, ['ES2022', 'DOM']);
});

/** What the blocks of the documents take from the reader's app. */
const READERS = `
declare const detector: import('wisp-yolo').Detector;
declare const model: string, bytes: Uint8Array, checkpoint: File, pictures: File[];
declare const video: HTMLVideoElement, canvas: any, scan: Blob;
declare const data: Uint8ClampedArray, width: number, height: number;
declare module 'zxing-wasm/reader';
declare module 'wisp-yolo/dist/wisp-relaxed.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
`;

/** What one block imports and others use. */
const EXPORTED = {
  Detector: 'wisp-yolo',
  inPlace: 'wisp-yolo/in-place',
  CodeReader: 'wisp-yolo/code-reader',
};

const DOCUMENTS = ['README.md', 'docs/START.md', 'docs/THREADS.md', 'docs/PRESSING.md'];

test('the code in the documents is TypeScript that knows the types', async () => {
  /** @type {Record<string, string>} */
  const programs = { 'readers.d.ts': READERS };
  for (const name of DOCUMENTS) {
    const blocks = [
      ...readFileSync(path.join(root, name), 'utf8').matchAll(/^```js\n(.*?)^```$/gms),
    ];
    assert.ok(blocks.length > 0, name);
    for (const [i, [, block]] of blocks.entries()) {
      const own = [...block.matchAll(/^import (?:\{ )?(\w+)/gm)].map(([, word]) => word);
      const missing = Object.entries(EXPORTED).filter(
        ([word]) => block.includes(word) && !own.includes(word),
      );
      const imports = missing.map(([word, from]) => `import { ${word} } from '${from}';\n`);
      programs[`${path.basename(name, '.md')}-${i}.mts`] = `${imports.join('')}${block}`;
    }
  }
  await compile(programs, ['ES2022', 'DOM'], false); // an element that is not there is the reader's affair
});
