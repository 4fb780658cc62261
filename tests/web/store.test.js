// A model's way over the network: its hash, the store under it, and connections that break.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Detector } from '../../web/src/index.js';
import { makeModel } from '../support/fixtures.js';

const model = makeModel();
const other = makeModel({ seed: 2 });
const hash = (/** @type {Uint8Array} */ bytes) =>
  `sha256-${createHash('sha256').update(bytes).digest('base64')}`;
const options = { threads: 1, warmUp: false, integrity: hash(model) };

/**
 * How the server answers.
 * @type {{broken: number, ranges: boolean, swap: boolean, requests: (string | undefined)[]}}
 */
const server = { broken: 0, ranges: true, swap: false, requests: [] };
/** @type {import('node:http').Server} */
let http;
let address = '';
let folder = '';

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'wisp-store-'));
  http = createServer((request, response) => {
    const { range } = request.headers;
    server.requests.push(range);
    const bytes = server.swap && range ? other : model;
    const from = server.ranges && range ? Number(/=(\d+)/.exec(range)?.[1]) : 0;
    const status = from > 0 ? 206 : 200;
    response.writeHead(status, {
      'content-length': bytes.length - from,
      etag: hash(bytes),
      ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    });
    if (server.broken-- <= 0) return void response.end(bytes.subarray(from));
    const cut = Math.min(bytes.length, from + Math.ceil(bytes.length / 4));
    response.write(bytes.subarray(from, cut), () => setTimeout(() => response.destroy(), 30));
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', () => resolve(undefined)));
  address = `http://127.0.0.1:${/** @type {any} */ (http.address()).port}/model.wisp`;
});

after(async () => {
  http.close();
  await rm(folder, { recursive: true, force: true });
});

/** @param {Partial<typeof server>} how */
const serve = (how = {}) =>
  Object.assign(server, { broken: 0, ranges: true, swap: false, requests: [] }, how);

test('a connection that breaks is taken up where it broke', async () => {
  serve({ broken: 2 });
  const detector = await Detector.open(address, options);
  await detector.close();
  assert.equal(server.requests.length, 3);
  assert.equal(server.requests[0], undefined);
  assert.match(server.requests[1] ?? '', /^bytes=\d+-$/);
});

test('a file that has changed meanwhile is not spliced', async () => {
  serve({ broken: 1, swap: true });
  await assert.rejects(Detector.open(address, { threads: 1 }), { code: 'WISP_ERR_FETCH' });
  serve({ broken: 1, ranges: false });
  await assert.rejects(Detector.open(address, { threads: 1 }), { code: 'WISP_ERR_FETCH' });
});

test('other bytes than those named are refused', async () => {
  serve();
  const wrong = { ...options, integrity: hash(other) };
  await assert.rejects(Detector.open(address, wrong), {
    code: 'WISP_ERR_CHECKSUM',
    message: /is not the file that was asked for/,
  });
  await assert.rejects(Detector.open(model, wrong), { code: 'WISP_ERR_CHECKSUM' });
  await assert.rejects(Detector.open(model, { ...options, integrity: 'md5-x' }), {
    code: 'WISP_ERR_ARGUMENT',
  });
  await assert.rejects(Detector.open(model, { cache: true }), { code: 'WISP_ERR_ARGUMENT' });
});

test('a model is kept under its hash and comes from there; a damaged entry is replaced', async () => {
  serve();
  const open = async () => {
    const seen = /** @type {(boolean | undefined)[]} */ ([]);
    const onProgress = (/** @type {import('../../web/src/index.js').Progress} */ progress) =>
      void (progress.phase === 'model' && seen.push(progress.fromCache));
    const detector = await Detector.open(address, { ...options, cache: folder, onProgress });
    await detector.close();
    return seen.every(Boolean);
  };
  assert.equal(await open(), false);
  assert.equal(await open(), true);
  assert.equal(server.requests.length, 1);
  const [name] = await readdir(folder);
  const kept = path.join(folder, name);
  assert.deepEqual(new Uint8Array(await readFile(kept)), new Uint8Array(model));
  await writeFile(kept, other);
  assert.equal(await open(), false);
  assert.equal(server.requests.length, 2);
  assert.deepEqual(new Uint8Array(await readFile(kept)), new Uint8Array(model));
  assert.deepEqual(await readdir(folder), [name]);
});

test('an abort keeps nothing', async () => {
  serve({ broken: 1 });
  const fresh = await mkdtemp(path.join(folder, 'abort-'));
  const stop = new AbortController();
  const onProgress = (/** @type {{phase: string}} */ { phase }) =>
    phase === 'model' && stop.abort();
  const opening = Detector.open(address, {
    ...options,
    cache: fresh,
    signal: stop.signal,
    onProgress,
  });
  await assert.rejects(opening, { name: 'AbortError' });
  assert.deepEqual(await readdir(fresh), []);
});

test('an abort at any report of progress ends the opening and leaves no part of a model', async () => {
  for (let stopAt = 0, ended = false; !ended; stopAt++) {
    serve({ broken: 1 });
    const fresh = await mkdtemp(path.join(folder, 'any-'));
    const stop = new AbortController();
    let reports = 0;
    const onProgress = () => void (reports++ === stopAt && stop.abort());
    const { signal } = stop;
    const opening = Detector.open(address, { ...options, cache: fresh, signal, onProgress });
    const outcome = await opening.then(
      (detector) => detector.close(),
      (thrown) => thrown,
    );
    if (stop.signal.aborted) assert.equal(outcome.name, 'AbortError', `report ${stopAt}`);
    ended = !stop.signal.aborted;
    for (const name of await readdir(fresh)) {
      const kept = new Uint8Array(await readFile(path.join(fresh, name)));
      assert.deepEqual(kept, new Uint8Array(model), `report ${stopAt}`);
    }
    assert.ok(stopAt < 1000);
  }
});
