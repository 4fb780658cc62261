// The bench page in Chromium: measures what was chosen, stops when told, copies what it measured.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { chromium } from '../../tools/places.mjs';
import { averagePrecision, YOLOV5N } from '../../web/demo/accuracy.js';
import { DemoPage, openBrowser } from './demo-page.js';

const SKIP = chromium() ? false : 'no Chromium here: node tools/setup.mjs sets one up';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  if (!SKIP) browser = await openBrowser();
});
after(() => browser?.close());

/** @param {Parameters<typeof DemoPage.open>[1]} [options] */
async function openBench(options) {
  const demo = await DemoPage.open(browser, options);
  // whatever `npm run bench` has left on this machine
  await demo.page.route('**/peers/list.json', (route) => route.fulfill({ json: { peers: [] } }));
  await demo.page.goto(new URL('bench.html', demo.url).href);
  await demo.page.selectOption('#size', '320');
  await demo.page.selectOption('#rounds', '3,12');
  return demo;
}

/** @param {import('playwright-core').Page} page @param {string[]} unwanted selectors of boxes */
async function uncheck(page, ...unwanted) {
  for (const box of unwanted) await page.uncheck(box);
}

/** @param {import('playwright-core').Page} page @param {RegExp} text */
const until = (page, text) =>
  page.waitForFunction(
    (source) => new RegExp(source).test(document.querySelector('#state')?.textContent ?? ''),
    text.source,
    { timeout: 120_000 },
  );

describe('the bench page', { skip: SKIP }, () => {
  test('measures each choice and copies it as JSON', async () => {
    const demo = await openBench();
    const { page } = demo;
    await uncheck(page, '[value="0.5"]', '[value="0.75"]', '#threads label:last-child input');
    await page.click('#start');
    await until(page, /Done/);
    assert.equal(await page.locator('#rows tr').count(), 2);
    assert.equal(await page.locator('#bars li').count(), 2);
    assert.equal(await page.textContent('#refusals'), '');
    await page.click('#copy');
    await until(page, /Copied/);
    const { plan, lines, cores, choice } = JSON.parse(
      await page.evaluate(() => navigator.clipboard.readText()),
    );
    assert.ok(cores > 0);
    assert.match(choice.variant, /^wisp/);
    assert.ok((await page.textContent('#choice'))?.includes(choice.reason));
    assert.match(
      (await page.textContent('#summary')) ?? '',
      /^YOLOv5n at 320 × 320: [\d.]+ ms dense$/,
    );
    assert.deepEqual([plan.network, plan.size, plan.rounds], ['yolov5n', 320, 12]);
    for (const { count, least, median, mean, network, ratio } of lines) {
      assert.equal(ratio, 1, 'dense is compared with itself');
      assert.equal(count, 12);
      assert.ok(least > 0 && least <= median && least <= mean && network < mean);
    }
    assert.deepEqual(demo.complaints, []);
    assert.deepEqual(demo.strangers, []);
    await demo.close();
  });

  test('stops when told, and says what cannot run here', async () => {
    const demo = await openBench({ isolated: false });
    const { page } = demo;
    assert.match((await page.textContent('#machine')) ?? '', /not cross-origin isolated/);
    await page.click('#start');
    await until(page, /Making/);
    await page.click('#start');
    await until(page, /Stopped/);
    await uncheck(page, '[value="0.5"]', '[value="0.75"]', '#tiers [value="wisp"]');
    await page.check('#threads label:last-child input');
    await page.click('#start');
    await until(page, /Done/);
    assert.equal(await page.locator('#rows tr').count(), 1);
    assert.match(
      (await page.textContent('#refusals')) ?? '',
      /\d+ threads: .*can't run: the page is not/,
    );
    await demo.close();
  });

  test('other engines take part where this server has them', async (context) => {
    const demo = await openBench();
    const { page } = demo;
    await page.selectOption('#size', '640');
    await page.waitForLoadState('networkidle');
    const peers = page.locator('#peers input');
    if ((await peers.count()) === 0) {
      await demo.close();
      return context.skip('no peers here: npm run bench -- -p dense fetches them');
    }
    await uncheck(page, '[value="0.5"]', '[value="0.75"]', '#threads label:last-child input');
    await page.click('#start');
    await until(page, /Done/);
    assert.equal(await page.textContent('#refusals'), '');
    assert.equal(await page.locator('#rows tr').count(), 2 + (await peers.count()));
    assert.match((await page.textContent('#note')) ?? '', /random/);
    assert.deepEqual(demo.strangers, []);
    await demo.close();
  });

  test('wants at least one of each, and leads back to the demo', async () => {
    const demo = await openBench();
    await uncheck(demo.page, '#tiers [value="wisp"]', '#tiers [value="wisp-relaxed"]');
    await demo.page.click('#start');
    await until(demo.page, /Choose at least one of each/);
    await demo.page.click('text=Demo');
    await demo.page.click('text=Bench');
    assert.match(demo.page.url(), /bench\.html$/);
    await demo.close();
  });
});

test('the bench page knows the accuracy that the README states, and no other', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  for (const value of Object.values(YOLOV5N))
    assert.ok(readme.includes(value.toFixed(2)), `${value}`);
  const plan = { network: 'yolov5n', size: 640, tiers: [], peers: [], sparsities: [], threads: [] };
  const [dense, sparse] = [0, 0.5].map((sparsity) =>
    averagePrecision({ ...plan, warmup: 0, rounds: 1 }, { engine: 'wisp', sparsity, threads: 1 }),
  );
  assert.deepEqual([dense, sparse], [YOLOV5N.int8, null]);
});
