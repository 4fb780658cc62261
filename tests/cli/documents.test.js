// The command lines in the documents, run as they stand there, in a folder that has what they name.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { root } from '../../tools/places.mjs';
import { encodePng, makeModel, makePicture } from '../support/fixtures.js';
import { tinyPt } from '../support/tiny-pt.js';
import { tinyYolo } from '../support/tiny-yolo.js';
import { runWisp } from './command.js';

const DOCUMENTS = ['README.md', 'docs/START.md', 'docs/PRESSING.md', 'docs/COMMAND.md'];
const CLASSES = ['person', 'car'];
const SIDE = 96; // pixels
/** They go on until somebody ends them, or need the network: only their options are looked at. */
const ENDLESS = ['serve', 'bench', 'pull', 'annotate'];

/** Every line of the blocks that a shell would run, without what it says behind #. @type {string[]} */
const lines = DOCUMENTS.flatMap((name) => {
  const text = readFileSync(path.join(root, name), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)];
  return blocks.flatMap(([, block]) =>
    block.split('\n').map((line) => line.replace(/\s+#.*/, '').trim()),
  );
});
const commands = [...new Set(lines.filter((line) => line.startsWith('npx wisp ')))];

const folder = mkdtempSync(path.join(tmpdir(), 'wisp-documents-'));
before(() => {
  const at = (/** @type {string} */ name) => path.join(folder, name);
  for (const name of ['photos', 'images', 'labels']) mkdirSync(at(name));
  const picture = (/** @type {number} */ seed) =>
    encodePng(makePicture({ seed, width: SIDE, height: SIDE }));
  for (const name of ['ticket.jpg', 'street.jpg', 'scan.png']) writeFileSync(at(name), picture(1));
  for (let i = 0; i < 3; i++) {
    writeFileSync(at(`photos/${i}.jpg`), picture(i));
    writeFileSync(at(`images/${i}.jpg`), picture(i));
    writeFileSync(at(`labels/${i}.txt`), '0 0.5 0.5 0.4 0.4\n');
  }
  writeFileSync(
    at('best.pt'),
    tinyPt({ classes: 2, names: CLASSES }, (model) => ({ model, opt: { imgsz: 64 } })),
  );
  writeFileSync(at('best.onnx'), tinyYolo({ names: "{0: 'person', 1: 'car'}" }));
  writeFileSync(at('best.wisp'), makeModel({ classes: CLASSES, height: 128, width: 128 }));
  writeFileSync(at('data.yaml'), `path: .\nval: images\nnames: ${JSON.stringify(CLASSES)}\n`);
  const categories = CLASSES.map((name, id) => ({ id, name }));
  const images = [0, 1, 2].map((id) => ({ id, file_name: `${id}.jpg`, width: SIDE, height: SIDE }));
  const bbox = [20, 20, 40, 40];
  const annotations = images.map(({ id }) => ({
    id: id + 1,
    image_id: id,
    category_id: 0,
    bbox,
    area: 1600,
    iscrowd: 0,
  }));
  writeFileSync(at('instances.json'), JSON.stringify({ categories, images, annotations }));
});
after(() => rmSync(folder, { recursive: true }));

test('there are command lines to run', () => {
  const verbs = new Set(commands.map((line) => line.split(' ')[2]));
  for (const verb of [
    'press',
    'detect',
    'val',
    'info',
    'serve',
    'copy',
    'bench',
    'pull',
    'annotate',
  ])
    assert.ok(verbs.has(verb), verb);
});

for (const line of commands) {
  const [verb, ...words] = line.split(' ').slice(2);
  test(line, async () => {
    const cwd = mkdtempSync(path.join(folder, 'run-')); // what one makes, no other finds
    for (const name of [
      'best.pt',
      'best.onnx',
      'photos',
      'images',
      'labels',
      'ticket.jpg',
      'street.jpg',
      'scan.png',
    ])
      cpSync(path.join(folder, name), path.join(cwd, name), { recursive: true });
    for (const name of ['data.yaml', 'instances.json', ...(verb === 'press' ? [] : ['best.wisp'])])
      cpSync(path.join(folder, name), path.join(cwd, name));
    if (ENDLESS.includes(verb)) {
      const { stdout } = await runWisp([verb, '--help']);
      for (const option of words.filter((word) => word.startsWith('-')))
        assert.match(stdout, new RegExp(`(^|[ ,])${option}\\b`, 'm'), `${verb} has no ${option}`);
      return;
    }
    const { code, stdout, stderr } = await runWisp([verb, ...words], { cwd });
    assert.equal(code, 0, stderr);
    const key = words.includes('--read') ? 'codes' : 'boxes';
    if (verb === 'detect') assert.ok(Array.isArray(JSON.parse(stdout.split('\n')[0])[key]));
  });
}

test('the options that stand beside those of YOLOv5 are there', async () => {
  const text = readFileSync(path.join(root, 'docs/COMMAND.md'), 'utf8');
  const [, table = ''] = /^## From YOLOv5's scripts\n(.*?)^## /ms.exec(text) ?? [];
  const cells = table.split('\n').flatMap((line) => line.split('|')[2] ?? []);
  const options = new Set(cells.join(' ').match(/--[a-z][a-z-]+/g));
  const help = await Promise.all(
    ['detect', 'annotate', 'val'].map((verb) => runWisp([verb, '--help'])),
  );
  const known = help.map(({ stdout }) => stdout).join('');
  assert.ok(options.size > 6);
  for (const option of options) assert.match(known, new RegExp(`${option}\\b`), option);
});

test('the other lines are npm scripts that exist, and files that they make', () => {
  const { scripts, version, peerDependencies } = JSON.parse(
    readFileSync(path.join(root, 'package.json'), 'utf8'),
  );
  for (const line of lines.filter((one) => one.startsWith('npm '))) {
    const [, word, name] = line.split(' ');
    if (word === 'run') assert.ok(scripts[name], line);
    else if (name?.endsWith('.tgz'))
      assert.ok(name.endsWith(`release/wisp-yolo-${version}.tgz`), line);
    else if (word === 'install') assert.ok(peerDependencies[name], line);
    else if (word !== 'create') assert.ok(scripts[word], line);
  }
});
