// The reference of the package's API, made of dist/types by TypeDoc, which has a TypeScript of its own (tools/api).
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../command.mjs';
import { root } from '../places.mjs';

const TYPES = path.join(root, 'dist', 'types');
const WORK = path.join(root, 'build', 'api');
const MAKER = path.join(root, 'tools', 'api');

/** @returns {{module: string, types: string, source: string}[]} what package.json says can be imported */
function entries() {
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return Object.entries(exports)
    .filter(([, entry]) => entry.types)
    .map(([name, entry]) => ({
      module: path.posix.join('wisp-yolo', name),
      types: path.basename(entry.types),
      source: entry.default,
    }));
}

/**
 * Declarations for readers: what is declared in another file by its own name stays what it is, and what nobody but
 * wisp constructs has no constructor.
 * @param {string} text
 */
const forReaders = (text) =>
  text
    .replace(
      /^export type (\w+) = import\(("[^"]+"|'[^']+')\)\.\1;$/gm,
      'import { $1 } from $2;\nexport { $1 };',
    )
    .replace(/ \/\*\*\s*\* Use \w+\.open\.[^;]*;/g, ' private constructor();')
    .replace(/^((import|export) \{ \w+Verbs \}.*|export type Style = .*);$/gm, '');

/**
 * A module with its name and its first comment; options that are put together of several are one list.
 * @param {string} text
 * @param {{module: string, source: string}} entry
 */
function named(text, { module, source }) {
  const code = readFileSync(path.join(root, source), 'utf8').replace(/^\/\/\/.*\n/gm, '');
  const about = /^(?:\/\/.*\n)+/.exec(code)?.[0].replace(/^\/\/ ?/gm, '') ?? '';
  const whole = text.replace(/^(?=export type \w+ = [^{};]*&)/gm, '/** @interface */\n');
  return `/**\n * ${about.trim().replaceAll('\n', '\n * ')}\n * @module ${module}\n */\n${whole}`;
}

/**
 * Writes the reference, in place of an earlier one.
 * @param {string} folder
 */
export async function writeApi(folder) {
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  const all = entries();
  for (const name of readdirSync(TYPES, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.d.ts')) continue;
    const entry = all.find(({ types }) => types === name);
    const text = forReaders(readFileSync(path.join(TYPES, name), 'utf8'));
    const file = path.join(WORK, 'types', name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, entry ? named(text, entry) : text);
  }
  const entryPoints = all.map(({ types }) => `types/${types}`);
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    lib: ['es2023', 'esnext.disposable', 'dom', 'dom.iterable', 'dom.asynciterable'],
    types: [],
    noEmit: true,
  };
  const config = { compilerOptions, files: entryPoints };
  writeFileSync(path.join(WORK, 'tsconfig.json'), JSON.stringify(config));
  writeFileSync(path.join(WORK, 'package.json'), '{"name": "wisp-yolo", "type": "module"}');
  const words = ['--options', path.join(MAKER, 'typedoc.json'), '--out', folder];
  const typedoc = path.join(MAKER, 'node_modules', 'typedoc', 'bin', 'typedoc');
  await run(process.execPath, [typedoc, ...words, ...entryPoints], { cwd: WORK });
}
