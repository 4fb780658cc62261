// Set-up's environments of Python: made once; what can't be made is a sentence and no failure.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../../tools/command.mjs';
import { root } from '../../tools/places.mjs';
import { isMade, makeEnvironment, PYTHON } from '../../tools/setup/environment.mjs';
import { makeTraining } from '../../tools/setup/training.mjs';

const hasVenv = await run(PYTHON, ['-c', 'import ensurepip, venv']).then(
  () => true,
  () => false,
);
const skip = hasVenv ? false : `${PYTHON} with venv is not there`;

/** @type {string} */
let folder;
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'wisp-environment-'));
});
after(() => rmSync(folder, { recursive: true }));

test('an environment is made once, and counts as made when it is whole', { skip }, async () => {
  const home = path.join(folder, 'one');
  const ready = () => ['one', 'two'].map((contents) => isMade(home, [contents]));
  let filled = 0;
  const make = () =>
    makeEnvironment(home, ['one'], async () => {
      filled++;
      assert.deepEqual(ready(), [false, false]);
    });
  const python = await make();
  assert.ok((await run(python, ['-c', 'import sys; print(sys.prefix)'])).includes(home));
  assert.deepEqual(ready(), [true, false]);
  await make();
  assert.equal(filled, 1);
});

test('without an index of packages: a reason and a remedy in one line, and nothing is left', {
  skip,
}, async () => {
  const home = path.join(folder, 'training');
  process.env.PIP_CONFIG_FILE = devNull;
  process.env.PIP_NO_INDEX = '1';
  delete process.env.PIP_FIND_LINKS;
  const says = /^No matching distribution found for torch==[^\n]*; [^\n]*WISP_PYTHON$/;
  await assert.rejects(
    makeTraining(() => {}, home),
    { name: 'Refusal', message: says },
  );
  assert.ok(!existsSync(home));
});

test('without a Python set-up goes on, and says so', async () => {
  const env = { ...process.env, WISP_PYTHON: path.join(folder, 'none') };
  const said = await run(process.execPath, ['tools/setup.mjs', 'train'], { cwd: root, env });
  assert.match(said, /^ {2}PyTorch for training .* skipped: \S+none can't be started: [^\n]*$/m);
});
