// What people do wrong with files, by command and in JavaScript: each has its code and a sentence that names the file.

import assert from 'node:assert/strict';
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { Detector } from '../../web/src/index.js';
import { Press, press } from '../../web/src/press.js';
import { encodePng, makePicture } from '../support/fixtures.js';
import { OnnxBuilder } from '../support/onnx-builder.js';
import { CliFolder } from './cli-folder.js';

/** @type {CliFolder} */
let folder;
const LONG = `${'x'.repeat(300)}.png`;
const at = (/** @type {string} */ name) => folder.at(name);

before(async () => {
  folder = await CliFolder.open();
  symlinkSync('loop', at('loop'));
  for (const name of ['zero.wisp', 'zero.onnx', 'zero.png', 'zero.json']) folder.write(name, '');
  const b = new OnnxBuilder();
  b.inputs = [{ name: 'images', type: 1, dims: [1, 3, 64, 64] }];
  b.outputs = [b.node('Gemm', ['images', b.reals([1], [1])])];
  folder.write('Gemm.onnx', b.finish());
});

after(() => folder.close());

const PRESS = ['press', 'best.onnx', '--calib', 'photos'];
const VAL = ['val', 'made.wisp', '--data', 'photos', '--labels'];

/** Of the command: words, code, sentence. @type {[string[], string, RegExp][]} */
const COMMANDS = [
  [['info', 'empty'], 'FETCH', /empty: it is a folder/],
  [['info', 'loop'], 'FETCH', /loop: its links lead in a circle/],
  [['info', 'made.wisp/x'], 'FETCH', /made\.wisp\/x: what stands before its name is no folder/],
  [['info', 'none.onnx'], 'FETCH', /none\.onnx: there is no such file/],
  [['info', 'zero.wisp'], 'TRUNCATED', /zero\.wisp ends after 0 bytes/],
  [['detect', 'none.wisp', 'photos/0.png'], 'FETCH', /none\.wisp: there is no such file/],
  [['detect', 'best.onnx', 'photos/0.png'], 'FORMAT', /best\.onnx is no \.wisp file but an ONNX/],
  [['detect', 'made.wisp', 'empty'], 'SOURCE', /empty: there are no pictures in it/],
  [['detect', 'made.wisp', 'loop'], 'FETCH', /loop: its links lead in a circle/],
  [['detect', 'made.wisp', LONG], 'FETCH', /x{99}.*: its name is too long/],
  [['detect', 'made.wisp', 'zero.png'], 'SOURCE', /zero\.png: .*empty/],
  [['detect', 'made.wisp', 'labels.json'], 'SOURCE', /labels\.json: .*JSON/],
  [['press', 'empty', '--calib', 'photos'], 'FETCH', /empty: it is a folder/],
  [['press', 'zero.onnx', '--calib', 'photos'], 'FORMAT', /zero\.onnx: This is an empty file/],
  [
    ['press', 'Gemm.onnx', '--calib', 'photos'],
    'UNSUPPORTED',
    /Gemm\.onnx: No output comes from a convolution/,
  ],
  [['press', 'best.onnx', '--calib', 'loop'], 'FETCH', /loop: its links lead in a circle/],
  [['press', 'best.onnx', '--calib', 'empty'], 'SOURCE', /empty: no .*pictures in it/],
  [[...PRESS, '-o', 'empty'], 'FETCH', /empty can't be written: it is a folder/],
  [
    [...PRESS, '-o', 'made.wisp/x.wisp'],
    'FETCH',
    /made\.wisp\/x\.wisp can't be written: .* no fol/,
  ],
  [[...PRESS, '-o', `${LONG}.wisp`], 'FETCH', /x{99}.* can't be written: its name is too long/],
  [[...PRESS, '--data', 'loop'], 'FETCH', /loop: its links lead in a circle/],
  [[...VAL, 'loop'], 'FETCH', /loop: its links lead in a circle/],
  [[...VAL, 'zero.json'], 'FORMAT', /zero\.json is not JSON/],
  [[...VAL, 'labels.json', '--json', 'empty'], 'FETCH', /empty can't be written: it is a folder/],
  [['serve', 'empty', '--port', '0'], 'FETCH', /empty: it is a folder/],
  [
    ['serve', 'made.wisp', '--port', '0', '--allow-files', 'none'],
    'FETCH',
    /none: there is no such file or folder/,
  ],
  [
    ['serve', 'made.wisp', '--port', '0', '--allow-files', 'best.onnx'],
    'ARGUMENT',
    /best\.onnx is a file, and a folder is wanted/,
  ],
  [['bench', '-m', 'none.onnx'], 'FETCH', /none\.onnx: there is no such file/],
  [['bench', '--image', 'empty'], 'FETCH', /empty: it is a folder/],
  [
    ['copy', 'labels.json'],
    'FETCH',
    /labels\.json.* can't be written: what stands before its name is no folder/,
  ],
];

/** One sentence a line, each with its code, none in the words of the system. @param {string} stderr */
function requireSentences(stderr) {
  for (const line of stderr.trim().split('\n'))
    assert.match(line, /^wisp: (?!E[A-Z]+:).*\S\. \[WISP_ERR_[A-Z]+\]$/);
}

test('the command says what is wrong with a file', async () => {
  for (const [words, code, sentence] of COMMANDS) {
    const outcome = await folder.wisp(words);
    assert.equal(outcome.code, code === 'ARGUMENT' ? 2 : 1, `${words}: ${outcome.stderr}`);
    assert.match(outcome.stderr, sentence);
    assert.match(outcome.stderr, new RegExp(`\\[WISP_ERR_${code}\\]\\n$`));
    requireSentences(outcome.stderr);
  }
});

test('the command says that a port is taken, a disk full, a file forbidden', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const taken = await folder.wisp(['serve', 'made.wisp', '--port', `${port}`]);
  assert.match(
    taken.stderr,
    /127\.0\.0\.1, port \d+: another program listens there \(EADDRINUSE\)/,
  );
  requireSentences(taken.stderr);
  if (existsSync('/dev/full')) {
    const full = await folder.wisp([...VAL, 'labels.json', '--json', '/dev/full']);
    assert.match(full.stderr, /\/dev\/full can't be written: the disk is full \(ENOSPC\)/);
  }
});

test('JavaScript says what is wrong with a file', async () => {
  const model = { open: () => Detector.open(at('made.wisp'), { threads: 1 }) };
  const detector = await model.open();
  const opened = await Press.open(at('best.onnx'), { threads: 1 });
  const png = encodePng(makePicture());
  /** @type {[() => Promise<unknown>, string, RegExp][]} */
  const faults = [
    [() => Detector.open(at('empty')), 'FETCH', /empty: it is a folder \(EISDIR\)\.$/],
    [() => Detector.open(at('loop')), 'FETCH', /loop: its links lead in a circle/],
    [() => Detector.open(at('zero.wisp')), 'TRUNCATED', /zero\.wisp ends after 0 bytes/],
    [() => Detector.open(at('best.onnx')), 'FORMAT', /best\.onnx is no \.wisp file but an ONNX/],
    [() => Press.open(at('empty')), 'FETCH', /empty: it is a folder/],
    [() => Press.open(at('made.wisp')), 'FORMAT', /made\.wisp: This is a \.wisp file/],
    [() => detector.detect(at('empty')), 'FETCH', /empty: it is a folder/],
    [() => detector.detect(at(LONG)), 'FETCH', /x{99}.*: its name is too long/],
    [() => detector.detect(at('zero.png')), 'SOURCE', /zero\.png/],
    [() => detector.detect([png, at('zero.png')]), 'SOURCE', /zero\.png/],
    [() => detector.detect([png, png.subarray(0, 99)]), 'SOURCE', /Picture 2 of 2/],
    [() => detector.detect(png, { maxPixels: 9 }), 'SOURCE', /96 × 72/],
    [
      () => detector.detect([png, at('photos/0.png')], { maxPixels: 9 }),
      'SOURCE',
      /Picture 1 of 2/,
    ],
    [() => opened.observe(at('empty')), 'FETCH', /empty: it is a folder/],
    [() => opened.detect(at('zero.png')), 'SOURCE', /zero\.png/],
  ];
  try {
    for (const [act, code, message] of faults)
      await assert.rejects(act, { name: 'WispError', code: `WISP_ERR_${code}`, message });
    assert.ok((await detector.detect(png)).width > 0);
  } finally {
    await Promise.all([detector.close(), opened.close()]);
  }
});

test('the commands and press() forgive the same faults of pictures', async (t) => {
  const bad = ['loop.png', 'mixed/cut.png', 'none.png', 'zero.png'];
  symlinkSync('loop.png', at('loop.png'));
  t.after(() => rmSync(at('loop.png')));
  const pictures = [...bad, 'photos/0.png'];
  const { skipped, pictures: seen } = await press(at('best.onnx'), {
    pictures: pictures.map(at),
    threads: 1,
  });
  assert.equal(seen, 1);
  assert.deepEqual(
    skipped.map(({ index }) => pictures[index]),
    bad,
  );
  const named = (/** @type {string} */ stderr) =>
    bad.filter((name) => stderr.includes(`${name}: `));
  const found = await folder.wisp(['detect', 'made.wisp', ...pictures]);
  assert.equal(found.code, 1);
  assert.equal(found.stdout.trim().split('\n').length, 1);
  assert.deepEqual(named(found.stderr), bad);
  const calib = pictures
    .filter((name) => !/none|loop/.test(name))
    .flatMap((name) => ['--calib', name]);
  const pressed = await folder.wisp(['press', 'best.onnx', ...calib, '-o', 'out.wisp']);
  assert.match(pressed.stderr, /out\.wisp: .* calibrated on 1 picture\n$/);
  assert.deepEqual(named(pressed.stderr), ['mixed/cut.png', 'zero.png']);
  const images = pictures.map((file_name, id) => ({ id, file_name }));
  const categories = [{ id: 0, name: 'fox' }];
  folder.write('bad.json', JSON.stringify({ images, annotations: [], categories }));
  const judged = await folder.wisp(['val', 'made.wisp', '--data', '.', '--labels', 'bad.json']);
  assert.match(judged.stdout, /^pictures 1, labels 0,/, judged.stderr);
});
