// Programs that tools run: what they say on the way, by lines, and whole in the end or in the error.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../tools/command.mjs';
import { aptGet } from '../../tools/setup/apt.mjs';

test('lines of stderr and of the third channel are heard while it runs', async () => {
  /** @type {string[]} */
  const heard = [];
  const onLine = (/** @type {string} */ line) => heard.push(`line ${line}`);
  const onStatus = (/** @type {string} */ line) => heard.push(`status ${line}`);
  const script = 'echo one >&2; sleep 0.2; echo two >&3; sleep 0.2; echo three >&2; echo out';
  const said = await run('sh', ['-c', script], { onLine, onStatus });
  assert.deepEqual(heard, ['line one', 'status two', 'line three']);
  assert.equal(said, 'one\nthree\nout\n');
});

test('a program that fails tells all it wrote', async () => {
  const failing = run('sh', ['-c', 'echo why >&2; exit 3'], { onLine: () => {} });
  await assert.rejects(failing, { message: 'sh ended with status 3.', output: 'why\n' });
});

test('what apt-get fetches is named before it starts', async () => {
  /** @type {string[]} */
  const said = [];
  const say = (/** @type {string} */ words) => void said.push(words);
  const env = { PATH: '/nowhere' };
  await assert.rejects(aptGet(['update'], { env, say, what: 'lists' }), /can't be started/);
  assert.deepEqual(said, ['fetching lists']);
});
