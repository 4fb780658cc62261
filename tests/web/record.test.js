// Structs cross into a module and back by the names of their fields; what it does not know is refused in a sentence.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { runtimeFiles } from '../../web/src/detect/runtime-files.js';
import { Door } from '../../web/src/wasm/door.js';
import { compile, instantiate } from '../../web/src/wasm/instance.js';

/** @type {any} */ let module;
/** @type {Door} */ let door;
before(async () => {
  const { wisp } = runtimeFiles();
  module = await instantiate(wisp, 0, compile(wisp.wasm));
  door = new Door(module, 'runtime', ['It crashed', 'It should not']);
});

const filled = (
  /** @type {string} */ name,
  /** @type {number} */ at,
  /** @type {any} */ values,
) => {
  door.record(name).fill(at, values);
  return door.record(name).read(at);
};
const options = (/** @type {any} */ values) => filled('options', module._runtime_options(), values);
const settings = (/** @type {any} */ values) =>
  filled('settings', module._runtime_expect(), values);

describe('a struct of a module', () => {
  test('has the defaults of C where nothing is given', () => {
    const { iou, tileOverlap, ...others } = options({ confidence: undefined });
    assert.deepEqual([iou, tileOverlap], [0.45, 0.2].map(Math.fround));
    assert.deepEqual(others, {
      ...{ confidence: 0.25, maxDetections: 300, classAgnostic: false },
      ...{ multiLabel: false, rect: true, tiles: 'none', tileColumns: 1, tileRows: 1 },
      masks: 'none',
    });
    assert.deepEqual(settings({}), {
      ...{ width: 0, height: 0, threads: 1, warmUp: false, kernels: 'auto' },
    });
  });

  test('holds what it is given, by name', () => {
    const given = { multiLabel: true, maxDetections: 7, confidence: 0.5, iou: 0.75 };
    const { classAgnostic, rect, tiles, tileColumns, tileRows, tileOverlap, masks, ...held } =
      options(given);
    assert.deepEqual(held, given);
    assert.deepEqual([classAgnostic, rect, tiles, masks], [false, true, 'none', 'none']);
    assert.equal(options({ ...given, tiles: 'auto' }).tiles, 'auto');
    const { kernels, height } = settings({ kernels: 'fused', height: 64 });
    assert.deepEqual([kernels, height], ['fused', 64]);
    assert.equal(settings({ height: 64 }).kernels, 'auto', 'each begins anew');
  });

  /** @type {[string, () => unknown, RegExp][]} */
  const wrong = [
    [
      'an unknown field',
      () => options({ confidense: 0.5 }),
      /no "confidense" in the options; there is confidence, iou, maxDetections, classAgnostic, m/,
    ],
    ['a field that every object has', () => options({ toString: 1 }), /no "toString" in the opt/],
    [
      'an unknown word',
      () => settings({ kernels: 'fast' }),
      /kernels is "auto", "narrow" or "fused", not the string "fast"/,
    ],
    ['a number for a word', () => settings({ kernels: 0 }), /or "fused", not the number 0/],
    ['text for a number', () => options({ iou: '0.5' }), /iou is a number, not the string "0\.5"/],
    ['nothing', () => options({ iou: null }), /iou is a number, not null/],
    ['no finite number', () => options({ iou: Infinity }), /iou is a number, not the number Inf/],
    ['half a box', () => options({ maxDetections: 1.5 }), /is a whole number, not the number 1\.5/],
    ['more than 32 bits', () => options({ maxDetections: 2 ** 31 }), /not the number 2147483648/],
    ['a number for a switch', () => options({ multiLabel: 1 }), /true or false, not the number 1/],
    ['a list for a number', () => options({ iou: [0.5] }), /iou is a number, not this Array/],
  ];
  for (const [name, act, message] of wrong)
    test(`refuses ${name}`, () => assert.throws(act, { code: 'WISP_ERR_ARGUMENT', message }));

  test('that the module does not have is the fault of its files', () => {
    const error = { code: 'WISP_ERR_ENGINE', message: /"node": its files are of another version/ };
    assert.throws(() => door.record('node'), error);
    const { _runtime_records, ...old } = module;
    const before = new Door({ ...old, wasmMemory: module.wasmMemory }, 'runtime', ['', '']);
    assert.throws(() => before.record('options'), { ...error, message: /"options": its files/ });
  });
});
