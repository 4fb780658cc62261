// What the `wisp` command does with a model: detect, val and info, in files and pipes.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import bwip from 'bwip-js/node';
import { shortBox, single } from '../../cli/singles.js';
import embedded from '../../web/src/codes.js';
import { Detector } from '../../web/src/index.js';
import { CliFolder, labels, PICTURES } from './cli-folder.js';

/** @type {CliFolder} */
let folder;
before(async () => {
  folder = await CliFolder.open();
});
after(() => folder.close());
const at = (/** @type {string} */ name) => folder.at(name);
/** @type {CliFolder['wisp']} */
const wisp = (words, options) => folder.wisp(words, options);

describe('wisp detect', () => {
  test('prints with --read what codes say', async () => {
    const code = { bcid: 'qrcode', text: 'read by the command', scale: 6, padding: 20 };
    writeFileSync(at('code.png'), await bwip.toBuffer({ ...code, backgroundcolor: 'ffffff' }));
    const { stdout, stderr } = await wisp(['detect', 'code.png', '--read']);
    const { file, codes } = JSON.parse(stdout || assert.fail(stderr));
    assert.equal(file, 'code.png');
    assert.equal(codes.length, 1);
    assert.deepEqual([codes[0].text, codes[0].readable], [code.text, true]);
    const wrong = await wisp(['detect', 'code.png', '--read', '--masks']);
    assert.match(wrong.stderr, /leave out --read or --masks/);
  });

  test('prints a line of JSON for each picture and nothing else', async () => {
    const files = ['photos/0.png', 'photos/1.png'];
    const { stdout, stderr, code } = await wisp([
      'detect',
      'made.wisp',
      ...files,
      '--confidence',
      '0.01',
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    const results = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      results.map(({ file }) => file),
      files,
    );
    const detector = await Detector.open(at('made.wisp'));
    const { boxes } = await detector.detect(at('photos/0.png'), { confidence: 0.01 });
    await detector.close();
    assert.ok(boxes.length > 0);
    assert.deepEqual(results[0].boxes, boxes.map(shortBox));
    assert.deepEqual([results[0].width, results[0].height], [96, 72]);
    assert.deepEqual(Object.keys(results[0].times), ['pixels', 'prep', 'run', 'post', 'total']);
  });

  test('prints as few digits as bring a 32-bit float back', () => {
    // what NumPy prints of its float32
    const shortest = [
      0, 0.1, 0.9253565, 671.307, 1.1754944e-38, 16777216, -3.4028235e38, 0.33333334,
    ];
    assert.deepEqual(
      shortest.map((value) => single(Math.fround(value))),
      shortest,
    );
    const values = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 10 ** (i % 9));
    for (const value of values) assert.equal(Math.fround(single(value)), value);
  });

  test('takes folders and patterns, which no shell has unfolded', async () => {
    const { stdout, code, stderr } = await wisp(['detect', 'made.wisp', 'photos/[01]*.png']);
    assert.equal(code, 0, stderr);
    const files = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).file);
    assert.deepEqual(files, ['photos/0.png', 'photos/1.png']);
    const none = await wisp(['detect', 'made.wisp', 'photos/*.gif']);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /photos\/\*\.gif: no picture is called so/);
  });

  test('obeys its options', async () => {
    const boxesWith = async (/** @type {string[]} */ ...options) => {
      const low = ['detect', 'made.wisp', 'photos/0.png', '--confidence', '0.001'];
      const { stdout, stderr } = await wisp([...low, ...options]);
      return stdout ? JSON.parse(stdout).boxes : assert.fail(stderr);
    };
    const all = await boxesWith();
    assert.equal((await boxesWith('--max-detections', '2')).length, 2);
    const owls = await boxesWith('--classes', 'owl');
    assert.ok(owls.length > 0 && owls.every((/** @type {any} */ { name }) => name === 'owl'));
    assert.deepEqual(await boxesWith('--classes', '1'), owls);
    assert.ok((await boxesWith('--multi-label')).length >= all.length);
    assert.notDeepEqual(await boxesWith('--size', '96'), all);
    const detector = await Detector.open(at('made.wisp'));
    const tiled = { confidence: 0.001, tiles: { columns: 2, rows: 1 } };
    const { boxes } = await detector.detect(at('photos/0.png'), tiled);
    await detector.close();
    assert.deepEqual(await boxesWith('--tiles', '2x1'), boxes.map(shortBox));
    assert.notDeepEqual(boxes.map(shortBox), all);
    assert.deepEqual(await boxesWith('--tiles', 'auto'), all, 'it is no large picture');
  });

  test('takes the pictures of a folder', async () => {
    const { stdout } = await wisp(['detect', 'made.wisp', 'photos', 'photos/1.png']);
    const files = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).file);
    assert.ok(files.includes('photos/0.png') && files.at(-1) === 'photos/1.png');
    assert.ok(files.length > 2);
  });

  test('reads a picture from standard input', async () => {
    const { stdout } = await wisp(['detect', 'made.wisp', '-'], {
      input: readFileSync(at('photos/3.png')),
    });
    assert.equal(JSON.parse(stdout).width, 96);
  });

  test('goes on after a picture that cannot be read, and then fails', async () => {
    const { stdout, stderr, code } = await wisp([
      'detect',
      'made.wisp',
      'mixed/cut.png',
      'none.png',
      'photos/0.png',
    ]);
    assert.equal(code, 1);
    assert.equal(stdout.trim().split('\n').length, 1);
    assert.match(stderr, /^wisp: .*cut\.png.*\nwisp: .*none\.png: there is no such file.*\n$/);
  });

  test('says what is wrong with a model', async () => {
    writeFileSync(at('half.wisp'), readFileSync(at('made.wisp')).subarray(0, 3000));
    for (const [name, sentence] of /** @type {[string, RegExp][]} */ ([
      ['half.wisp', /half\.wisp ends after 3000 of \d+ bytes.*\[WISP_ERR_TRUNCATED\]/],
      ['best.onnx', /best\.onnx.*\[WISP_ERR_FORMAT\]/],
      ['none.wisp', /none\.wisp: there is no such file/],
    ])) {
      const { stderr, code } = await wisp(['detect', name, 'photos/0.png']);
      assert.equal(code, 1);
      assert.match(stderr, sentence);
    }
  });

  test('takes the first file for a model only if it is called like one', async () => {
    const alone = await wisp(['detect', 'made.wisp']);
    assert.equal(alone.code, 2);
    assert.match(alone.stderr, /Name a picture after made\.wisp/);
    const { stdout, stderr, code } = await wisp(['detect', 'photos/0.png', 'photos/1.png']);
    if (existsSync(embedded)) {
      assert.equal(code, 0, stderr);
      assert.equal(stdout.trim().split('\n').length, 2);
    } else {
      assert.equal(code, 2);
      assert.match(
        stderr,
        /No model is named, and the one that comes with wisp is not at .*\.wisp/,
      );
    }
  });

  const SAMPLE = fileURLToPath(new URL('../../web/demo/samples/trip.webp', import.meta.url));
  const skip = existsSync(embedded) ? false : 'no model comes with wisp yet';
  test('finds the codes of a picture without being given a model', { skip }, async () => {
    const { stdout, stderr, code } = await wisp(['detect', SAMPLE]);
    assert.equal(code, 0, stderr);
    const names = JSON.parse(stdout).boxes.map((/** @type {{name: string}} */ { name }) => name);
    for (const name of ['pdf417', 'qr_code']) assert.ok(names.includes(name), stdout);
  });

  test('is silent when its reader has seen enough', async () => {
    const files = Array.from({ length: 40 }, (_, i) => `photos/${i % PICTURES}.png`);
    const { stderr, code } = await wisp(['detect', 'made.wisp', ...files, '--confidence', '0'], {
      onStart: (child) => child.stdout?.once('data', () => child.stdout?.destroy()),
    });
    assert.equal(stderr, '');
    assert.equal(code, 0);
  });
});

describe('wisp press', () => {
  test('writes what it pressed as ONNX, which pressed again has the same zeros', async () => {
    const words = ['--calib', 'photos', '--sparsity', '0.4'];
    const runs = [
      ['best.onnx', ...words, '-o', 'pruned.wisp'],
      ['best.onnx', ...words, '-o', 'pruned.onnx'],
      ['pruned.onnx', '--calib', 'photos', '-o', 'again.wisp'],
      ['best.onnx', '--calib', 'photos', '--sweep', 'bits=6..7', '-o', 'swept.onnx'],
    ];
    for (const run of runs) {
      const { stderr, code } = await wisp(['press', ...run]);
      assert.equal(code, 0, stderr);
    }
    const [pruned, again] = await Promise.all(
      ['pruned.wisp', 'again.wisp'].map(async (file) => {
        const { layers } = JSON.parse((await wisp(['info', file, '--json'])).stdout);
        return layers
          .filter((/** @type {any} */ { blocks }) => blocks > 0)
          .map((/** @type {any} */ { blocksPresent }) => blocksPresent);
      }),
    );
    assert.deepEqual(again, pruned);
    assert.equal((await wisp(['press', 'swept-bits6.onnx', '--calib', 'photos'])).code, 0);
    const fewer = ['--channels', '0.1', '-o', 'fewer.onnx'];
    const { stderr, code } = await wisp(['press', 'best.onnx', '--calib', 'photos', ...fewer]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^wisp: fewer\.onnx can't be written: --channels makes/);
  });

  test('warns of few pictures to prune by, where they are what it prunes by', async () => {
    for (const [settings, warning] of /** @type {[string[], RegExp][]} */ ([
      [['--sparsity', '0.3'], /^warning: 6 pictures are few to prune by; 32 or more/],
      [['--sparsity', '0.3', '--method', 'l1'], /^few\.wisp: /],
      [[], /^few\.wisp: /],
    ])) {
      const words = ['press', 'best.onnx', '--calib', 'photos', ...settings, '-o', 'few.wisp'];
      const { stderr, code } = await wisp(words);
      assert.equal(code, 0, stderr);
      assert.match(stderr, warning);
    }
  });
});

describe('wisp val', () => {
  const places = ['--data', 'photos', '--labels', 'labels.json'];

  test("prints P, R and COCO's twelve lines, and writes the boxes", async () => {
    const { stdout, stderr, code } = await wisp([
      'val',
      'made.wisp',
      ...places,
      '--json',
      'boxes.json',
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    const lines = stdout.trimEnd().split('\n');
    const results = JSON.parse(readFileSync(at('boxes.json'), 'utf8'));
    assert.equal(lines[0], `pictures 6, labels 6, boxes ${results.length}, input square`);
    assert.match(lines[1], /^P \d\.\d{4}, R \d\.\d{4} at IoU 0\.5 and confidence/);
    assert.equal(lines.length, 14);
    assert.match(
      lines[2],
      /^ Average Precision {2}\(AP\) @\[ IoU=0\.50:0\.95 \| area= {3}all \| maxDets=100 \] = /,
    );
    assert.ok(results.length > 0);
    for (const { image_id: image, category_id: category, bbox, score } of results) {
      assert.ok(image >= 10 && image < 10 + PICTURES && (category === 3 || category === 7));
      assert.ok(bbox.length === 4 && score > 0.001 && score <= 1);
    }
  });

  test('measures both shapes of the input, and says which is which', async () => {
    const { stdout, stderr, code } = await wisp(['val', 'made.wisp', ...places, '--shape', 'both']);
    assert.equal(code, 0, stderr);
    const shapes = [...stdout.matchAll(/^pictures 6, .*, input (\w+)$/gm)].map(
      ([, shape]) => shape,
    );
    assert.deepEqual(shapes, ['square', 'rect']);
    const tiled = await wisp(['val', 'made.wisp', ...places, '--tiles', '3x2']);
    assert.match(tiled.stdout, /^pictures 6, .*, input square, tiles 3x2$/m);
    const twice = await wisp([
      'val',
      'made.wisp',
      ...places,
      '--shape',
      'both',
      '--json',
      'a.json',
    ]);
    assert.equal(twice.code, 2, twice.stderr);
  });

  test('judges the float network, whose boxes lie near those of the integers', async () => {
    const words = [
      'val',
      'best.onnx',
      '--float',
      ...places,
      '--limit',
      '3',
      '--json',
      'float.json',
    ];
    const { stdout, stderr, code } = await wisp(words);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^pictures 3, labels 3, boxes \d+, input square\n/);
    const best = (/** @type {string} */ name) =>
      JSON.parse(readFileSync(at(name), 'utf8')).filter(
        (/** @type {any} */ one) => one.image_id === 10,
      )[0];
    await wisp(['val', 'made.wisp', ...places, '--json', 'boxes.json']);
    const [float, integer] = [best('float.json'), best('boxes.json')];
    assert.equal(float.category_id, integer.category_id);
    assert.ok(Math.abs(float.score - integer.score) < 0.1, `${float.score} ${integer.score}`);
  });

  test('judges a checkpoint in float too, and knows files by their bytes', async () => {
    const words = ['val', 'checkpoint.pt', ...places, '--limit', '1'];
    const { stderr, code } = await wisp(words);
    assert.equal(code, 2);
    assert.match(stderr, /checkpoint\.pt is no \.wisp file: press it first, or add --float/);
    const float = await wisp([...words, '--float']);
    assert.equal(float.code, 0, float.stderr);
    assert.match(float.stdout, /^pictures 1, labels 1, boxes \d+, input square\n/);
  });

  test('says what is missing', async () => {
    writeFileSync(at('broken.json'), '{');
    writeFileSync(at('other.json'), '{"images": []}');
    writeFileSync(
      at('strange.json'),
      JSON.stringify({ ...labels(), categories: [{ id: 1, name: 'car' }] }),
    );
    for (const [more, sentence] of /** @type {[string[], RegExp][]} */ ([
      [['--data', 'photos', '--labels', 'broken.json'], /broken\.json is not JSON/],
      [
        ['--data', 'photos', '--labels', 'other.json'],
        /other\.json has no images, annotations and categories/,
      ],
      [['--data', 'photos', '--labels', 'none.json'], /none\.json: there is no such file/],
      [['--data', 'empty', '--labels', 'labels.json'], /empty has none of the 6 pictures/],
      [
        ['--data', 'photos', '--labels', 'strange.json'],
        /No class of the model \(fox, owl…\).*\(car…\)/,
      ],
    ])) {
      const { stderr, code } = await wisp(['val', 'made.wisp', ...more]);
      assert.ok(code === 1 || code === 2);
      assert.match(stderr, sentence);
    }
  });
});

describe('wisp info', () => {
  test('shows a .wisp file as a page and as JSON', async () => {
    const page = await wisp(['info', 'made.wisp']);
    assert.match(
      page.stdout,
      /^file {7}made\.wisp \(wisp\)\ninput {6}64 × 64, or other multiples of 32\nclasses {4}2: fox, owl\n/,
    );
    const first =
      /\n +0 {2}conv \+ silu +3×3 \/ 1 +12 → 8 +216 of 216 +0 % +\d+ +\d\.\d\d +\d+\.\d %\n/;
    assert.match(page.stdout, first);
    const { classes, layers, format } = JSON.parse(
      (await wisp(['info', 'made.wisp', '--json'])).stdout,
    );
    assert.deepEqual(classes, ['fox', 'owl']);
    assert.equal(format, 'wisp');
    assert.ok(layers.length > 10 && layers[0].kernelHeight === 3);
    for (const { bytes, weights, bitsPerWeight, sparsity, blocks, blocksPresent } of layers) {
      assert.equal(bitsPerWeight, weights ? (8 * bytes) / weights : 0);
      assert.equal(sparsity, blocks ? 1 - blocksPresent / blocks : 0);
    }
    const sum = layers.reduce(
      (/** @type {number} */ all, /** @type {any} */ one) => all + one.share,
      0,
    );
    assert.ok(Math.abs(sum - 1) < 1e-9);
    const again = async () => (await wisp(['info', 'made.wisp', '--no-times'])).stdout;
    assert.equal(await again(), await again());
    const byAddress = await wisp(['info', pathToFileURL(at('made.wisp')).href]);
    assert.match(byAddress.stdout, first);
  });

  test('shows an ONNX file', async () => {
    const { stdout } = await wisp(['info', 'best.onnx']);
    assert.match(stdout, /\(ONNX, opset 12\)/);
    assert.match(stdout, /conv +6×6 \/ 2 +3 → 8 +\d+/);
    const { heads } = JSON.parse((await wisp(['info', 'best.onnx', '--json'])).stdout);
    assert.deepEqual(heads[0].anchors[0], [10, 13]);
    assert.equal((await wisp(['info', 'photos/0.png'])).code, 1);
  });

  test('shows a PyTorch checkpoint, and what was understood of it', async () => {
    const { stdout } = await wisp(['info', 'checkpoint.pt']);
    assert.match(stdout, /\(PyTorch checkpoint\)\ninput {6}64 × 64/);
    assert.match(
      stdout,
      /\nfamily {5}YOLOv5 v6\.2 or later \(models\.yolo\.DetectionModel, tiny\.yaml\)\n/,
    );
    assert.match(
      stdout,
      /\nhead {7}3 scales, strides 8, 16, 32, 3 anchors each\nweights {4}float16\n/,
    );
    const { facts } = JSON.parse((await wisp(['info', 'checkpoint.pt', '--json'])).stdout);
    assert.deepEqual(facts[3], ['size', 'as it was trained']);
  });
});
