// When a made network is stale: as soon as any module changes that decides its bytes.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { hashOf, makersOf } from '../../bench/networks/made-files.js';
import { root } from '../../tools/places.mjs';

const NETWORKS = 'bench/networks/networks.js';

/** The project's files, one of them changed. @param {string} changed */
const withChange = (changed) => async (/** @type {string} */ name) => {
  const bytes = await readFile(path.join(root, name)).catch(() => null);
  return bytes && name === changed ? Buffer.concat([bytes, Buffer.from('\n')]) : bytes;
};

/** @param {string} [changed] */
const versionWith = async (changed = '') =>
  hashOf(...(await makersOf(NETWORKS, withChange(changed))).values());

test('the makers of a network are found: writers, random numbers, importer, press', async () => {
  const makers = [...(await makersOf(NETWORKS)).keys()];
  for (const name of [
    'package.json', // versions of packages
    'web/src/export/onnx-writer.js',
    'web/src/graph/random-numbers.js',
    'web/src/import/onnx-layers.js',
    'web/src/pressing/random-press.js',
    'bench/peers/tflite/writer.js',
    'dist/press.wasm',
  ])
    assert.ok(makers.includes(name), `${name} is missing`);
  for (const name of ['cli/wisp.js', 'bench/measure.js', 'bench/report/report.js'])
    assert.ok(!makers.includes(name), `${name} makes nothing`);
});

test('a change of any maker makes another version, one of another file does not', async () => {
  const version = await versionWith();
  assert.match(version, /^[0-9a-f]{8}$/);
  assert.equal(await versionWith('bench/measure.js'), version);
  const versions = new Set([version]);
  const makers = [...(await makersOf(NETWORKS)).keys()];
  for (const name of makers) versions.add(await versionWith(name));
  assert.equal(versions.size, makers.length + 1);
});

test('modules are followed through import(), workers and addresses', async () => {
  /** @type {Record<string, string>} */
  const files = {
    'a.js': "import { b } from './b/b.js';\nconst c = () => import('./c.js');\n",
    'b/b.js': "new Worker(new URL('../d.js', import.meta.url));\n",
    'c.js': "const wasm = new URL('e.wasm', import.meta.url);\nconst thread = './f.mjs';\n",
    'd.js': "// import './not.js';\nimport 'node:fs';\n",
    'e.wasm': '',
    'f.mjs': "import './a.js';\n",
    'not.js': '',
  };
  const read = async (/** @type {string} */ name) =>
    name in files ? new TextEncoder().encode(files[name]) : null;
  const found = [...(await makersOf('a.js', read)).keys()].sort();
  assert.deepEqual(found, ['a.js', 'b/b.js', 'c.js', 'd.js', 'e.wasm', 'f.mjs']);
});
