// The training recipe from labelled pictures to boxes: trains, prunes, quantises, exports, presses, and wisp finds
// what PyTorch finds. Skipped without the Python that `node tools/setup.mjs train` makes.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { trainingPython } from '../../tools/setup/training.mjs';
import { writeOnnx } from '../../web/src/export/onnx-graph.js';
import { randomGraph } from '../../web/src/graph/random-graph.js';
import { runWisp } from '../cli/command.js';

const run = promisify(execFile);
const models = fileURLToPath(new URL('../../models/', import.meta.url));
const python = trainingPython() ?? '';
const skip = python ? false : 'no Python to train with: node tools/setup.mjs train makes one';
/** The whole loop learns 40 pictures by heart in some minutes; without it, what it does is shown in one. */
const whole = process.env.WISP_TRAIN === 'whole';

/** @type {string} */
let folder;
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'wisp-train-'));
});
after(() => rmSync(folder, { recursive: true }));
const inFolder = (/** @type {string[]} */ ...names) => path.join(folder, ...names);

/** @param {string[]} parameters @returns {Promise<string>} standard output */
async function train(...parameters) {
  const env = { ...process.env, OMP_NUM_THREADS: '1', OMP_WAIT_POLICY: 'passive' };
  const { stdout } = await run(python, ['-m', 'train', ...parameters], { cwd: models, env });
  return stdout;
}

/**
 * Pictures, a run by a recipe, its last checkpoint as ONNX, and that pressed without any calibration picture.
 * @param {string} name of the recipe
 * @param {{count: number, size: number}} pictures
 */
async function wholeWay(name, { count, size }) {
  const at = inFolder(`${name}-pictures`);
  await train('draw', at, '--count', `${count}`, '--size', `${size}`, '--seed', '3');
  const data = path.join(at, 'data.yaml');
  const recipe = path.join(models, 'train', 'recipes', `${name}.yaml`);
  await train('train', '--recipe', recipe, '--data', data, '--output', inFolder(name));
  const checkpoint = inFolder(name, 'last.pt');
  await train('export', checkpoint, '-o', inFolder(`${name}.onnx`));
  const model = inFolder(`${name}.wisp`);
  const pressed = await runWisp(['press', inFolder(`${name}.onnx`), '-o', model]);
  assert.equal(pressed.code, 0, pressed.stderr);
  assert.match(pressed.stderr, /as trained/);
  const names = readdirSync(path.join(at, 'images')).sort();
  return { at, checkpoint, model, files: names.map((file) => path.join(at, 'images', file)) };
}

/** @param {string} lines of JSON @returns {{boxes: any[]}[]} */
const parsed = (lines) =>
  lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** @param {any} a @param {any} b */
function overlap(a, b) {
  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const shared = Math.max(0, across) * Math.max(0, down);
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/**
 * The share of the boxes of either that the other has too, with nearly the same place and score: wisp computes SiLU in
 * 16 bits, so some bytes differ by one, which moves small boxes by a pixel.
 * @param {{boxes: any[]}[]} ours
 * @param {{boxes: any[]}[]} theirs
 */
function agreement(ours, theirs) {
  let same = 0;
  let all = 0;
  for (const [i, { boxes }] of ours.entries()) {
    const others = theirs[i].boxes;
    all += Math.max(boxes.length, others.length);
    same += boxes.filter((a) =>
      others.some(
        (b) => a.label === b.label && overlap(a, b) > 0.75 && Math.abs(a.score - b.score) < 0.05,
      ),
    ).length;
  }
  return { share: same / all, all };
}

/** @param {{checkpoint: string, model: string, files: string[]}} made @param {number} confidence */
async function compared({ checkpoint, model, files }, confidence) {
  const limit = ['--confidence', `${confidence}`];
  const theirs = parsed(await train('detect', checkpoint, ...files, ...limit));
  const ours = await runWisp(['detect', model, ...files, ...limit]);
  assert.equal(ours.code, 0, ours.stderr);
  return agreement(parsed(ours.stdout), theirs);
}

test('a glance: what was trained in integers is what wisp computes', { skip }, async () => {
  const made = await wholeWay('glance', { count: 8, size: 96 });
  const rows = readFileSync(inFolder('glance', 'curve.csv'), 'utf8').trim().split('\n').slice(1);
  const sparsities = rows.map((row) => Number(row.split(',')[8]));
  assert.ok(Math.max(...sparsities) > 0.49, `half of the blocks are zero, not ${sparsities}`);
  const { share, all } = await compared(made, 0.02);
  assert.ok(all > 0 && share > 0.9, `${share} of ${all} boxes are the same`);
  const [shy, model] = [inFolder('shy.onnx'), inFolder('shy.wisp')];
  await train('export', made.checkpoint, '-o', shy, '--objectness=-20');
  assert.equal((await runWisp(['press', shy, '-o', model])).code, 0);
  const found = await runWisp(['detect', model, ...made.files, '--confidence', '0.02']);
  assert.equal(parsed(found.stdout).flatMap(({ boxes }) => boxes).length, 0);
});

test('a checkpoint goes on at another size', { skip }, async () => {
  const [recipe, small, large] = ['recipe.yaml', 'small', 'large'].map((name) => inFolder(name));
  const data = inFolder('few', 'data.yaml');
  await train('draw', inFolder('few'), '--count', '8', '--size', '96');
  const network = 'network: { width: 0.125, size: 96 }';
  writeFileSync(
    recipe,
    `batch: 4\n${network}\ndata: { kind: folder }\nphases: [{ name: only, steps: 2 }]\n`,
  );
  const rest = ['--recipe', recipe, '--data', data];
  await train('train', ...rest, '--output', small);
  const last = path.join(small, 'last.pt');
  await train('transfer', last, ...rest, '--output', large, '--size', '128');
  await train('export', path.join(large, 'last.pt'), '-o', inFolder('large.onnx'));
  const model = inFolder('large.wisp');
  const calib = path.join(path.dirname(data), 'images');
  const pressed = await runWisp(['press', inFolder('large.onnx'), '--calib', calib, '-o', model]);
  assert.equal(pressed.code, 0, pressed.stderr);
  const { input } = JSON.parse((await runWisp(['info', model, '--json'])).stdout);
  assert.equal(input.width, 128);
  const odd = train('transfer', last, ...rest, '--output', large, '--size', '100');
  await assert.rejects(odd, /error: .*size 100 is not a multiple of 32/);
});

/** The blocks that are present, layer by layer. @param {string} model @returns {Promise<number[]>} */
async function present(model) {
  const { layers } = JSON.parse((await runWisp(['info', model, '--json'])).stdout);
  return layers
    .filter((/** @type {any} */ { blocks }) => blocks > 0)
    .map((/** @type {any} */ { blocksPresent }) => blocksPresent);
}

test('what a press pruned learns from what it was, and stays pruned', { skip }, async () => {
  const [teacher, begin] = [inFolder('teacher.onnx'), inFolder('half.onnx')];
  writeFileSync(teacher, writeOnnx(randomGraph('yolov5n', { size: 96 })));
  await train('draw', inFolder('photos'), '--count', '36', '--size', '96');
  const photos = inFolder('photos', 'images');
  const press = async (/** @type {string[]} */ ...words) => {
    const { code, stderr } = await runWisp(['press', ...words, '--calib', photos]);
    assert.equal(code, 0, stderr);
  };
  await press(teacher, '--sparsity', '0.5', '-o', begin);
  await press(begin, '-o', inFolder('begin.wisp'));
  const recipe = inFolder('brief.yaml');
  writeFileSync(
    recipe,
    'batch: 4\ndecay: 0\nphases: [{ name: mended, steps: 3, sparsity: 0.9 }]\n',
  );
  const places = ['--images', photos, '--output', inFolder('mended')];
  await train('distil', '--teacher', teacher, '--begin', begin, '--recipe', recipe, ...places);
  await train('export', inFolder('mended', 'last.pt'), '-o', inFolder('mended.onnx'));
  await press(inFolder('mended.onnx'), '-o', inFolder('mended.wisp'));
  const [before, after] = await Promise.all(
    ['begin.wisp', 'mended.wisp'].map((f) => present(inFolder(f))),
  );
  assert.deepEqual(after, before);
  const same = readFileSync(inFolder('mended.wisp')).equals(readFileSync(inFolder('begin.wisp')));
  assert.equal(same, false);
});

test('photographs are fetched, mined and drawn upon', { skip }, async () => {
  const at = fileURLToPath(new URL('.', import.meta.url));
  const tests = ['-m', 'unittest', 'discover', '--start-directory', at];
  await run(python, tests, { env: { ...process.env, OMP_NUM_THREADS: '1' } });
});

test('mistakes in a recipe or a folder are sentences', { skip }, async () => {
  const refused = train('train', '--data', inFolder('nowhere.yaml'), '--output', inFolder('none'));
  await assert.rejects(refused, /error: .*nowhere\.yaml/);
  const [named, unknown] = [inFolder('named.yaml'), inFolder('unknown.yaml')];
  writeFileSync(named, 'phases: [{ name: on, steps: 1 }]\n'); // YAML reads a truth value
  writeFileSync(unknown, 'data: { more: { barcode: 2 } }\nphases: [{ name: a, steps: 1 }]\n');
  const begun = (/** @type {string} */ recipe) =>
    train('train', '--recipe', recipe, '--output', inFolder('none'));
  await assert.rejects(begun(named), /error: .*no text for a name/);
  await assert.rejects(begun(unknown), /error: .*there is no 'barcode'; drawn are qr_code,/);
  const bare = inFolder('bare.yaml');
  writeFileSync(bare, 'data: { negatives: 0.3 }\nphases: [{ name: a, steps: 1 }]\n');
  await assert.rejects(begun(bare), /error: .*backgrounds and negatives need photos/);
  const broken = train('export', inFolder('nothing.pt'));
  await assert.rejects(broken, /error: .*nothing\.pt does not exist/);
});

test('40 pictures are learnt by heart, through every phase', {
  skip: skip || (whole ? false : 'some minutes; npm run test:train'),
  timeout: 3_600_000,
}, async () => {
  const made = await wholeWay('tiny', { count: 40, size: 160 });
  const labels = path.join(made.at, 'instances.json');
  const images = path.join(made.at, 'images');
  const judged = await runWisp(['val', made.model, '--data', images, '--labels', labels]);
  const ap50 = Number(/IoU=0.50 +\| area= +all .* = ([\d.]+)/.exec(judged.stdout)?.[1]);
  assert.ok(ap50 >= 0.9, judged.stdout + judged.stderr);
  const { share, all } = await compared(made, 0.25);
  assert.ok(all >= 40 && share > 0.95, `${share} of ${all} boxes are the same`);
});
