// Damaged models: no bit, cut or splice gets through to a box. tests/core/damage.js goes on with more of them.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../../tools/places.mjs';
import { makeModel } from '../support/fixtures.js';
import { everyBitAndCut, everySplice, isHarmless, Patient, randomDamages } from './damage.js';

const SMALL = { widen: 0.15 };
const model = makeModel(SMALL);
const other = makeModel({ ...SMALL, seed: 2 });
const RANDOM = 400;

/**
 * @param {Uint8Array} bytes
 * @param {Iterable<import('./damage.js').Damage>} damages
 * @param {boolean} early
 */
async function refusesAll(bytes, damages, early) {
  const patient = await Patient.open(bytes, early);
  let count = 0;
  for (const { at, kind, bytes: rest } of damages) {
    if (isHarmless(bytes, other, { at, kind, bytes: rest })) continue;
    assert.ok(patient.suffers({ at, kind, bytes: rest }), `${kind} at byte ${at} went unnoticed`);
    count++;
  }
  return count;
}

for (const early of [false, true]) {
  const when = early ? 'a detector that begins with the header' : 'a detector opened at the end';
  describe(when, () => {
    test('every bit flipped, every cut', async () => {
      assert.equal(await refusesAll(model, everyBitAndCut(model), early), model.length * 9);
    });

    test('another model from every byte on', async () => {
      const count = await refusesAll(model, everySplice(model, other), early);
      assert.ok(count > model.length / 2);
    });
  });
}

describe('a real model', () => {
  const folder = path.join(root, 'models');
  const names = readdirSync(folder).filter((name) => name.endsWith('.wisp'));
  test('some hundred damages', {
    skip: names.length > 0 ? false : 'models/ has none yet',
  }, async () => {
    const bytes = new Uint8Array(readFileSync(path.join(folder, names[0])));
    await refusesAll(bytes, randomDamages(bytes, other, RANDOM, 5), false);
  });
});
