// Heads cut to some classes: boxes and scores of those stay to the last bit; unknown names get a sentence.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { onlyClasses } from '../../web/src/graph/class-subset.js';
import { importOnnx } from '../../web/src/import/onnx.js';
import { Press, press } from '../../web/src/press.js';
import { CliFolder } from '../cli/cli-folder.js';
import { makePicture } from '../support/fixtures.js';
import { tinyYolo } from '../support/tiny-yolo.js';

const NAMES = ['person', 'traffic light', 'car', 'cat', '7'];
const graph = importOnnx(tinyYolo({ classes: NAMES.length, names: JSON.stringify(NAMES) }));
const picture = makePicture({ seed: 3 });

/** @type {CliFolder} */
let folder;
before(async () => {
  folder = await CliFolder.open();
});
after(() => folder.close());

/** Every candidate of every class, unsuppressed. @param {(string | number)[]} [classes] */
async function candidates(classes) {
  const opened = await Press.open(graph, { threads: 1, classes });
  const all = { confidence: 0, iou: 1, maxDetections: 30_000, multiLabel: true };
  const { boxes } = await opened.detect(picture, all);
  await opened.close();
  return boxes.map(({ label, ...rest }) => rest);
}

/** @param {{name: string, score: number, x: number, y: number}[]} boxes */
const ordered = (boxes) =>
  boxes
    .map((box) => JSON.stringify(box))
    .sort()
    .join('\n');

test('boxes and scores of the classes that stay are the same to the last bit', async () => {
  const kept = ['car', 'person'];
  const some = await candidates(kept);
  const all = await candidates();
  const wanted = all.filter(({ name }) => kept.includes(name));
  assert.ok(wanted.length > 100 && wanted.length < all.length);
  assert.equal(ordered(some), ordered(wanted));
});

test('classes go by name or number, in the order given', () => {
  const names = (/** @type {(string | number)[]} */ wanted) => onlyClasses(graph, wanted).classes;
  assert.deepEqual(names(['car', 0]), ['car', 'person']);
  assert.deepEqual(names(['1', 'cat']), ['traffic light', 'cat']);
  assert.deepEqual(names(['7']), ['7']);
  assert.equal(graph.classes.length, NAMES.length);
});

test('batch norms behind a head are cut with it', () => {
  const [{ tensor, anchors, stride }] = graph.heads;
  const n = 3 * (5 + NAMES.length);
  const numbers = Float32Array.from({ length: n }, (_, i) => i);
  const after = { name: 'bn', inputs: [tensor], output: 999 };
  const node = { op: /** @type {const} */ ('affine'), scale: numbers, bias: numbers, ...after };
  const heads = [{ tensor: 999, anchors, stride }];
  const cut = onlyClasses({ ...graph, nodes: [...graph.nodes, node], heads }, ['car']);
  const last = cut.nodes.at(-1);
  assert.ok(last?.op === 'affine');
  assert.deepEqual([...last.scale].slice(0, 7), [0, 1, 2, 3, 4, 7, 10]);
});

test('what is no class of the network gets a sentence', async () => {
  /** @type {[any, RegExp][]} */
  const cases = [
    [['persn'], /no class "persn"; near it are person \(numbers 0 to 4\)\.$/],
    [['Car'], /no class "Car"; near it are car, cat /],
    [['light'], /near it are traffic light /],
    [['zebra'], /no class "zebra"; there are person, traffic light, car, cat, 7 \(/],
    [[5], /no class 5; it has the numbers 0 to 4\.$/],
    [['99'], /no class 99;/],
    [[-1], /no class "-1"/],
    [['car', 2], /Class "car" is asked for twice\.$/],
    [[], /empty list/],
    ['car', /classes is a list of names or indices, not the string "car"/],
    [[null], /classes is a list/],
  ];
  for (const [classes, sentence] of cases) {
    await assert.rejects(Press.open(graph, { classes }), (/** @type {any} */ error) => {
      assert.equal(error.code, 'WISP_ERR_ARGUMENT');
      assert.match(error.message, sentence);
      return true;
    });
  }
});

test('a pressed file holds the classes asked for, is smaller, and says so', async () => {
  const options = { pictures: [picture], threads: 1 };
  const whole = await press(graph, options);
  const some = await press(graph, { ...options, classes: ['cat'] });
  assert.ok(some.bytes.length < whole.bytes.length);
  const words = ['press', 'best.onnx', '--calib', 'photos', '-o', 'owl.wisp', '--classes'];
  const { code, stderr } = await folder.wisp([...words, 'owl']);
  assert.equal(code, 0, stderr);
  assert.ok(readFileSync(folder.at('owl.wisp')).length > 0);
  const { stdout } = await folder.wisp(['info', 'owl.wisp', '--json']);
  const { classes, provenance } = JSON.parse(stdout);
  assert.deepEqual(classes, ['owl']);
  assert.deepEqual(provenance.settings.classes, ['owl']);
  const wrong = await folder.wisp([...words, 'owls']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /no class "owls"; near it are owl /);
});
