// How soon a model is ready after its last byte has come over a slow link, how fast its weights decode: in Chromium.
//   node bench/arrival.mjs FILE.wisp… [--mbit 20] [--visits 5]
// A visit is a first one: nothing is cached, wisp's own files come over the same link. Times are milliseconds, medians.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { chromium as findChromium } from '../tools/places.mjs';
import { startServer } from '../tools/serve.mjs';
import { table } from './report/columns.js';
import { openWire } from './wire.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
];
const DECODINGS = 12;

/** In the page: opens, detects once. @param {string} address */
async function visitModel(address) {
  const module = '/web/src/index.js'; // in a variable: of the page, not of this file
  const { Detector } = await import(module);
  const start = performance.now();
  const detector = await Detector.open(address, { threads: 1 });
  const ready = performance.now();
  const grey = new ImageData(640, 640);
  await detector.detect(grey);
  const first = performance.now();
  await detector.detect(grey);
  const second = performance.now();
  const [{ responseEnd }] = /** @type {PerformanceResourceTiming[]} */ (
    performance.getEntriesByName(address)
  );
  return {
    open: ready - start,
    wait: ready - responseEnd,
    first: first - ready,
    second: second - first,
  };
}

/**
 * In the page: the best of some decodings, on its own thread; weights a second.
 * @param {{address: string, variant: string, times: number}} wanted
 */
async function decode({ address, variant, times }) {
  const [engine, files] = ['/web/src/detect/engine.js', '/web/src/detect/runtime-files.js'];
  const [{ Engine }, { runtimeFiles }] = await Promise.all([import(engine), import(files)]);
  const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
  const opened = await Engine.load({ variant, threads: 1 }, runtimeFiles());
  let least = Infinity;
  let weights = 0;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    for (let at = 0; at < bytes.length; at += 65536) opened.feed(bytes.subarray(at, at + 65536));
    least = Math.min(least, performance.now() - start);
    const { layers } = opened.describeModel();
    weights = layers.reduce(
      (/** @type {number} */ sum, /** @type {any} */ one) => sum + one.blocks * 4,
      0,
    );
    opened.close();
  }
  return { ms: least, weights, perSecond: (weights / least) * 1000 };
}

/** @param {number[]} values */
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/**
 * @param {import('playwright-core').Browser} browser
 * @param {string} home
 * @param {(page: import('playwright-core').Page) => Promise<any>} act
 */
async function inFreshPage(browser, home, act) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(home);
    return await act(page);
  } finally {
    await context.close();
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { mbit: { type: 'string', default: '20' }, visits: { type: 'string', default: '5' } },
});
/** A page that runs nothing by itself. */
const BLANK = 'web/src/index.js';
const folders = Object.fromEntries(
  positionals.map((file, i) => [`/model${i}/`, path.resolve(path.dirname(file))]),
);
const server = await startServer({ port: 0, folders });
const home = new URL(`/${BLANK}`, server.url).href;
const browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
const rows = [];
for (const [i, file] of positionals.entries()) {
  const model = new URL(`/model${i}/${path.basename(file)}`, server.url).href;
  const visits = /** @type {any[]} */ ([]);
  for (let visit = 0; visit < Number(values.visits); visit++) {
    const wire = await openWire(home, { bitsPerSecond: Number(values.mbit) * 1e6 });
    const address = new URL(new URL(model).pathname, wire.url).href;
    visits.push(await inFreshPage(browser, wire.url, (page) => page.evaluate(visitModel, address)));
    wire.close();
  }
  const of = (/** @type {string} */ key) => median(visits.map((visit) => visit[key])).toFixed(1);
  const speeds = [];
  for (const variant of ['wisp-relaxed', 'wisp']) {
    const wanted = { address: model, variant, times: DECODINGS };
    const { perSecond } = await inFreshPage(browser, home, (page) => page.evaluate(decode, wanted));
    speeds.push((perSecond / 1e6).toFixed(1));
  }
  rows.push([path.basename(file), of('open'), of('wait'), of('first'), of('second'), ...speeds]);
}
await browser.close();
await server.close();
const head = 'file|open|after the last byte|first detect|second|M weights a second, relaxed|plain';
console.log(`Chromium ${browser.version()}, ${values.mbit} Mbit/s, one thread`);
console.log(table([head.split('|'), ...rows]).join('\n'));
