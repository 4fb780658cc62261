// The Python package: its wheel in a fresh environment finds the boxes that the Detector finds here, to the bit, and
// says what it says. The cases are made here; the tests are tests/python/test_*.py.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { root } from '../../tools/places.mjs';
import { dependencies, environment, installWheel, makeWheel } from '../../tools/python.mjs';
import { Detector } from '../../web/src/index.js';
import { VERSION } from '../../web/src/version.js';
import { encodePng, makeModel, makePicture } from '../support/fixtures.js';
import { fileNamed, names, onItsSide } from '../support/picture-files.js';
import { dataPath, without } from '../support/test-data.js';
import { tinySegmenter } from '../support/tiny-segment.js';

const run = promisify(execFile);
const tests = fileURLToPath(new URL('.', import.meta.url));
const codes = path.join(root, 'models', 'codes.wisp');
const isBuilt = existsSync(path.join(root, 'wasm', 'python', 'wisp_yolo', 'reactor.wasm'));

/** How a machine without Python or a package index says so. */
const UNREADY = /No matching distribution|connection|Temporary failure|can't be started|-m venv/i;

/** @type {string} */ let folder;
/** @type {string} the Python of an environment that has the wheel */ let python;
/** Why there is none. */ let missing = isBuilt
  ? ''
  : 'node tools/build.mjs reactor makes its module';

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wisp-python-'));
  if (missing) return;
  try {
    python = await environment('python-tests', [...dependencies(), 'pillow']);
    await installWheel(python, await makeWheel(folder));
  } catch (thrown) {
    const { message, output = '' } = /** @type {Error & {output?: string}} */ (thrown);
    if (!UNREADY.test(message + output)) throw thrown;
    missing = `${message} ${output}`.trim().split('\n').at(-1) ?? '';
  }
});
after(() => rmSync(folder, { recursive: true }));

/**
 * @typedef {object} Case
 * @property {string} model
 * @property {string} picture a file of the folder, or the path of one
 * @property {{[name: string]: any}} options as JavaScript calls them
 * @property {{[name: string]: any}} [opening] likewise
 * @property {{boxes: object[], width: number, height: number}} [result]
 * @property {{code: string, message: string}} [error]
 */

/** @param {Case} one @returns {Promise<Case>} with what happens here */
async function answered(one) {
  try {
    const { width, height } = Object(one.opening?.size);
    const size = width ? { width, height } : one.opening?.size;
    const detector = await Detector.open(one.model, { ...one.opening, size, threads: 1 });
    try {
      const { boxes, width, height } = await detector.detect(one.picture, one.options);
      return { ...one, result: { boxes, width, height } };
    } finally {
      await detector.close();
    }
  } catch (thrown) {
    const { code, message } = /** @type {any} */ (thrown);
    return { ...one, error: { code, message } };
  }
}

/** @param {Case[]} cases @param {string} pattern of the tests @returns {Promise<number>} how many there were */
async function runPython(cases, pattern) {
  const file = path.join(folder, 'cases.json');
  const known = [];
  for (const one of cases) known.push(await answered(one));
  writeFileSync(file, JSON.stringify(known));
  const command = ['-W', 'error', '-m', 'unittest', 'discover', '-s', tests, '-p', pattern];
  const env = { ...process.env, WISP_CASES: folder, PYTHONDONTWRITEBYTECODE: '1' };
  const { stderr } = await run(python, command, { env, cwd: folder }).catch((thrown) => {
    throw new Error(`${thrown.stdout}${thrown.stderr}`);
  });
  const [, count] = /Ran (\d+) tests? in/.exec(stderr) ?? [];
  return Number(count);
}

/** @param {string} name @param {Uint8Array} bytes */
function save(name, bytes) {
  const file = path.join(folder, name);
  writeFileSync(file, bytes);
  return file;
}

/** Pictures of every kind that its own decoder reads, upright and on their sides. */
function pictureFiles() {
  const files = names
    .filter((name) => /^(jpeg|png|gif|bmp)/.test(name))
    .map((name) => save(name, fileNamed(name)));
  for (const name of ['jpeg-444.jpg', 'png-rgba.png'])
    for (let turn = 2; turn <= 8; turn++)
      files.push(save(`${turn}-${name}`, onItsSide(fileNamed(name), turn)));
  return files;
}

/** @returns {Promise<Case[]>} */
async function allCases() {
  const picture = save('picture.png', encodePng(makePicture()));
  const model = save('tiny.wisp', makeModel());
  const segmenter = save('segment.wisp', await tinySegmenter());
  const wide = save('wide.wisp', makeModel({ seed: 7, width: 160, height: 96, density: 0.6 }));
  const options = [
    { confidence: 0.2 },
    { confidence: 0.1, iou: 0.7, maxDetections: 5 },
    { confidence: 0.05, classAgnostic: true, rect: false },
    { confidence: 0.05, multiLabel: true, classes: [0, 1] },
    { confidence: 0.1, background: '#204060' },
    { confidence: 0.1, tiles: { columns: 3, rows: 2, overlap: 0.3 } },
    { confidence: 0.1, tiles: 'auto' },
  ];
  const cut = save('cut.jpg', fileNamed('jpeg-420.jpg').subarray(0, 1300));
  const half = save('half.wisp', makeModel().subarray(0, 900));
  const damaged = save(
    'damaged.wisp',
    makeModel().map((byte, i) => (i === 700 ? byte ^ 9 : byte)),
  );
  const side = save('side.ppm', Buffer.from('P6\n40000 1\n255\n'));
  const at = (/** @type {object} */ one) => ({ model, picture, options: {}, ...one });
  return [
    ...options.map((one) => at({ options: one })),
    ...options.map((one) => at({ model: wide, options: one })),
    at({ model: segmenter, options: { confidence: 0.3, masks: 'rle' } }),
    at({ model: segmenter, options: { confidence: 0.3, masks: 'rle', tiles: 'auto' } }),
    at({ options: { masks: 'rle' } }),
    at({ opening: { size: { width: 128, height: 64 } }, options: { confidence: 0.1 } }),
    at({ opening: { size: 96, kernels: 'fused' }, options: { confidence: 0.1 } }),
    ...pictureFiles().map((one) => at({ picture: one, options: options[4] })),
    at({ picture: path.join(folder, 'no.png') }),
    at({ picture: folder }),
    at({ picture: cut }),
    at({ picture: side }),
    at({ options: { maxPixels: 6911 } }),
    at({ options: { confidence: 2 } }),
    at({ options: { maxDetections: 0 } }),
    at({ options: { classes: ['unicorn'] } }),
    at({ model: path.join(folder, 'no.wisp') }),
    at({ model: half }),
    at({ model: damaged }),
    at({ opening: { size: 100 } }),
  ];
}

test('the same boxes and the same sentences', { timeout: 600_000 }, async (t) => {
  if (missing) return t.skip(missing);
  const cases = await allCases();
  assert.ok((await runPython(cases, 'test_*.py')) > 20);
});

test('the same boxes of photographs', {
  skip: without('codes/multi', 'codes/qr_code'),
  timeout: 600_000,
}, async (t) => {
  if (missing) return t.skip(missing);
  const files = ['codes/multi', 'codes/qr_code'].flatMap((name) =>
    readdirSync(dataPath(name))
      .filter((file) => /\.(jpe?g|png)$/.test(file))
      .slice(0, 4)
      .map((file) => path.join(dataPath(name), file)),
  );
  const cases = files.map((picture) => ({ model: codes, picture, options: {} }));
  assert.ok((await runPython(cases, 'test_same.py')) > 0);
});

test('its version is the version', () => {
  const init = readFileSync(path.join(root, 'wasm', 'python', 'wisp_yolo', '__init__.py'), 'utf8');
  assert.equal(/^__version__ = "(.*)"$/m.exec(init)?.[1], VERSION);
});
