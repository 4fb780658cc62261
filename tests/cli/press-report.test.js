// The report of `wisp press`: its figures are those of the files, its page needs nothing else and draws itself.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { pageOf } from '../../cli/report/page.js';
import { chromium as findChromium } from '../../tools/places.mjs';
import { openBrowser } from '../demo/demo-page.js';
import { CliFolder, PICTURES } from './cli-folder.js';

/** @type {CliFolder} */
let folder;
/** @type {import('../../cli/report/report.js').Report} */
let report;
const press = ['press', 'best.onnx', '--calib', 'photos'];
const labels = ['--data', 'photos', '--labels', 'labels.json'];
const reports = ['--report', 'report.html', '--report', 'report.json'];

before(async () => {
  folder = await CliFolder.open();
  const words = ['-o', 'swept.wisp', '--sweep', 'bits=5..7', ...labels, ...reports];
  const { code, stderr, stdout } = await folder.wisp([...press, ...words]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '');
  const lines = stderr.trim().split('\n');
  assert.equal(lines.length, 5, stderr);
  assert.match(lines[0], /^swept-bits5\.wisp: \d+ kB, .*; AP \d+\.\d\d, float \d+\.\d\d$/);
  report = JSON.parse(readFileSync(folder.at('report.json'), 'utf8'));
});
after(() => folder.close());

describe('a sweep', () => {
  test('writes a file for each value, the same as one press of that value', async () => {
    assert.equal(existsSync(folder.at('swept.wisp')), false);
    const { code } = await folder.wisp([...press, '--bits', '6', '-o', 'six.wisp']);
    assert.equal(code, 0);
    const bytes = (/** @type {string} */ name) => readFileSync(folder.at(name));
    assert.deepEqual(bytes('swept-bits6.wisp'), bytes('six.wisp'));
  });

  test('is reported line by line, with the settings that the files name', async () => {
    assert.deepEqual(
      report.lines.map(({ label }) => label),
      ['bits 5', 'bits 6', 'bits 7'],
    );
    assert.equal(report.calibration, PICTURES);
    for (const line of report.lines) {
      const { stdout } = await folder.wisp(['info', line.file, '--json']);
      const { provenance, layers } = JSON.parse(stdout);
      assert.equal(line.bytes, readFileSync(folder.at(line.file)).length);
      assert.deepEqual(provenance.source, report.source);
      assert.match(provenance.source.sha256, /^[0-9a-f]{64}$/);
      const { classes: _, ...settings } = /** @type {Record<string, unknown>} */ (line.settings);
      assert.deepEqual(provenance.settings, settings);
      assert.equal(line.meanBits, settings.bits);
      const convolutions = layers.filter((/** @type {any} */ one) => one.blocks > 0);
      assert.equal(line.layers.length, convolutions.length);
      assert.deepEqual(
        line.layers.map(({ blocks }) => blocks),
        convolutions.map((/** @type {any} */ one) => one.blocks),
      );
    }
  });

  test('marks what no other beats', () => {
    for (const line of report.lines) {
      const beaten = report.lines.some(
        (other) => other !== line && other.bytes < line.bytes && ap(other.score) >= ap(line.score),
      );
      assert.equal(line.isBest, !beaten);
    }
  });

  test('of what is no setting, or no value of it, gets a sentence', async () => {
    /** @type {[string, RegExp][]} */
    const cases = [
      ['speed=1..2', /--sweep.*speed.*bits or sparsity.*e\.g\. sparsity=0\.1\.\.0\.6/],
      ['bits=1..9', /--sweep.*values of bits are 1 to 50 whole numbers from 2 to 7/],
      ['sparsity=', /--sweep/],
      ['sparsity=0.1,,0.2', /numbers from 0 to 0\.95/],
      ['sparsity=0..0.9:0.001', /1 to 50 numbers/],
      ['sparsity=0.5..0.1', /1 to 50 numbers/],
    ];
    for (const [value, sentence] of cases) {
      const { code, stderr } = await folder.wisp([...press, '--sweep', value]);
      assert.equal(code, 2, value);
      assert.match(stderr, sentence);
    }
  });
});

/** @param {{ap: number} | null} score */
const ap = (score) => score?.ap ?? assert.fail('no score');

describe('scores', () => {
  test('are those of wisp val', async () => {
    assert.equal(report.measure?.kind, 'labels');
    const { stdout } = await folder.wisp(['val', 'swept-bits7.wisp', ...labels]);
    assert.match(stdout, new RegExp(`maxDets=100 \\] = ${ap(report.lines[2].score).toFixed(4)}\n`));
    const float = await folder.wisp(['val', 'best.onnx', '--float', ...labels]);
    const due = ap(report.measure?.float ?? null).toFixed(4);
    assert.match(float.stdout, new RegExp(`IoU=0.50:0.95 .* area= +all .* = ${due}\n`));
  });

  test('compare with the float network where there are no labels', async () => {
    const words = ['--bits', '7', '--report', 'alone.json', '-o', 'alone.wisp'];
    const { code, stderr } = await folder.wisp([...press, ...words]);
    assert.equal(code, 0, stderr);
    const alone = JSON.parse(readFileSync(folder.at('alone.json'), 'utf8'));
    assert.deepEqual(alone.measure, { kind: 'agreement', float: null, pictures: PICTURES });
    assert.equal(alone.lines.length, 1);
  });

  test('need pictures and labels', async () => {
    const { code, stderr } = await folder.wisp([...press, '--data', 'photos']);
    assert.equal(code, 2);
    assert.match(stderr, /^wisp: --data photos needs --labels/);
  });
});

test('classes that were cut away do not count against a network', async () => {
  const words = ['--classes', 'owl', '-o', 'owl.wisp', ...labels, '--report', 'owl.json'];
  const { code, stderr } = await folder.wisp([...press, ...words]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^wisp: One category of the labels the model doesn't have/);
  const { stdout } = await folder.wisp(['val', 'owl.wisp', ...labels]);
  assert.match(stdout, /^pictures 6, labels 3,/);
});

test('the page draws itself, asks for nothing, and fits a phone', {
  skip: findChromium() ? false : 'no Chromium here',
}, async () => {
  const browser = await openBrowser();
  try {
    for (const options of [
      { viewport: { width: 360, height: 700 } },
      { viewport: { width: 1200, height: 900 }, colorScheme: /** @type {const} */ ('dark') },
    ]) {
      const page = await browser.newPage(options);
      /** @type {string[]} */
      const complaints = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => complaints.push(message.text()));
      page.on('request', (request) => {
        if (/^https?:/.test(request.url())) complaints.push(request.url());
      });
      await page.goto(pathToFileURL(folder.at('report.html')).href);
      await page.selectOption('#choice', '2');
      const seen = await page.evaluate(() => ({
        charts: document.querySelectorAll('.uplot canvas').length,
        rows: document.querySelectorAll('#layers tbody tr').length,
        overflows: document.documentElement.scrollWidth > innerWidth,
        background: getComputedStyle(document.body).backgroundColor,
      }));
      assert.deepEqual(complaints, []);
      const rows = report.lines[2].layers.length;
      const background = options.colorScheme ? 'rgb(13, 17, 23)' : 'rgb(246, 248, 250)';
      assert.deepEqual(seen, { charts: 5, rows, overflows: false, background });
      await page.close();
    }
  } finally {
    await browser.close();
  }
});

test('a name that looks like markup stays text', () => {
  const odd = '<img src=x onerror=alert(1)>.onnx';
  const html = pageOf({ ...report, source: { name: odd } });
  assert.ok(!html.includes('<img'));
  assert.ok(html.includes('&lt;img src=x'));
});
