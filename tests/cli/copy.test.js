// wisp copy: the files are there, nothing else is touched, and a place where none can be is told at once.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { root } from '../../tools/places.mjs';
import { runWisp } from './command.js';

const folder = mkdtempSync(path.join(tmpdir(), 'wisp-copy-'));
after(() => rmSync(folder, { recursive: true }));

/** @param {string} place @param {string} [cwd] */
const copy = (place, cwd = folder) => runWisp(['copy', place], { cwd });

test('puts its files there, new ones in place of old ones, and leaves others alone', async () => {
  const { code, stderr } = await copy('public/wisp');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^public\/wisp: \d+ files\. .*base: '\/wisp\/'/);
  const at = (/** @type {string} */ name) => path.join(folder, 'public/wisp', name);
  const names = readdirSync(at('.'), { recursive: true });
  writeFileSync(at('models/best.wisp'), 'mine');
  writeFileSync(at('models/codes.wisp'), 'old');
  assert.equal((await copy('public/wisp')).code, 0);
  assert.equal(readFileSync(at('models/best.wisp'), 'utf8'), 'mine');
  assert.deepEqual(
    readFileSync(at('models/codes.wisp')),
    readFileSync(path.join(root, 'models/codes.wisp')),
  );
  assert.equal(readdirSync(at('.'), { recursive: true }).length, names.length + 1);
});

test('refuses its own folder, which it would write over', async () => {
  for (const place of ['', '.', path.join(root, 'cli', '..')]) {
    const { code, stderr } = await copy(place, root);
    assert.equal(code, 2, stderr);
    assert.match(
      stderr,
      /is wisp's own folder: name one that your app's server serves\. \[WISP_ERR_ARGUMENT\]\n$/,
    );
  }
});

test('a place where no folder can be made', {
  skip: existsSync('/proc/self') ? false : 'no /proc here',
}, async () => {
  for (const place of ['/proc/wisp', '/proc/wisp/public', '/dev/null', '/dev/full/wisp']) {
    const { code, stderr } = await copy(place);
    assert.equal(code, 1, stderr);
    const why = place.startsWith('/proc') ? 'no folder can be made there' : 'what stands before';
    assert.match(
      stderr,
      new RegExp(`^wisp: ${place}/\\S+ can't be written: ${why}.* \\[WISP_ERR_FETCH\\]\\n$`),
    );
  }
});
