// The toolchain that set-up unpacks works from wherever it is: a checkout that was moved or copied brings it along.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { run } from '../../tools/command.mjs';
import { armNode, emscriptenFolder, toolchain, wasmEdge } from '../../tools/places.mjs';
import { isReady, writeProgram } from '../../tools/setup/emscripten.mjs';

/** The files with which its programs begin. */
function beginnings() {
  const own = emscriptenFolder()?.startsWith(toolchain) && isReady();
  const folders = own ? ['bin', 'binaryen/bin'].map((name) => path.join(toolchain, name)) : [];
  const settings = own ? path.join(toolchain, 'emscripten', '.emscripten') : undefined;
  const others = [wasmEdge(), armNode(), settings];
  return [
    ...folders.flatMap((folder) => readdirSync(folder).map((name) => path.join(folder, name))),
    ...others.flatMap((file) => (file?.startsWith(toolchain) ? [file] : [])),
  ];
}

test('none of its programs says where it is', (context) => {
  const files = beginnings();
  if (files.length === 0) return context.skip('nothing is unpacked here: npm test does it');
  for (const file of files) assert.ok(!readFileSync(file, 'utf8').includes(toolchain), file);
});

test('a program that set-up writes finds its neighbours where it was moved', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wisp-moved-'));
  try {
    writeProgram(path.join(folder, 'a', 'bin', 'one'), 'echo "$here" "$@"');
    cpSync(path.join(folder, 'a'), path.join(folder, 'b'), { recursive: true });
    const said = await run(path.join(folder, 'b', 'bin', 'one'), ['two words']);
    assert.equal(said, `${path.join(folder, 'b', 'bin')} two words\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
