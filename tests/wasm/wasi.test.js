// The WASI command, in Node and in WasmEdge: the boxes of the Detector, as JSON; errors and exit codes.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { root, wasmEdge } from '../../tools/places.mjs';
import { Detector } from '../../web/src/index.js';
import { encodePpm } from '../support/netpbm.js';
import { fileNamed, names, onItsSide } from '../support/picture-files.js';
import { model, openSite, picture, png } from '../support/site.js';
import { tinySegmenter } from '../support/tiny-segment.js';

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
  save('lossy.webp', fileNamed('webp-lossy.webp'));
  save('photo.avif', fileNamed('avif-420.avif'));
  save('photo.heic', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic'));
  save('cut.jpg', fileNamed('jpeg-420.jpg').subarray(0, 1300));
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

/** By name. @returns {Map<string, Uint8Array>} */
function readable() {
  const kinds = names.filter((name) => /^(jpeg|png|gif|bmp)/.test(name));
  const files = new Map(kinds.map((name) => [name, fileNamed(name)]));
  for (const name of ['jpeg-444.jpg', 'png-rgba.png'])
    for (let turn = 1; turn <= 8; turn++)
      files.set(`${turn}-${name}`, onItsSide(fileNamed(name), turn));
  return files.set('noend.jpg', fileNamed('jpeg-420.jpg').subarray(0, -2));
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

for (const engine of ['node:wasi', 'this machine, scalar kernels, sanitizers'])
  test(`${engine}: the boxes of the Detector in files of every kind that it reads`, {
    skip: engines[engine].skip,
  }, async () => {
    const detector = await Detector.open(model, { threads: 1 });
    for (const [name, file] of readable()) {
      writeFileSync(path.join(site.folder, name), file);
      const seen = await detector.detect(file, { confidence: 0.1, background: '#204060' });
      const more = ['--confidence', '0.1', '--background', '#204060'];
      const { status, stdout, stderr } = run(engine, 'detect', '/tiny.wisp', `/${name}`, ...more);
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, name);
      const { width, height } = JSON.parse(stdout);
      assert.deepEqual([width, height], [seen.width, seen.height], name);
      assert.ok(seen.boxes.length > 50, name);
      assert.deepEqual(boxesIn(stdout), seen.boxes, name);
    }
    await detector.close();
  });

describe('the command', () => {
  const detect = (/** @type {string[]} */ ...args) => run('node:wasi', 'detect', ...args);

  test('takes PNM files and options', () => {
    const { stdout } = detect('/tiny.wisp', '/picture.ppm', '--confidence', '0.2', '--max', '3');
    assert.deepEqual(boxesIn(stdout), expected.slice(0, 3));
    const large = detect('/tiny.wisp', '/picture.ppm', '--size', '96x160', '--iou', '0.9');
    assert.equal(large.status, 0);
  });

  test('takes tiles, as the Detector does', async () => {
    const detector = await Detector.open(model, { threads: 1 });
    const tiles = { columns: 3, rows: 2 };
    const { boxes } = await detector.detect(picture, { confidence: 0.2, tiles });
    await detector.close();
    assert.notDeepEqual(boxes, expected);
    const { stdout } = detect(
      ...['/tiny.wisp', '/picture.ppm', '--confidence', '0.2', '--tiles', '3x2'],
    );
    assert.deepEqual(boxesIn(stdout), boxes);
  });

  test('gives masks as run lengths, as the Detector does, with tiles too', async () => {
    const segmenter = await tinySegmenter();
    writeFileSync(path.join(site.folder, 'segment.wisp'), segmenter);
    const detector = await Detector.open(segmenter, { threads: 1 });
    const options = { confidence: 0.3, masks: /** @type {const} */ ('rle') };
    const tiles = { columns: 2, rows: 1 };
    const found = [options, { ...options, tiles }].map((one) => detector.detect(picture, one));
    const [plain, tiled] = await Promise.all(found);
    await detector.close();
    assert.ok(plain.boxes.some(({ mask }) => mask && 'counts' in mask && mask.counts.length > 2));
    const words = ['/segment.wisp', '/picture.ppm', '--confidence', '0.3', '--masks'];
    assert.deepEqual(boxesIn(detect(...words).stdout), plain.boxes);
    assert.deepEqual(boxesIn(detect(...words, '--tiles', '2x1').stdout), tiled.boxes);
    const { status, stderr } = detect('/tiny.wisp', '/picture.ppm', '--masks');
    assert.equal(status, 1);
    assert.match(stderr, /the model finds boxes only/);
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
    ['wrong tiles', ['detect', '/a', '/b', '--tiles', '3'], 2, /--tiles 3/],
    ['a missing model', ['detect', '/no.wisp', '/picture.png'], 1, /\/no\.wisp: No such file/],
    ['a picture as model', ['detect', '/picture.png', '/picture.png'], 1, /no \.wisp file/],
    ['half a model', ['detect', '/half.wisp', '/picture.png'], 1, /half\.wisp: The model ends/],
    ['a missing picture', ['detect', '/tiny.wisp', '/no.png'], 1, /\/no\.png: No such file/],
    [
      'a model as picture',
      ['detect', '/tiny.wisp', '/tiny.wisp'],
      1,
      /is no JPEG, PNG, GIF, BMP or binary PNM/,
    ],
    ['half a picture', ['detect', '/tiny.wisp', '/half.png'], 1, /half\.png: \w/],
    [
      'a giant',
      ['detect', '/tiny.wisp', '/wide.ppm'],
      1,
      /its 40000 x 1 pixels are too many.* 32768/,
    ],
    [
      'more than --max-pixels',
      ['detect', '/tiny.wisp', '/picture.png', '--max-pixels', '6911'],
      1,
      /picture\.png: its 96 x 72 pixels are too many: --max-pixels is 6911/,
    ],
    ['WebP', ['detect', '/tiny.wisp', '/lossy.webp'], 1, /lossy\.webp: it is WebP.* convert it to/],
    ['AVIF', ['detect', '/tiny.wisp', '/photo.avif'], 1, /photo\.avif: it is AVIF, which/],
    ['HEIC', ['detect', '/tiny.wisp', '/photo.heic'], 1, /photo\.heic: it is HEIC, which/],
    [
      'a cut JPEG',
      ['detect', '/tiny.wisp', '/cut.jpg'],
      1,
      /breaks off: \d+ % of its rows are missing/,
    ],
    ['a colour', ['detect', '/a', '/b', '--background', 'white'], 2, /--background white/],
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
