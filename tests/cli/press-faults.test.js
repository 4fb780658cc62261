// What can go wrong while `wisp press` works: each has its sentence, and no half file stays behind.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { importOnnx } from '../../web/src/import/onnx.js';
import { Press } from '../../web/src/press.js';
import { makePicture } from '../support/fixtures.js';
import { tinyYolo, tinyYoloBuilder } from '../support/tiny-yolo.js';
import { CliFolder } from './cli-folder.js';

/** @type {CliFolder} */
let folder;
before(async () => {
  folder = await CliFolder.open();
});
after(() => folder.close());

/**
 * Presses `model` to out.wisp, which must fail.
 * @param {string} model
 * @param {RegExp} sentence
 * @param {{blocks?: number, output?: string}} [options]
 */
async function fails(model, sentence, { blocks, output = 'out.wisp' } = {}) {
  const before = readdirSync(folder.path);
  const words = ['press', model, '--calib', 'photos', '-o', output];
  const { code, stdout, stderr } = await folder.wisp(words, { blocks });
  assert.equal(code, 1, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, sentence);
  assert.equal(stderr.trim().split('\n').length, 1, stderr);
  assert.deepEqual(readdirSync(folder.path), before);
}

test('a network that is no YOLOv5', async () => {
  const other = tinyYoloBuilder({ raw: true });
  other.outputs = other.outputs.map((x) => other.node('Exp', [x]));
  folder.write('other.onnx', other.finish());
  await fails('other.onnx', /^wisp: other\.onnx: .*no boxes.*export\.py.*UNSUPPORTED\]\n$/);
  const classifier = tinyYoloBuilder({ raw: true });
  classifier.outputs = [classifier.node('Softmax', classifier.outputs.slice(0, 1))];
  folder.write('classifier.onnx', classifier.finish());
  await fails('classifier.onnx', /^wisp: classifier\.onnx: The outputs are no boxes/);
});

test('weights that are no numbers', async () => {
  for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
    const model = tinyYoloBuilder();
    [...model.initializers.values()][0].values[7] = value;
    folder.write('nan.onnx', model.finish());
    await fails('nan.onnx', /^wisp: nan\.onnx: Node "Conv_\d+" \(Conv\) has (NaN|-Infinity) as/);
  }
});

test('weights whose outputs overflow', async () => {
  const graph = importOnnx(tinyYolo({ activation: 'relu' }));
  for (const node of graph.nodes) if (node.op === 'conv') node.weight = node.weight.map(() => 1e30);
  const opened = await Press.open(graph, { threads: 1 });
  await assert.rejects(opened.observe(makePicture()), /Head \d overflows.*check the weights/);
  await opened.close();
});

test('a disk that is full: the file is as it was before', async () => {
  await fails('best.onnx', /^wisp: out\.wisp can't be written: .*\(EFBIG\)\..*\n$/, { blocks: 2 });
  const earlier = readFileSync(folder.at('made.wisp'));
  await fails('best.onnx', /made\.wisp can't be written/, { blocks: 2, output: 'made.wisp' });
  assert.deepEqual(readFileSync(folder.at('made.wisp')), earlier);
});

test('a device is written to, not replaced', {
  skip: existsSync('/dev/full') ? false : 'no /dev/full here',
}, async () => {
  await fails('best.onnx', /^wisp: \/dev\/full can't be written: the disk is full \(ENOSPC\)/, {
    output: '/dev/full',
  });
  assert.ok(statSync('/dev/full').isCharacterDevice());
});
