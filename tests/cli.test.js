// The `wisp` command as its users meet it: processes, files, pipes, exit codes.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Detector } from '../web/src/index.js';
import { VERSION } from '../web/src/version.js';
import { runWisp } from './command.js';
import { encodePng, makePicture } from './fixtures.js';
import { tinyYolo } from './tiny-yolo.js';

const NAMES = "{0: 'fox', 1: 'owl'}";
const PICTURES = 6;

/** best.onnx, photos/0.png …, labels.json, empty/ @type {string} */
let folder;
/** @param {string} name */
const at = (name) => path.join(folder, name);
/** @param {string[]} words @param {Parameters<typeof runWisp>[1]} [options] */
const wisp = (words, options) => runWisp(words, { cwd: folder, ...options });

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wisp-cli-'));
  for (const name of ['photos', 'empty', 'mixed']) mkdirSync(at(name));
  writeFileSync(at('best.onnx'), tinyYolo({ names: NAMES }));
  for (let i = 0; i < PICTURES; i++) {
    writeFileSync(at(`photos/${i}.png`), encodePng(makePicture({ seed: i })));
  }
  writeFileSync(at('mixed/good.png'), encodePng(makePicture()));
  writeFileSync(at('mixed/cut.png'), encodePng(makePicture()).subarray(0, 99));
  writeFileSync(at('mixed/page.jpg'), '<!doctype html>');
  writeFileSync(at('mixed/notes.txt'), 'no picture and not called one');
  writeFileSync(at('labels.json'), JSON.stringify(labels()));
  const pressed = await wisp(['press', 'best.onnx', '--calib', 'photos', '-o', 'made.wisp']);
  assert.equal(pressed.code, 0, pressed.stderr);
});
after(() => rmSync(folder, { recursive: true }));

/** Labels in the COCO format, one box a picture, categories in another order than the classes. */
function labels() {
  const images = Array.from({ length: PICTURES }, (_, i) => ({
    id: 10 + i,
    file_name: `${i}.png`,
  }));
  const annotations = images.map(({ id }, i) => {
    const category = { category_id: i % 2 ? 7 : 3 };
    return { id: id + 1, image_id: id, ...category, bbox: [8, 8, 40, 40], area: 1600, iscrowd: 0 };
  });
  const categories = [
    { id: 3, name: 'owl' },
    { id: 7, name: 'fox' },
  ];
  return { images, annotations, categories };
}

describe('wisp', () => {
  test('knows its version, which is that of package.json', async () => {
    const { stdout, code } = await wisp(['--version']);
    assert.equal(code, 0);
    assert.equal(stdout, `${VERSION}\n`);
    const own = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    assert.equal(VERSION, own.version);
  });

  test('helps, with examples, on stdout', async () => {
    for (const words of [
      ['--help'],
      ['press', '-h'],
      ['detect', '-h'],
      ['val', '-h'],
      ['info', '-h'],
    ]) {
      const { stdout, stderr, code } = await wisp(words);
      assert.equal(code, 0);
      assert.equal(stderr, '');
      assert.match(stdout, /^Usage: wisp [^]*Examples:\n {2}wisp /);
    }
  });

  test('answers wrong arguments with a sentence and exit code 2', async () => {
    /** @type {[string[], RegExp][]} */
    const cases = [
      [['fly'], /^wisp: unknown command 'fly'\n$/],
      [['press', 'best.onnx'], /^wisp: required option '--calib <place>' not specified\n$/],
      [['detect', 'made.wisp', 'a.png', '--iou', '1.5'], /--iou.*1\.5.*from 0 to 1\.\n$/],
      [['detect', 'made.wisp', 'a.png', '--size', 'big'], /--size.*big.*640.*384x640\.\n$/],
      [['detect', 'made.wisp', 'photos/0.png', '--classes', 'cat'], /no class "cat".*fox, owl/],
      [['detect', 'made.wisp', 'photos/0.png', '--size', '50'], /50.*multiple of.*32/],
      [['press', 'best.onnx', '--calib', 'photos', '--bits', '9'], /--bits.*9.*from 2 to 7/],
      [['val', 'best.onnx', '--data', 'photos', '--labels', 'labels.json'], /add --float/],
      [
        ['val', 'made.wisp', '--float', '--data', 'photos', '--labels', 'labels.json'],
        /leave --float out/,
      ],
    ];
    for (const [words, sentence] of cases) {
      const { stdout, stderr, code } = await wisp(words);
      assert.equal(code, 2, `${words.join(' ')}: ${stderr}`);
      assert.equal(stdout, '');
      assert.match(stderr, sentence);
    }
  });
});

describe('wisp press', () => {
  test('writes a file that says where it comes from', async () => {
    const detector = await Detector.open(at('made.wisp'), { threads: 1 });
    const { classes, inputWidth, provenance } = detector.info;
    await detector.close();
    assert.deepEqual(classes, ['fox', 'owl']);
    assert.equal(inputWidth, 64);
    assert.equal(provenance.tool, `wisp ${VERSION}`);
    assert.equal(provenance.source.name, 'best.onnx');
    assert.match(provenance.source.sha256, /^[0-9a-f]{64}$/);
    assert.deepEqual(provenance.calibration, { pictures: PICTURES });
    assert.equal(provenance.settings.bits, 7);
  });

  test('writes beside the ONNX file by default, quietly, the same bytes each time', async () => {
    const { code, stdout, stderr } = await wisp([
      'press',
      'best.onnx',
      '--calib',
      'photos',
      '--threads',
      '1',
    ]);
    assert.equal(code, 0);
    assert.equal(stdout, '');
    assert.match(stderr, /^best\.wisp: \d+ kB, calibrated on 6 pictures\n$/);
    assert.deepEqual(readFileSync(at('best.wisp')), readFileSync(at('made.wisp')));
  });

  test('takes another size, fewer bits, some of the pictures', async () => {
    const options = ['--size', '64x96', '--bits', '5', '--limit', '2', '-o', 'wide.wisp'];
    const { code, stderr } = await wisp(['press', 'best.onnx', '--calib', 'photos', ...options]);
    assert.equal(code, 0, stderr);
    const { stdout } = await wisp(['info', 'wide.wisp', '--json']);
    const { input, provenance } = JSON.parse(stdout);
    assert.deepEqual(input, { width: 96, height: 64 });
    assert.equal(provenance.settings.bits, 5);
    assert.equal(provenance.calibration.pictures, 2);
  });

  test('leaves damaged pictures out with a line for each', async () => {
    const { code, stderr } = await wisp([
      'press',
      'best.onnx',
      '--calib',
      'mixed',
      '-o',
      'mixed.wisp',
    ]);
    assert.equal(code, 0, stderr);
    const lines = stderr.trim().split('\n');
    assert.equal(lines.length, 3, stderr);
    assert.match(lines[0], /^wisp: .*cut\.png: The PNG picture is damaged.* It is left out\.$/);
    assert.match(lines[1], /^wisp: .*page\.jpg: This is a text file.* It is left out\.$/);
    assert.match(lines[2], /calibrated on 1 picture$/);
  });

  test('says which file is the trouble', async () => {
    writeFileSync(at('page.onnx'), '<!doctype html>');
    writeFileSync(at('half.onnx'), readFileSync(at('best.onnx')).subarray(0, 9000));
    /** @type {[string[], RegExp][]} */
    const cases = [
      [
        ['best.onnx', '--calib', 'empty'],
        /^wisp: empty: no JPEG, PNG or WebP pictures in it.*\[WISP_ERR_SOURCE\]\n$/,
      ],
      [['best.onnx', '--calib', 'nowhere'], /^wisp: nowhere: there is no such file or folder/],
      [['best.onnx', '--calib', 'mixed/cut.png'], /no picture that can be read/],
      [['none.onnx', '--calib', 'photos'], /^wisp: none\.onnx: there is no such file/],
      [
        ['page.onnx', '--calib', 'photos'],
        /^wisp: page\.onnx: .*a web page.*\[WISP_ERR_FORMAT\]\n$/,
      ],
      [
        ['half.onnx', '--calib', 'photos'],
        /^wisp: half\.onnx: .*ends early.*\[WISP_ERR_TRUNCATED\]\n$/,
      ],
      [
        ['best.onnx', '--calib', 'photos', '-o', 'none/x.wisp'],
        /^wisp: none\/x\.wisp can't be written: ENOENT/,
      ],
      [
        ['best.onnx', '--calib', 'photos', '-o', 'photos'],
        /^wisp: photos can't be written: EISDIR/,
      ],
    ];
    for (const [words, sentence] of cases) {
      const { stdout, stderr, code } = await wisp(['press', ...words]);
      assert.equal(code, 1, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, sentence);
    }
  });

  test('leaves nothing behind when it is interrupted', async () => {
    const earlier = readFileSync(at('made.wisp'));
    for (const wait of [50, 300, 700]) {
      const { signal, code } = await wisp(
        ['press', 'best.onnx', '--calib', 'photos', '-o', 'made.wisp'],
        {
          onStart: (child) => setTimeout(() => child.kill('SIGINT'), wait),
        },
      );
      assert.ok(signal === 'SIGINT' || code === 130 || code === 0, `${signal} ${code}`);
      assert.deepEqual(readFileSync(at('made.wisp')), earlier);
    }
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });
});

describe('wisp detect', () => {
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
    assert.deepEqual(results[0].boxes, boxes);
    assert.deepEqual([results[0].width, results[0].height], [96, 72]);
    assert.deepEqual(Object.keys(results[0].times), ['pixels', 'prep', 'run', 'post', 'total']);
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

  test('is silent when its reader has seen enough', async () => {
    const files = Array.from({ length: 40 }, (_, i) => `photos/${i % PICTURES}.png`);
    const { stderr, code } = await wisp(['detect', 'made.wisp', ...files, '--confidence', '0'], {
      onStart: (child) => child.stdout?.once('data', () => child.stdout?.destroy()),
    });
    assert.equal(stderr, '');
    assert.equal(code, 0);
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
    assert.equal(lines[0], `pictures 6, labels 6, boxes ${results.length}`);
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
    assert.match(stdout, /^pictures 3, labels 3, boxes \d+\n/);
    const best = (/** @type {string} */ name) =>
      JSON.parse(readFileSync(at(name), 'utf8')).filter(
        (/** @type {any} */ one) => one.image_id === 10,
      )[0];
    await wisp(['val', 'made.wisp', ...places, '--json', 'boxes.json']);
    const [float, integer] = [best('float.json'), best('boxes.json')];
    assert.equal(float.category_id, integer.category_id);
    assert.ok(Math.abs(float.score - integer.score) < 0.1, `${float.score} ${integer.score}`);
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
    assert.match(page.stdout, /\n +0 {2}conv \+ silu +3×3 \/ 1 +12 → 8 +216 of 216 +\d+\n/);
    const { classes, layers, format } = JSON.parse(
      (await wisp(['info', 'made.wisp', '--json'])).stdout,
    );
    assert.deepEqual(classes, ['fox', 'owl']);
    assert.equal(format, 'wisp');
    assert.ok(layers.length > 10 && layers[0].kernelHeight === 3);
  });

  test('shows an ONNX file', async () => {
    const { stdout } = await wisp(['info', 'best.onnx']);
    assert.match(stdout, /\(ONNX, opset 12\)/);
    assert.match(stdout, /conv +6×6 \/ 2 +3 → 8 +\d+/);
    const { heads } = JSON.parse((await wisp(['info', 'best.onnx', '--json'])).stdout);
    assert.deepEqual(heads[0].anchors[0], [10, 13]);
    assert.equal((await wisp(['info', 'photos/0.png'])).code, 1);
  });
});
