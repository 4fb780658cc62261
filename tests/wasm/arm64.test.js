// The same bytes from V8 on a 64-bit Arm processor (Node under qemu), whose relaxed dot product reads bytes as signed.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { armNode, relaxedNode } from '../../tools/places.mjs';

const script = fileURLToPath(new URL('boxes-run.js', import.meta.url));
const VARIANTS = [
  'wisp',
  'wisp-relaxed',
  'wisp-relaxed-mt',
  'wisp-relaxed:narrow',
  'wisp-relaxed:fused',
];
const SKIP = armNode() ? false : 'no Arm here: node tools/setup.mjs arm64 sets one up';

/** @param {string | undefined} node */
function boxesOf(node) {
  const { stdout, stderr } = spawnSync(`${node}`, [script, ...VARIANTS], { encoding: 'utf8' });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

test('V8 on Arm finds the same boxes', { skip: SKIP }, () => {
  const arm = boxesOf(armNode());
  const here = boxesOf(relaxedNode());
  assert.equal(arm.processor, 'arm64');
  for (const [i, { variant, signedBytes, boxes }] of arm.found.entries()) {
    assert.deepEqual(boxes, here.found[i].boxes, variant);
    assert.equal(signedBytes, variant !== 'wisp', `${variant} stores signed bytes`);
    assert.ok(boxes.flat().length > 20);
  }
});
