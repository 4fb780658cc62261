// The WASI command, in Node and in WasmEdge: the boxes of the Detector, as JSON; errors and exit codes.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { root, wasmEdge } from '../../tools/places.mjs';
import { Detector } from '../../web/src/index.js';
import { makePicture } from '../support/fixtures.js';
import { encodePpm } from '../support/netpbm.js';
import { model, openSite, picture, png } from '../support/site.js';

const command = fileURLToPath(new URL('../../dist/wisp-wasi.wasm', import.meta.url));
const runner = fileURLToPath(new URL('wasi-run.js', import.meta.url));

/** @type {Awaited<ReturnType<typeof openSite>>} */ let site;
/** @type {import('../../web/src/index.js').Box[]} */ let expected;

before(async () => {
  site = await openSite();
  const detector = await Detector.open(model, { threads: 1 });
  expected = (await detector.detect(picture, { confidence: 0.2 })).boxes;
  await detector.close();
  const save = (/** @type {string} */ name, /** @type {Uint8Array} */ bytes) =>
    writeFileSync(path.join(site.folder, name), bytes);
  save('picture.ppm', encodePpm(picture));
  save('half.wisp', model.subarray(0, model.length >> 1));
  save('half.png', png.subarray(0, 100));
  save('wide.ppm', Buffer.from('P6\n40000 1\n255\n'));
});
after(() => site.close());

/** @type {Record<string, {skip: string | false, run: (args: string[]) => string[]}>} */
const engines = {
  'node:wasi': {
    skip: false,
    run: (args) => [process.execPath, '--no-warnings', runner, site.folder, ...args],
  },
  WasmEdge: {
    skip: wasmEdge() ? false : 'no WasmEdge here: node tools/setup.mjs wasmedge sets one up',
    run: (args) => [`${wasmEdge()}`, '--dir', `/:${site.folder}`, command, ...args],
  },
  'this machine, scalar kernels': native('native'),
  'this machine, scalar kernels, sanitizers': native('native-asan'),
};

/**
 * @param {string} tree of CMakePresets.json
 * @returns {{skip: string | false, run: (args: string[]) => string[]}}
 */
function native(tree) {
  const program = path.join(root, 'build', tree, 'wisp-detect');
  return {
    skip: existsSync(program) ? false : `${program} is not built: npm test does it`,
    run: (args) => [program, ...args.map((arg) => (arg.startsWith('/') ? site.folder + arg : arg))],
  };
}

/** @param {string} engine @param {string[]} args */
function run(engine, ...args) {
  const [program, ...rest] = engines[engine].run(args);
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** @param {string} stdout */
function boxesIn(stdout) {
  const { boxes } = JSON.parse(stdout);
  return boxes.map((/** @type {any} */ { x, y, width, height, score, ...rest }) => {
    const [fx, fy, fw, fh, fs] = [x, y, width, height, score].map(Math.fround);
    return { x: fx, y: fy, width: fw, height: fh, score: fs, ...rest };
  });
}

/** @param {import('../support/fixtures.js').Picture} picture */
async function encodeJpeg(picture) {
  const { default: encode, init } = await import('@jsquash/jpeg/encode.js');
  const wasm = new URL(import.meta.resolve('@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm'));
  await init(await WebAssembly.compile(readFileSync(wasm)));
  const options = { quality: 100, auto_subsample: false, chroma_subsample: 1 };
  return Buffer.from(await encode(/** @type {any} */ (picture), options));
}

/** The photo with an EXIF segment in front. @param {Buffer} jpeg @param {number} turn */
function withOrientation(jpeg, turn) {
  const text = Buffer.from('Exif\0\0MM\0*');
  const tiff = [0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, turn, 0, 0, 0, 0, 0, 0];
  const segment = Buffer.from([0xff, 0xe1, 0, 2 + text.length + tiff.length, ...text, ...tiff]);
  return Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)]);
}

/**
 * Two decoders differ by a level here and there: the best boxes are near each other.
 * @param {import('../../web/src/index.js').Box[]} boxes
 * @param {import('../../web/src/index.js').Box[]} others
 */
function assertAlike(boxes, others) {
  for (const box of boxes.slice(0, 3)) {
    const near = others.some(
      (other) =>
        other.label === box.label &&
        Math.abs(other.score - box.score) < 0.05 &&
        Math.abs(other.x - box.x) < 2 &&
        Math.abs(other.y - box.y) < 2,
    );
    assert.ok(near, `nothing is near ${JSON.stringify(box)}`);
  }
}

for (const [engine, { skip }] of Object.entries(engines)) {
  describe(engine, { skip }, () => {
    test('gives the boxes of the Detector', () => {
      const args = ['/tiny.wisp', '/picture.png', '--confidence', '0.2', '--repeat', '2'];
      const { status, stdout, stderr } = run(engine, 'detect', ...args);
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
      assert.deepEqual(boxesIn(stdout), expected);
      const { file, width, height, times } = JSON.parse(stdout);
      assert.ok(file.endsWith('/picture.png'));
      assert.deepEqual([width, height], [picture.width, picture.height]);
      assert.deepEqual(Object.keys(times), ['pixels', 'prep', 'run', 'post', 'total']);
      assert.ok(times.run > 0);
    });
  });
}

describe('the command', () => {
  const detect = (/** @type {string[]} */ ...args) => run('node:wasi', 'detect', ...args);

  test('takes PNM files and options', () => {
    const { stdout } = detect('/tiny.wisp', '/picture.ppm', '--confidence', '0.2', '--max', '3');
    assert.deepEqual(boxesIn(stdout), expected.slice(0, 3));
    const large = detect('/tiny.wisp', '/picture.ppm', '--size', '96x160', '--iou', '0.9');
    assert.equal(large.status, 0);
  });

  test('turns photos as their EXIF says, as the Detector does', async () => {
    const jpeg = await encodeJpeg(makePicture({ width: 96, height: 64 }));
    const detector = await Detector.open(model, { threads: 1 });
    for (let turn = 1; turn <= 8; turn++) {
      const file = path.join(site.folder, `turned-${turn}.jpg`);
      writeFileSync(file, withOrientation(jpeg, turn));
      const seen = await detector.detect(file, { confidence: 0.3 });
      const { stdout } = detect('/tiny.wisp', `/turned-${turn}.jpg`, '--confidence', '0.3');
      const { width, height } = JSON.parse(stdout);
      assert.deepEqual([width, height], turn > 4 ? [64, 96] : [96, 64]);
      assert.deepEqual([seen.width, seen.height], [width, height]);
      assert.ok(seen.boxes.length > 3);
      assertAlike(boxesIn(stdout), seen.boxes);
    }
    await detector.close();
  });

  test('explains itself', () => {
    const { status, stdout } = run('node:wasi', '--help');
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: wisp\.wasm detect MODEL IMAGE/);
    assert.ok(stdout.split('\n').every((line) => line.length <= 100));
  });

  /** @type {[string, string[], number, RegExp][]} */
  const refusals = [
    ['nothing', [], 2, /no verb: .*--help/],
    ['another verb', ['press'], 2, /press: .*detect/],
    ['no picture', ['detect', '/tiny.wisp'], 2, /needs a MODEL and an IMAGE/],
    ['three files', ['detect', '/a', '/b', '/c'], 2, /\/c: one MODEL and one IMAGE/],
    ['an unknown option', ['detect', '/a', '/b', '--conf', '1'], 2, /--conf 1: no such option/],
    ['an option alone', ['detect', '/a', '/b', '--iou'], 2, /--iou: needs a value/],
    ['a wrong size', ['detect', '/a', '/b', '--size', '3x'], 2, /--size 3x/],
    ['a missing model', ['detect', '/no.wisp', '/picture.png'], 1, /\/no\.wisp: No such file/],
    ['a picture as model', ['detect', '/picture.png', '/picture.png'], 1, /no \.wisp file/],
    ['half a model', ['detect', '/half.wisp', '/picture.png'], 1, /half\.wisp: The model ends/],
    ['a missing picture', ['detect', '/tiny.wisp', '/no.png'], 1, /\/no\.png: No such file/],
    ['a model as picture', ['detect', '/tiny.wisp', '/tiny.wisp'], 1, /no PNG, JPEG or binary PNM/],
    ['half a picture', ['detect', '/tiny.wisp', '/half.png'], 1, /half\.png: \w/],
    ['a giant', ['detect', '/tiny.wisp', '/wide.ppm'], 1, /wide\.ppm: \w/],
    ['a confidence of 2', ['detect', '/tiny.wisp', '/picture.png', '--confidence', '2'], 1, /is 2/],
  ];
  for (const [name, args, code, sentence] of refusals) {
    test(`refuses ${name}`, () => {
      const { status, stdout, stderr } = run('node:wasi', ...args);
      assert.match(stderr, sentence);
      assert.match(stderr, /^wisp: .*\n$/);
      assert.deepEqual({ status, stdout }, { status: code, stdout: '' });
    });
  }
});
