// The bench: its parts on made-up numbers, and all of it on a tiny network, without peers and without judging times.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findBoxes, headKindOf } from '../../bench/lanes/boxes.js';
import { letterbox, placeFrame } from '../../bench/lanes/letterbox.js';
import { measurePeak } from '../../bench/lanes/peak.js';
import { planLanes } from '../../bench/plan.js';
import { drawChart } from '../../bench/report/bars.js';
import { reportLanes } from '../../bench/report/report.js';
import { summary } from '../../bench/report/statistics.js';
import { chromium, firefox } from '../../tools/places.mjs';
import { runWisp } from '../cli/command.js';
import { makeModel } from '../support/fixtures.js';

/** @type {string} */
let folder;
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'wisp-bench-'));
  writeFileSync(path.join(folder, 'tiny.wisp'), makeModel());
});
after(() => rmSync(folder, { recursive: true }));

/** @param {string[]} words */
const bench = (...words) => runWisp(['bench', ...words], { cwd: folder });
/** @param {string} name */
const read = (name) => readFileSync(path.join(folder, name), 'utf8');

/** Every tag is closed in turn. @param {string} xml */
function requireWellFormed(xml) {
  /** @type {string[]} */
  const open = [];
  for (const [, end, name, alone] of xml.matchAll(/<(\/?)([\w:]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (end) assert.equal(open.pop(), name);
    else if (!alone) open.push(name);
  }
  assert.deepEqual(open, []);
  assert.doesNotMatch(xml.replaceAll(/&(amp|lt|gt|quot);/g, ''), /&/);
}

test('a summary gives mean, median, least, spread', () => {
  const { mean, median, min, max, p90, deviation } = summary([4, 1, 3, 2, 10]);
  assert.deepEqual({ mean, median, min, max }, { mean: 4, median: 3, min: 1, max: 10 });
  assert.ok(Math.abs(p90 - 7.6) < 1e-9);
  assert.ok(Math.abs(deviation - Math.sqrt(12.5)) < 1e-9);
  assert.equal(summary([5]).deviation, 0);
});

describe('the plan', () => {
  /** @param {object} wish */
  const ids = (wish) =>
    planLanes({ threads: [1], browsers: ['chromium'], ...wish }).map(({ id }) => id);

  test('has each lane once, and each peer once for all sparsities', () => {
    assert.deepEqual(ids({}), [
      'chromium/wisp-relaxed/yolov5n/1',
      'chromium/wisp-relaxed/yolov5n@50/1',
      'chromium/wisp-relaxed/yolov5n@75/1',
      'chromium/ort-web/yolov5n/1',
    ]);
    const both = ids({ presets: ['sparse50', 'sparse75'], threads: [1, 2] });
    assert.equal(both.length, new Set(both).size);
    assert.equal(both.filter((id) => id.includes('ort-web')).length, 2);
  });

  test('puts the native engine beside whatever browser is asked for', () => {
    assert.deepEqual(ids({ engines: ['ort-node'], browsers: ['firefox'] }), [
      'node/ort-node/yolov5n/1',
    ]);
  });

  test('has only wisp where layers are asked for', () => {
    assert.deepEqual(ids({ view: 'layers', models: ['yolov5s@50'] }), [
      'chromium/wisp-relaxed/yolov5s@50/1',
    ]);
  });
});

/** @param {number} total */
const turnOf = (total) => ({ total, pre: 1, engine: total - 2, post: 1, boxes: 3 });

/** A report of made-up turns. @returns {import('../../bench/report/report.js').Report} */
function madeUpReport() {
  const lanes = planLanes({ presets: ['quick'], threads: [1, 2], browsers: ['chromium'] });
  const results = new Map(
    lanes.map((lane) => {
      const time =
        (lane.engine === 'ort-web' ? 100 : 20 - 10 * lane.network.sparsity) / lane.threads;
      return [lane, [turnOf(time), turnOf(time)]];
    }),
  );
  return {
    ...{ wisp: '0', command: 'wisp bench', date: '2020-01-01', missing: [] },
    machine: { cpu: 'a <fast> & small one', cores: 2, memoryGiB: 4, system: 'some' },
    places: [{ name: 'chromium', version: 'Chromium 1', flags: [] }],
    settings: { input: '640×640', picture: '"drawn"', batch: 1 },
    lanes: reportLanes(results, new Map()),
  };
}

test('ratios are to peers with as many threads, to wisp dense and to one thread', () => {
  const line = madeUpReport().lanes.find(
    ({ model, threads }) => model === 'yolov5n@50' && threads === 2,
  );
  const ratios = line?.ratios.map(({ against, total }) => [against, Number(total.mean.toFixed(3))]);
  assert.deepEqual(ratios, [
    ['ort-web', 6.667],
    ['own dense', 1.333],
    ['own 1 thread', 2],
  ]);
});

test('the chart is well-formed, names every lane and follows the page', () => {
  const svg = drawChart(madeUpReport());
  requireWellFormed(svg);
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 800 \d+"/);
  assert.match(svg, /prefers-color-scheme: dark/);
  assert.match(svg, /a &lt;fast&gt; &amp; small one/);
  assert.equal(svg.match(/<rect /g)?.length, 8 * 3);
});

describe('what the peers get around them', () => {
  const input = { width: 64, height: 32 };

  test('letterboxes as YOLOv5 does', () => {
    assert.deepEqual(placeFrame({ width: 1280, height: 720 }, { width: 640, height: 640 }), {
      ...{ scale: 0.5, left: 0, top: 140, width: 640, height: 360 },
    });
    const data = new Uint8Array(16 * 16 * 4).fill(200);
    const out = new Float32Array(3 * 64 * 32);
    const layout = { data: out, plane: 64 * 32, pixel: 1, gain: 1 / 255, shift: 0 };
    const placing = letterbox({ data, width: 16, height: 16 }, input, layout);
    assert.deepEqual(placing, { scale: 2, left: 16, top: 0, width: 32, height: 32 });
    assert.ok(Math.abs(out[0] - 114 / 255) < 1e-6);
    assert.ok(Math.abs(out[2 * 64 * 32 + 5 * 64 + 20] - 200 / 255) < 1e-6);
  });

  test('keeps the best of boxes that overlap, in pixels of the picture', () => {
    const placing = { scale: 0.5, left: 0, top: 8, width: 64, height: 16 };
    const rows = [
      [20, 16, 10, 8, 0.9, 0.1, 0.8],
      [21, 16, 10, 8, 0.9, 0.1, 0.9],
      [21, 16, 10, 8, 0.9, 0.7, 0.1],
      [50, 16, 10, 8, 0.2, 0.1, 0.9],
    ].flat();
    const how = { columns: 7, gain: 1, shift: 0, unit: 1 };
    const found = findBoxes({ kind: 'yolov5', data: rows, ...how }, placing);
    assert.deepEqual(
      found.map(({ label, x1, y1, x2, y2 }) => ({ label, x1, y1, x2, y2 })),
      [1, 0].map((label) => ({ label, x1: 32, y1: 8, x2: 52, y2: 24 })),
    );
  });

  test('takes the coefficients of masks for no classes', () => {
    const placing = { scale: 1, left: 0, top: 0, width: 64, height: 32 };
    const data = [20, 16, 10, 8, 0.9, 0.8, 0.1, 7, 9];
    const how = { columns: 9, gain: 1, shift: 0, unit: 1 };
    const [{ label, score }] = findBoxes({ kind: 'yolov5', data, masks: 2, ...how }, placing);
    assert.deepEqual([label, score.toFixed(2)], [0, '0.72']);
  });

  test('reads boxes without anchors by columns', () => {
    const placing = { scale: 0.5, left: 0, top: 8, width: 64, height: 16 };
    const columns = [
      [20, 16, 10, 8, 0.1, 0.9],
      [21, 16, 10, 8, 0.1, 0.8],
      [21, 16, 10, 8, 0.6, 0.1],
      [50, 16, 10, 8, 0.1, 0.2],
    ];
    const data = [0, 1, 2, 3, 4, 5].flatMap((row) => columns.map((column) => column[row]));
    const how = { columns: 4, gain: 1, shift: 0, unit: 1 };
    const found = findBoxes({ kind: 'yolov8', data, ...how }, placing);
    assert.deepEqual(
      found.map(({ label, score }) => [label, Math.fround(score)]),
      [
        [1, Math.fround(0.9)],
        [0, Math.fround(0.6)],
      ],
    );
    assert.deepEqual([found[0].x1, found[0].y1, found[0].x2, found[0].y2], [30, 8, 50, 24]);
  });

  test('tells heads by the shape of what they give, at any size', () => {
    for (const side of [32, 64, 640]) {
      const input = { height: side, width: side };
      const cells = (side / 8) ** 2 + (side / 16) ** 2 + (side / 32) ** 2;
      assert.equal(headKindOf([1, 84, cells], input), 'yolov8');
      assert.equal(headKindOf([1, 3 * cells, 85], input), 'yolov5');
      assert.equal(headKindOf([1, 3 * cells, cells], input), 'yolov5'); // as many classes
    }
  });
});

test('the peak is a number for both tiers', () => {
  for (const relaxed of [false, true]) {
    const { gmacs, loops } = measurePeak(relaxed);
    assert.ok(Object.values(loops).every((value) => value > 0 && Number.isFinite(value)));
    assert.equal(gmacs, Math.max(...Object.values(loops)));
  }
});

/** What `wisp bench` takes to be over soon. */
const SHORT = ['-m', 'tiny.wisp', '-w', '0', '-i', '2', '--pause', '0', '--size', '64'];

describe('wisp bench', () => {
  test('measures in Node and writes table, JSON and chart', async () => {
    const files = ['--json', 'run.json', '--svg', 'run.svg'];
    const where = ['--browser', 'node', '-e', 'wisp-simd', '-c', '1,2'];
    const { code, stdout, stderr } = await bench(...SHORT, ...where, ...files);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /wisp, plain SIMD +tiny\.wisp +1 +node/);
    const { machine, places, settings, lanes, missing } = JSON.parse(read('run.json'));
    assert.ok(machine.cpu && machine.cores > 0);
    assert.match(places[0].version, /^Node \d/);
    assert.deepEqual(missing, []);
    assert.equal(settings.iterations, 2);
    assert.deepEqual(
      lanes.map((/** @type {any} */ { id, count }) => [id, count]),
      [1, 2].map((threads) => [`node/wisp-simd/tiny.wisp/${threads}`, 2]),
    );
    for (const { total, pre, run, post, imagesPerSecond } of lanes) {
      assert.ok(total.min > 0 && total.min <= total.median && total.median <= total.max);
      assert.ok(pre.mean + run.mean + post.mean <= total.mean * 1.001);
      assert.ok(Math.abs(imagesPerSecond * total.mean - 1000) < 1e-6);
    }
    requireWellFormed(read('run.svg'));
  });

  test('tells what each layer takes', async () => {
    const where = ['--browser', 'node', '-e', 'wisp-simd', '--layers', '--json', 'layers.json'];
    const { code, stdout, stderr } = await bench(...SHORT, ...where);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Layers of node\/wisp-simd\/tiny\.wisp\/1/);
    const [{ layers, sums, peak }] = JSON.parse(read('layers.json')).layers;
    assert.ok(peak.gmacs > 0);
    assert.equal(layers.filter((/** @type {any} */ layer) => layer.isHead).length, 3);
    assert.ok(
      layers.every((/** @type {any} */ layer) => layer.ms >= 0 && /^\d+×\d+$/.test(layer.size)),
    );
    assert.ok(sums.macs > 0);
  });

  test('tells what opening and the first detection take', async () => {
    const where = ['--browser', 'node', '-e', 'wisp-simd', '--starts', '--json', 'starts.json'];
    const { code, stdout, stderr } = await bench(...SHORT, ...where);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /open, median/);
    const [{ open, first, ratio, memory }] = JSON.parse(read('starts.json')).starts;
    assert.ok(open.min > 0 && first.min > 0 && ratio.min > 0.1 && memory > 0);
  });

  test('runs batches, several calls at once, and for a time', async () => {
    const where = ['--browser', 'node', '-e', 'wisp-simd'];
    const load = ['-b', '3', '-s', 'async', '--streams', '2', '--time', '1', '--json', 'load.json'];
    const { code, stderr } = await bench(...SHORT, ...where, ...load);
    assert.equal(code, 0, stderr);
    const { settings, lanes } = JSON.parse(read('load.json'));
    assert.deepEqual([settings.batch, settings.streams, settings.seconds], [3, 2, 1]);
    assert.ok(lanes[0].count >= 1);
  });

  for (const [name, program] of Object.entries({ chromium: chromium(), firefox: firefox() })) {
    const skip = program ? false : `no ${name} here`;
    test(`measures in ${name}, on threads too`, { skip }, async () => {
      const where = [
        '--browser',
        name,
        '-e',
        'wisp-relaxed,wisp-simd',
        '-c',
        '1,2',
        '--json',
        'page.json',
      ];
      const { code, stderr } = await bench(...SHORT, ...where);
      assert.equal(code, 0, stderr);
      const { lanes, missing } = JSON.parse(read('page.json'));
      assert.deepEqual(missing, []);
      assert.equal(lanes.length, 4);
      assert.equal(new Set(lanes.map((/** @type {any} */ lane) => lane.boxes)).size, 1);
    });
  }

  test('says what it could not measure, and why', async () => {
    writeFileSync(path.join(folder, 'cut.wisp'), makeModel().subarray(0, 99));
    const { code, stdout, stderr } = await bench(
      '-m',
      'cut.wisp',
      '-e',
      'wisp-simd',
      '--browser',
      'node',
    );
    assert.equal(code, 1);
    assert.match(stdout, /^Not measured: node\/wisp-simd\/cut\.wisp\/1: .*cut\.wisp/m);
    assert.match(stderr, /Nothing could be measured/);
    const wrong = await bench('-e', 'tensorflow');
    assert.equal(wrong.code, 2);
    assert.match(
      wrong.stderr,
      /It is any of wisp-relaxed, wisp-narrow, wisp-fused, wisp-simd, ort-web/,
    );
  });
});
