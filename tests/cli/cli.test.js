// The `wisp` command and its press as their users meet them: processes, files, exit codes.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Detector } from '../../web/src/index.js';
import { VERSION } from '../../web/src/version.js';
import { CliFolder, PICTURES } from './cli-folder.js';

/** @type {CliFolder} */
let folder;
before(async () => {
  folder = await CliFolder.open();
});
after(() => folder.close());
const at = (/** @type {string} */ name) => folder.at(name);
/** @type {CliFolder['wisp']} */
const wisp = (words, options) => folder.wisp(words, options);

describe('wisp', () => {
  test('knows its version, which is that of package.json and of wisp.h', async () => {
    const { stdout, code } = await wisp(['--version']);
    assert.equal(code, 0);
    assert.equal(stdout, `${VERSION}\n`);
    /** @param {string} name */
    const text = (name) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
    assert.equal(VERSION, JSON.parse(text('package.json')).version);
    assert.equal(VERSION, /^#define WISP_VERSION "(.*)"$/m.exec(text('core/wisp.h'))?.[1]);
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
      [['fly'], /^wisp: There is no command fly\. "--help" shows how\.\n$/],
      [['press', 'best.onnx'], /^wisp: Add --calib <place>: it is needed\./],
      [['press'], /^wisp: Name a model: it is missing\./],
      [['detect'], /^wisp: Name a file: it is missing\./],
      [['info', 'a', 'b'], /^wisp: 1 place is named, not 2\./],
      [['detect', 'made.wisp', '--iou'], /^wisp: Something must follow --iou <share>\./],
      [['detect', '--conf', '1'], /^wisp: There is no option --conf\./],
      [['detect', 'made.wisp', 'a.png', '--iou', '1.5'], /--iou.*1\.5.*from 0 to 1\.\n$/],
      [['detect', 'made.wisp', 'a.png', '--size', 'big'], /--size.*big.*640.*384x640\.\n$/],
      [['detect', 'made.wisp', 'photos/0.png', '--classes', 'cat'], /no class "cat".*fox, owl/],
      [['detect', 'made.wisp', 'photos/0.png', '--size', '50'], /50.*multiple of.*32/],
      [['press', 'best.onnx', '--calib', 'photos', '--bits', '9'], /--bits.*9.*from 2 to 7/],
      [
        ['press', 'best.onnx', '--calib', 'photos', '--target-loss', '1', '--sparsity', '0.3'],
        /--target-loss finds how many zeros that allows: leave --sparsity out\./,
      ],
      [
        ['press', 'trained.onnx', '--sparsity', '0.5'],
        /stay without --calib: leave --sparsity out/,
      ],
      [['press', '--random', 'yolov5n', '-o', 'r.onnx'], /--random makes \.wisp files only/],
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

  test('takes a PyTorch checkpoint, and gives its weights back as ONNX', async () => {
    const words = ['press', 'checkpoint.pt', '--calib', 'photos'];
    const { code, stderr } = await wisp(words);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^checkpoint\.wisp: \d+ kB, calibrated on 6 pictures\n$/);
    const { stdout } = await wisp(['info', 'checkpoint.wisp', '--json']);
    const { classes, provenance } = JSON.parse(stdout);
    assert.deepEqual(classes, ['fox', 'owl']);
    assert.equal(provenance.source.format, 'PyTorch checkpoint');
    const floats = await wisp([...words, '-o', 'checkpoint.onnx']);
    assert.equal(floats.code, 0, floats.stderr);
    assert.match((await wisp(['info', 'checkpoint.onnx'])).stdout, /\(ONNX, opset \d+\)/);
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
    assert.match(
      lines[0],
      /^wisp: .*cut\.png: It breaks off: some of its pixels are missing\..* It is left out\.$/,
    );
    assert.match(lines[1], /^wisp: .*page\.jpg: It is a web page, no picture.* It is left out\.$/);
    assert.match(lines[2], /calibrated on 1 picture$/);
  });

  test('says which file is the trouble', async () => {
    writeFileSync(at('page.onnx'), '<!doctype html>');
    writeFileSync(at('half.onnx'), readFileSync(at('best.onnx')).subarray(0, 9000));
    /** @type {[string[], RegExp][]} */
    const cases = [
      [
        ['best.onnx', '--calib', 'empty'],
        /^wisp: empty: no pictures in it.*\[WISP_ERR_SOURCE\]\n$/,
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
        /^wisp: none\/x\.wisp can't be written: there is no such folder \(ENOENT\)\./,
      ],
      [
        ['best.onnx', '--calib', 'photos', '-o', 'photos'],
        /^wisp: photos can't be written: it is a folder \(EISDIR\)\./,
      ],
    ];
    for (const [words, sentence] of cases) {
      const { stdout, stderr, code } = await wisp(['press', ...words]);
      assert.equal(code, 1, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, sentence);
    }
  });

  test('writes over no model that it reads', async () => {
    const whole = readFileSync(at('best.onnx'));
    const words = [
      'press',
      'best.onnx',
      '--calib',
      'photos',
      '--method',
      'l1',
      '-o',
      './best.onnx',
    ];
    const { stderr, code } = await wisp(words);
    assert.equal(code, 2);
    assert.match(stderr, /^wisp: \.\/best\.onnx is the model itself, which would be lost/);
    assert.deepEqual(readFileSync(at('best.onnx')), whole);
  });

  test('leaves nothing behind when it is interrupted', async () => {
    const earlier = readFileSync(at('made.wisp'));
    for (const kill of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
      for (const wait of [50, 300, 500]) {
        const { signal, code } = await wisp(
          ['press', 'best.onnx', '--calib', 'photos', '-o', 'made.wisp'],
          { onStart: (child) => setTimeout(() => child.kill(kill), wait) },
        );
        const ended = [130, 143, 0].includes(code ?? -1);
        assert.ok(signal === kill || ended, `${signal} ${code}`);
        assert.deepEqual(readFileSync(at('made.wisp')), earlier);
      }
    }
    assert.deepEqual(
      readdirSync(folder.path).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });
});
