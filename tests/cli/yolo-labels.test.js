// Labels as YOLO has them: judged as the same labels of COCO are, found where YOLOv5 looks, and refused by their line.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readDataYaml } from '../../cli/labels/data-yaml.js';
import { readLabels } from '../../cli/labels/labels.js';
import { makePicture } from '../support/fixtures.js';
import { dataPath, without } from '../support/test-data.js';
import { CliFolder, labels as cocoLabels, PICTURES } from './cli-folder.js';
import { workFolder } from './judging.js';

/** @type {CliFolder} */
let folder;
/** Of the pictures. */
const { width: W, height: H } = makePicture();
/** The classes of the model: COCO's categories there are 7 and 3. */
const CLASS_OF = { 7: 0, 3: 1 };

/** @param {string} name @param {string} content */
function put(name, content) {
  mkdirSync(path.dirname(folder.at(name)), { recursive: true });
  folder.write(name, content);
}

/** yolo/images/val/0.png … and yolo/labels/val/0.txt …, which say what labels.json says. */
function fill() {
  mkdirSync(folder.at('yolo/images/val'), { recursive: true });
  const { annotations } = cocoLabels();
  for (let i = 0; i < PICTURES; i++)
    copyFileSync(folder.at(`photos/${i}.png`), folder.at(`yolo/images/val/${i}.png`));
  for (const [i, { category_id, bbox }] of annotations.entries()) {
    const [x, y, w, h] = bbox;
    const shares = [(x + w / 2) / W, (y + h / 2) / H, w / W, h / H];
    put(
      `yolo/labels/val/${i}.txt`,
      `${CLASS_OF[/** @type {3 | 7} */ (category_id)]} ${shares.join(' ')}\n`,
    );
  }
  put(
    'yolo/data.yaml',
    'path: .\ntrain: images/train\nval: images/val\nnc: 2\nnames: [fox, owl]\n',
  );
}

before(async () => {
  folder = await CliFolder.open();
  fill();
});

after(() => folder.close());

/** @param {...string} places */
async function judged(...places) {
  const { stdout, stderr, code } = await folder.wisp(['val', 'made.wisp', ...places]);
  assert.equal(code, 0, stderr);
  return { stdout, stderr };
}

describe('wisp val', () => {
  test("says of YOLO's labels what it says of COCO's, however they are named", async () => {
    const { stdout } = await judged('--data', 'photos', '--labels', 'labels.json');
    for (const places of [
      ['--data', 'yolo/images/val', '--labels', 'yolo/labels/val'],
      ['--data', 'yolo/images', '--labels', 'yolo/labels/'],
      ['--labels', 'yolo/labels/val'],
      ['--data', 'yolo/images/val'],
      ['--data', 'yolo/data.yaml'],
    ]) {
      const { stdout: same, stderr } = await judged(...places);
      assert.equal(same, stdout, places.join(' '));
      assert.equal(stderr, '');
    }
  });

  test('goes by the names of a data.yaml, and says so where their order is another', async () => {
    const { stdout } = await judged('--data', 'yolo/data.yaml');
    put('turned/data.yaml', 'path: ../yolo\nval: images/val\nnames:\n  1: owl\n  0: fox\n');
    assert.equal((await judged('--data', 'turned/data.yaml')).stdout, stdout);
    put('turned/data.yaml', 'path: ../yolo\nval: images/val\nnames: [owl, fox]\n');
    const turned = await judged('--data', 'turned/data.yaml');
    assert.notEqual(turned.stdout, stdout);
    assert.match(
      turned.stderr,
      /^wisp: class 0 is owl in turned\/data\.yaml and fox in the model: they go together by name\.\n$/,
    );
  });

  test('takes a picture without a file of labels for background', async (t) => {
    t.after(() => rmSync(folder.at('yolo/images/val/more.png')));
    copyFileSync(folder.at('photos/0.png'), folder.at('yolo/images/val/more.png'));
    const { stdout } = await judged('--data', 'yolo/data.yaml');
    assert.match(stdout, /^pictures 7, labels 6,/);
    const { stdout: two } = await judged('--data', 'yolo/data.yaml', '--limit', '2');
    assert.match(two, /^pictures 2, labels 2,/);
  });

  test('refuses what it is not given', async () => {
    put('bare/images/0.txt', '');
    for (const [places, sentence] of /** @type {[string[], RegExp][]} */ ([
      [[], /Name labelled pictures: --data images\/ --labels …, or --data data\.yaml/],
      [['--data', 'photos'], /--data photos needs --labels/],
      [['--labels', 'labels.json'], /--labels labels\.json needs --data/],
      [['--labels', 'photos'], /--labels photos needs --data/],
      [['--data', 'made.wisp'], /--data made\.wisp is no folder of pictures/],
      [['--data', 'none.yaml'], /none\.yaml: there is no such file/],
      [['--data', 'yolo/data.yaml', '--labels', 'labels.json'], /leave --labels out/],
      [['--data', 'yolo/data.yaml', '--split', 'train'], /its train is not there: .*images\/train/],
      [['--data', 'yolo/data.yaml', '--split', 'test'], /has no test: .* it has train and val/],
      [['--data', 'photos', '--labels', 'yolo'], /None of the 6 pictures .*yolo\/0\.txt/],
      [['--data', 'bare/images'], /bare\/images.* there are no pictures in it|needs --labels/],
    ])) {
      const { stderr, code } = await folder.wisp(['val', 'made.wisp', ...places]);
      assert.ok(code === 1 || code === 2, `${places}: ${code}`);
      assert.match(stderr, sentence);
    }
  });

  test("refuses a class that the model doesn't have", async () => {
    put('high/images/0.png', '');
    put('high/labels/0.txt', '\n1 0.5 0.5 0.1 0.1\n2 0.5 0.5 0.1 0.1\n');
    copyFileSync(folder.at('photos/0.png'), folder.at('high/images/0.png'));
    const { stderr, code } = await folder.wisp(['val', 'made.wisp', '--data', 'high/images']);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /high\/labels\/0\.txt, line 3: there is no class 2; the model has 0 to 1 \(owl\)/,
    );
  });
});

describe('wisp press', () => {
  test("judges by YOLO's labels as by COCO's", async () => {
    const scores = [];
    for (const places of [
      ['--data', 'photos', '--labels', 'labels.json'],
      ['--data', 'yolo/images/val', '--labels', 'yolo/labels/val', '--split', 'val'],
      ['--data', 'yolo/data.yaml'],
    ]) {
      const words = ['press', 'best.onnx', '--calib', 'photos', '-o', 'judged.wisp'];
      const { stderr, code } = await folder.wisp([...words, ...places]);
      assert.equal(code, 0, stderr);
      scores.push(/; AP .*$/m.exec(stderr)?.[0]);
    }
    assert.match(`${scores[0]}`, /AP \d+\.\d\d, float \d+\.\d\d/);
    assert.deepEqual(scores.slice(1), [scores[0], scores[0]]);
  });

  test('refuses labels before it looks at pictures', async () => {
    const words = ['press', 'best.onnx', '--calib', 'mixed', '--data', 'none.yaml'];
    const { stderr, code } = await folder.wisp(words);
    assert.equal(code, 1);
    assert.match(stderr, /^wisp: none\.yaml: there is no such file[^\n]*\n$/);
  });
});

describe('a file of labels', () => {
  /** @param {import('node:test').TestContext} t @param {string} text */
  async function read(t, text) {
    const set = workFolder(t);
    for (const name of ['images', 'labels']) mkdirSync(path.join(set, name));
    writeFileSync(path.join(set, 'images/a.jpg'), '');
    writeFileSync(path.join(set, 'labels/a.txt'), text);
    const found = await readLabels({ data: path.join(set, 'images') });
    return found?.truth.annotations.map(({ category_id, bbox }) => [category_id, ...bbox]);
  }

  test('has boxes, outlines as the boxes around them, and lines that count once', async (t) => {
    const text =
      '\uFEFF1 0.5 0.5 0.5 0.25\r\n\r\n0 0.25 0.5 0.75 0.25 0.5 1\r\n1 .5 5e-1 0.50 0.25';
    assert.deepEqual(await read(t, text), [
      [1, 0.25, 0.375, 0.5, 0.25],
      [0, 0.25, 0.25, 0.5, 0.75],
    ]);
    assert.deepEqual(await read(t, ''), []);
  });

  test('is refused by its line and what stands there', async (t) => {
    for (const [text, why] of /** @type {[string, RegExp][]} */ ([
      ['0 0.5 0.5 0.1 0.1\n0 0.5 0.5 0.1', /a\.txt, line 2: it has 4 numbers/],
      ['0 0.5 0.5 0.1 0.1 0.9', /line 1: it has 6 numbers/],
      ['cat 0.5 0.5 0.1 0.1', /line 1: "cat" is no number/],
      ['0 0.5 nan 0.1 0.1', /line 1: "nan" is no number/],
      ['0,0.5,0.5,0.1,0.1', /line 1: "0,0\.5,0\.5,0\.1,0\.1" is no number/],
      ['1.5 0.5 0.5 0.1 0.1', /line 1: the class is 1\.5/],
      ['-1 0.5 0.5 0.1 0.1', /line 1: the class is -1/],
      ['0 320 240 100 50', /line 1: 320 is not from 0 to 1/],
      ['0 0.5 0.5 -0.1 0.1', /line 1: -0\.1 is not from 0 to 1/],
      ['\n0 0.1 0.1 0.5 0.5 1.9 1.9', /line 2: 1\.\d+ is not from 0 to 1/],
    ]))
      await assert.rejects(read(t, text), { code: 'WISP_ERR_FORMAT', message: why });
  });
});

describe('a data.yaml', () => {
  /** @param {import('node:test').TestContext} t @param {string} text */
  function written(t, text) {
    const set = workFolder(t);
    for (const name of ['a', 'b']) {
      mkdirSync(path.join(set, `data/images/${name}`), { recursive: true });
      writeFileSync(path.join(set, `data/images/${name}/1.jpg`), '');
    }
    writeFileSync(path.join(set, 'data/list.txt'), './images/b/1.jpg\r\nimages/a/1.jpg\n\n');
    writeFileSync(path.join(set, 'data/set.yaml'), text);
    return path.join(set, 'data/set.yaml');
  }

  test('names folders, lists of folders, lists of pictures', async (t) => {
    const names = 'names: [x]';
    for (const [text, expected] of /** @type {[string, string[]][]} */ ([
      [`val: images/a\n${names}`, ['a']],
      [`path: ./images\nval: [a, b, a]\n${names}`, ['a', 'b']],
      [`val: list.txt\n${names}`, ['a', 'b']],
      [`# Roboflow's\nval: ../images/b\n${names}`, ['b']],
    ])) {
      const file = written(t, text);
      const { pictures } = await readDataYaml(file, 'val');
      const paths = expected.map((name) => path.join(path.dirname(file), 'images', name, '1.jpg'));
      assert.deepEqual(pictures, paths);
    }
  });

  test('is refused by what is wrong in it', async (t) => {
    for (const [text, why] of /** @type {[string, RegExp][]} */ ([
      ['val: [', /set\.yaml is not YAML: .*line 1/],
      ['- 1', /set\.yaml is no data\.yaml/],
      ['', /set\.yaml is no data\.yaml/],
      ['val: images/a', /set\.yaml has no names/],
      ['val: images/a\nnames: []', /set\.yaml: names is empty/],
      ['val: images/a\nnames: {0: x, 2: y}', /names has the class "2", which is none of 0 to 1/],
      ['val: images/a\nnames: {a: x}', /names has the class "a"/],
      ['val: images/a\nnames: [x, [y]]', /class 1 has no name/],
      ['val: images/a\nnames: [x]\nnc: 80', /nc is 80, but there are 1 names/],
      ['val: 7\nnames: [x]', /val is 7, and not a path/],
      ['names: [x]', /has no val: of train, val and test it has none/],
    ]))
      await assert.rejects(readDataYaml(written(t, text), 'val'), {
        code: 'WISP_ERR_FORMAT',
        message: why,
      });
    await assert.rejects(readDataYaml(written(t, 'val: images/c\nnames: [x]'), 'val'), {
      code: 'WISP_ERR_FETCH',
      message: /its val is not there: .*images\/c/,
    });
  });
});

const REAL = ['coco/instances_val_subset.json', 'coco/val', 'models/yolov5n_640.onnx'];

test("photographs are judged alike by COCO's labels and by YOLO's", {
  skip: without(...REAL),
}, async (t) => {
  const set = workFolder(t);
  const [labels, data, model] = REAL.map(dataPath);
  const count = writeAsYolo(labels, data, set, 24);
  const words = ['val', model, '--float', '--limit', '24'];
  const coco = path.join(set, 'few.json');
  const one = await folder.wisp([...words, '--data', data, '--labels', coco]);
  const other = await folder.wisp([...words, '--data', path.join(set, 'data.yaml')]);
  assert.equal(one.code, 0, one.stderr);
  assert.equal(other.code, 0, other.stderr);
  assert.match(other.stdout, new RegExp(`^pictures 24, labels ${count},`));
  assert.equal(other.stdout, one.stdout);
});

/**
 * The labels of the first pictures, without crowds, which YOLO's can't say; COCO's labels of them as few.json.
 * @param {string} labels
 * @param {string} data
 * @param {string} set
 * @param {number} count
 */
function writeAsYolo(labels, data, set, count) {
  /** @type {import('../../cli/coco.js').GroundTruth & {images: {width: number, height: number}[]}} */
  const all = JSON.parse(readFileSync(labels, 'utf8'));
  const images = [...all.images]
    .sort((a, b) => (a.file_name < b.file_name ? -1 : 1))
    .slice(0, count);
  const ids = new Set(images.map(({ id }) => id));
  const annotations = all.annotations
    .filter((one) => ids.has(one.image_id) && !one.iscrowd)
    .map((one) => ({ ...one, area: one.bbox[2] * one.bbox[3] })); // COCO's is the outline's
  writeFileSync(path.join(set, 'few.json'), JSON.stringify({ ...all, images, annotations }));
  for (const name of ['images', 'labels']) mkdirSync(path.join(set, name));
  for (const { id, file_name, width, height } of images) {
    copyFileSync(path.join(data, file_name), path.join(set, 'images', file_name));
    const lines = annotations
      .filter(({ image_id }) => image_id === id)
      .map(({ category_id, bbox: [x, y, w, h] }) => {
        const label = all.categories.findIndex((one) => one.id === category_id);
        return [label, (x + w / 2) / width, (y + h / 2) / height, w / width, h / height].join(' ');
      });
    writeFileSync(path.join(set, 'labels', file_name.replace(/jpg$/, 'txt')), lines.join('\n'));
  }
  const names = all.categories.map(({ name }) => JSON.stringify(name)).join(', ');
  writeFileSync(path.join(set, 'data.yaml'), `val: images\nnames: [${names}]\n`);
  return annotations.length;
}
