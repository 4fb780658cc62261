// wisp serve as its clients meet it: the boxes of the Detector, under overload, deaths, damage and goodbyes.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { BlockList, connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import threads from 'node:worker_threads';
import { countsOf } from '../../cli/masks/run-lengths.js';
import { Crew } from '../../cli/serve/crew.js';
import { Fetcher } from '../../cli/serve/fetching.js';
import { Pictures } from '../../cli/serve/pictures.js';
import { makeServer } from '../../cli/serve/server.js';
import { single } from '../../cli/singles.js';
import { Detector } from '../../web/src/index.js';
import { encodePng, makePicture, makeRandom } from '../support/fixtures.js';
import { model, openSite, png } from '../support/site.js';
import { tinySegmenter } from '../support/tiny-segment.js';
import { runWisp } from './command.js';

/** @type {Awaited<ReturnType<typeof openSite>>} */
let site;
/** What DeepSparse's JSON says of the two pictures. @type {any} */
let expected;
const other = encodePng(makePicture({ seed: 3 }));
const detect = { confidence: 0.2 };

before(async () => {
  site = await openSite();
  const detector = await Detector.open(model, { threads: 1 });
  const results = await detector.detect([png, other], detect);
  await detector.close();
  expected = {
    boxes: results.map(({ boxes }) =>
      boxes.map(({ x, y, width, height }) =>
        [x, y, x + width, y + height].map((side) => single(Math.fround(side))),
      ),
    ),
    scores: results.map(({ boxes }) => boxes.map(({ score }) => single(score))),
    labels: results.map(({ boxes }) => boxes.map(({ label }) => label)),
    intermediate_outputs: null,
  };
  assert.ok(expected.boxes[0].length > 5);
});
/** Of every server, also of a test that has failed. @type {(() => Promise<void>)[]} */
const closings = [];
after(() => Promise.all([site, ...closings.map((close) => ({ close }))].map((one) => one.close())));

/** @param {Uint8Array[]} pictures */
function form(pictures) {
  const body = new FormData();
  for (const bytes of pictures) body.append('request', new Blob([new Uint8Array(bytes)]), 'a.png');
  return { method: 'POST', body };
}

/** @param {object | string} body */
const json = (body) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

const base64 = (/** @type {Uint8Array} */ bytes) => Buffer.from(bytes).toString('base64');

/**
 * A server in this process.
 * @param {{size?: number, room?: number, model?: Uint8Array<ArrayBuffer>} &
 *   Partial<import('../../cli/serve/server.js').ServerOptions>} [options]
 */
async function serve({ size = 2, room = 64, model: served = model, ...rest } = {}) {
  const open = () => Detector.open(served, { threads: 1 });
  const crew = await Crew.open(open, { size, room });
  const limits = { deadlineMs: 30_000, maxBytes: 1 << 20, maxFiles: 8 };
  const pictures = new Pictures(new Fetcher([], limits.maxBytes));
  const app = await makeServer(new Map([['tiny', crew]]), { detect, pictures, ...limits, ...rest });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const close = async () => {
    await app.close();
    await crew.close();
  };
  closings.push(close);
  return { url, app, crew, close };
}

describe('the command', () => {
  /** @type {string} */ let url;
  /** @type {import('node:child_process').ChildProcess} */ let child;
  /** @type {ReturnType<typeof runWisp>} */ let ended;
  before(async () => {
    const words = ['serve', 'tiny.wisp', '--port', '0', '--confidence', '0.2', '--detectors', '1'];
    const folder = ['--allow-files', '.', '--max-files', '8'];
    const onStart = (/** @type {typeof child} */ started) => {
      child = started;
    };
    ended = runWisp([...words, ...folder], { cwd: site.folder, onStart });
    const [line] = await once(/** @type {any} */ (child.stdout), 'data');
    url = /^(http:\S+) serves tiny\n/.exec(line)?.[1] ?? '';
    assert.ok(url, line);
  });

  test("DeepSparse's client of its documentation gets its boxes", async () => {
    const reply = await fetch(`${url}/predict/from_files`, form([png, other]));
    const text = await reply.text();
    assert.deepEqual(JSON.parse(text), expected);
    assert.match(text, /"labels":\[\[\d+\.0[,\]]/); // floats, also where they are whole
  });

  test('and so does one of 1.8, by upload, by path, in base64', async () => {
    const upload = await fetch(`${url}/v2/models/tiny/infer/from_files`, form([png, other]));
    assert.deepEqual(await upload.json(), expected);
    const bodies = [{ images: 'picture.png' }, { images: [base64(png)] }];
    for (const body of bodies) {
      const reply = await fetch(`${url}/v2/models/tiny/infer`, json(body));
      assert.deepEqual((await reply.json()).boxes, expected.boxes.slice(0, 1));
    }
  });

  test('thresholds are taken as it takes them', async () => {
    const least = expected.scores[0][2];
    const body = { images: base64(png), conf_thres: least, iou_thres: 0.45 };
    const { scores } = await (await fetch(`${url}/predict`, json(body))).json();
    assert.deepEqual(
      scores[0],
      expected.scores[0].filter((/** @type {number} */ one) => one > least),
    );
    const fields = form([png]);
    fields.body.append('conf_thres', String(least));
    const reply = await fetch(`${url}/predict/from_files`, fields);
    assert.deepEqual((await reply.json()).scores, scores);
  });

  test('the Open Inference Protocol: metadata, readiness, tensors', async () => {
    const about = await (await fetch(`${url}/v2/models/tiny`)).json();
    assert.equal(about.inputs[0].datatype, 'BYTES');
    assert.equal((await fetch(`${url}/v2/models/tiny/ready`)).status, 200);
    const data = [base64(png), base64(other)];
    const input = { name: 'images', shape: [2], datatype: 'BYTES', data };
    const reply = await fetch(`${url}/v2/models/tiny/infer`, json({ id: 'a', inputs: [input] }));
    const { id, model_name, outputs } = await reply.json();
    assert.deepEqual({ id, model_name }, { id: 'a', model_name: 'tiny' });
    const [boxes, scores, labels, counts] = outputs;
    assert.deepEqual(boxes.data, expected.boxes.flat(2));
    assert.deepEqual(boxes.shape, [boxes.data.length / 4, 4]);
    assert.deepEqual(scores.data, expected.scores.flat());
    assert.deepEqual(labels.data, expected.labels.flat());
    assert.deepEqual(
      counts.data,
      expected.boxes.map((/** @type {any[]} */ one) => one.length),
    );
  });

  for (const [
    name,
    at,
    body,
    status,
    sentence,
  ] of /** @type {[string, string, any, number, RegExp][]} */ ([
    ['no form', '/predict/from_files', json('{}'), 400, /multipart\/form-data/],
    ['an empty form', '/predict/from_files', form([]), 400, /no file in a field named "request"/],
    ['no picture', '/predict/from_files', form([Buffer.from('abc')]), 400, /a\.png/],
    ['broken JSON', '/predict', json('{"images":'), 400, /JSON/],
    [
      'a model that is not here',
      '/v2/models/no/infer',
      json({ images: 'a' }),
      404,
      /there is tiny/,
    ],
    ['a file outside', '/predict', json({ images: '../tests' }), 400, /no file in the folder/],
    ['an address', '/predict', json({ images: 'http://example.com/a.png' }), 400, /--allow-fetch/],
    ['a wrong threshold', '/predict', json({ images: 'a', conf_thres: 2 }), 400, /conf_thres/],
    ['too many', '/predict', json({ images: Array(9).fill(base64(png)) }), 413, /8 pictures/],
    ['another tensor', '/v2/models/tiny/infer', json({ inputs: [] }), 400, /inputs/],
  ]))
    test(`${name} is refused in a sentence`, async () => {
      const reply = await fetch(url + at, body);
      const answer = await reply.json();
      assert.equal(reply.status, status, JSON.stringify(answer));
      assert.match(answer.error, sentence);
      assert.equal(typeof answer.code, 'string');
    });

  test('it says how it is: health, counts, its own description', async () => {
    for (const at of ['/healthz', '/readyz', '/v2/health/live', '/v2/health/ready'])
      assert.equal((await fetch(url + at)).status, 200, at);
    const counts = await (await fetch(`${url}/metrics`)).text();
    assert.match(counts, /wisp_requests_total\{route="\/predict",status="200"\} [1-9]/);
    assert.match(counts, /wisp_failures_total\{code="WISP_ERR_SOURCE"\} [1-9]/);
    assert.match(counts, /wisp_stage_seconds_count\{model="tiny",stage="run"\} [1-9]/);
    const page = await (await fetch(`${url}/docs/static/index.html`)).text();
    assert.doesNotMatch(page, /https?:\/\//); // nothing from another host
    const { paths } = await (await fetch(`${url}/docs/json`)).json();
    assert.ok('/predict/from_files' in paths && '/v2/models/{name}/infer' in paths);
  });

  test('SIGTERM lets it answer what it has, and it ends', async () => {
    const last = fetch(`${url}/predict/from_files`, form(Array(8).fill(png)));
    await sleep(20);
    child.kill('SIGTERM');
    assert.deepEqual((await (await last).json()).boxes[7], expected.boxes[0]);
    const { code, stderr } = await ended;
    assert.equal(code, 0, stderr);
    for (const line of stderr.trim().split('\n')) JSON.parse(line); // its logs are JSON
  });
});

test('masks come where they are asked for, of a model that has them', async () => {
  const segmenter = await tinySegmenter();
  const detector = await Detector.open(segmenter, { threads: 1 });
  const { boxes } = await detector.detect(png, { confidence: 0.3, masks: 'rle' });
  await detector.close();
  const due = boxes.map(({ mask }) => mask);
  assert.ok(due.length > 0);
  const { url, close } = await serve({ size: 1, model: segmenter, detect: { confidence: 0.3 } });
  const images = base64(png);
  const asked = await (await fetch(`${url}/predict`, json({ images, masks: true }))).json();
  assert.deepEqual(asked.masks, [due]);
  assert.equal(asked.boxes[0].length, due.length);
  const fields = form([png, png]);
  fields.body.append('masks', 'true');
  const uploaded = await (await fetch(`${url}/predict/from_files`, fields)).json();
  assert.deepEqual(uploaded.masks, [due, due]);
  const bare = await (await fetch(`${url}/predict`, json({ images }))).json();
  assert.equal(bare.masks, undefined);
  const inputs = [{ name: 'images', shape: [1], datatype: 'BYTES', data: [images] }];
  const body = json({ inputs, parameters: { masks: true } });
  const { outputs } = await (await fetch(`${url}/v2/models/tiny/infer`, body)).json();
  const texts = outputs.find((/** @type {any} */ { name }) => name === 'masks');
  assert.deepEqual([texts.datatype, texts.shape], ['BYTES', [due.length]]);
  const counts = texts.data.map((/** @type {string} */ text) => countsOf(JSON.parse(text).counts));
  assert.deepEqual(
    counts,
    due.map((mask) => mask && 'counts' in mask && mask.counts),
  );
  await close();
  const other = await serve({ size: 1 });
  const refused = await fetch(`${other.url}/predict`, json({ images, masks: true }));
  assert.equal(refused.status, 400);
  assert.match((await refused.json()).error, /the model finds boxes only/);
  await other.close();
});

test('two models of one name, a port that is taken, no model: a sentence', async () => {
  const two = await runWisp(['serve', 'tiny.wisp', 'tiny.wisp'], { cwd: site.folder });
  assert.deepEqual([two.code, /Two models are called tiny/.test(two.stderr)], [2, true]);
  const { port } = new URL(site.url);
  const taken = await runWisp(['serve', 'tiny.wisp', '--port', port], { cwd: site.folder });
  assert.deepEqual([taken.code, /can't listen/.test(taken.stderr)], [2, true], taken.stderr);
  const none = await runWisp(['serve', 'no.wisp'], { cwd: site.folder });
  assert.deepEqual([none.code, /no\.wisp/.test(none.stderr)], [1, true]);
});

test('under overload every request gets boxes, or 503 and when to come again', async () => {
  const { url, crew, close } = await serve({ size: 1, room: 2 });
  const replies = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const reply = await fetch(`${url}/predict/from_files`, form([png]));
      return { reply, body: await reply.json() };
    }),
  );
  const counts = { 200: 0, 503: 0 };
  for (const { reply, body } of replies) {
    counts[/** @type {200 | 503} */ (reply.status)]++;
    if (reply.status === 200) assert.deepEqual(body.boxes[0], expected.boxes[0]);
    else assert.ok(Number(reply.headers.get('retry-after')) >= 1);
  }
  assert.ok(counts[200] >= 3 && counts[503] >= 1, JSON.stringify(counts));
  assert.equal(counts[200] + counts[503], 40);
  assert.deepEqual([crew.waiting, crew.busy], [0, 0]);
  await close();
});

test('detectors that die are replaced, and nobody notices', async (t) => {
  const workers = /** @type {Set<threads.Worker>} */ (new Set());
  const { Worker } = threads;
  t.after(() => {
    threads.Worker = Worker;
  });
  threads.Worker = class extends Worker {
    /** @param {string | URL} file @param {threads.WorkerOptions} options */
    constructor(file, options) {
      super(file, options);
      workers.add(this);
      this.once('exit', () => workers.delete(this));
    }
  };
  const { url, crew, close } = await serve();
  let replies = 0;
  const asked = Array.from({ length: 30 }, async () => {
    const reply = await fetch(`${url}/predict/from_files`, form([png, other]));
    const body = await reply.json();
    if (++replies % 5 === 0) await [...workers][replies % workers.size]?.terminate();
    return { status: reply.status, body };
  });
  for (const { status, body } of await Promise.all(asked)) {
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(body, expected);
  }
  assert.ok(crew.deaths > 0);
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  await close();
});

test('a deadline is a deadline, and a client that leaves frees its place', async () => {
  const { url, crew, close } = await serve({ size: 1, deadlineMs: 1 });
  const late = await fetch(`${url}/predict/from_files`, form(Array(8).fill(png)));
  assert.equal(late.status, 504);
  await close();
  const patient = await serve({ size: 1 });
  const leaving = new AbortController();
  const body = form(Array(8).fill(png));
  const gone = fetch(`${patient.url}/predict/from_files`, { ...body, signal: leaving.signal });
  while (patient.crew.busy === 0) await sleep(1);
  leaving.abort();
  await assert.rejects(gone);
  const next = await fetch(`${patient.url}/predict/from_files`, form([other]));
  assert.deepEqual((await next.json()).boxes[0], expected.boxes[1]);
  assert.deepEqual([patient.crew.waiting, crew.waiting], [0, 0]);
  const counted = await (await fetch(`${patient.url}/metrics`)).text();
  assert.match(counted, /wisp_failures_total\{code="GONE"\} 1/);
  await patient.close();
});

test('damaged bodies and pictures, large ones and broken connections do no harm', async () => {
  const { url, close } = await serve();
  const random = makeRandom(7);
  for (let i = 0; i < 60; i++) {
    const bytes = Uint8Array.from(png);
    for (let k = 0; k < 4; k++) bytes[Math.floor(random() * bytes.length)] = random() * 256;
    const reply = await fetch(`${url}/predict/from_files`, form([bytes]));
    assert.ok([200, 400, 413].includes(reply.status), String(reply.status));
    await reply.arrayBuffer();
  }
  const large = await fetch(`${url}/predict/from_files`, form([new Uint8Array(2 << 20)]));
  assert.equal(large.status, 413);
  const { port, hostname } = new URL(url);
  for (const text of [
    'POST /predict HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\n{',
    'x\r\n\r\n',
  ]) {
    const socket = connect(Number(port), hostname, () =>
      socket.write(text, () => socket.destroy()),
    );
    await once(socket, 'close');
  }
  const half = httpRequest(`${url}/predict/from_files`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  });
  half.on('error', () => {});
  half.write('--b\r\ncontent-disposition: form-data; name="request"; filename="a"\r\n\r\nabc');
  await sleep(20);
  half.destroy();
  const after = await fetch(`${url}/predict/from_files`, form([png]));
  assert.deepEqual((await after.json()).boxes[0], expected.boxes[0]);
  await close();
});

test('a token is asked for everywhere but where health is looked at', async () => {
  const { url, close } = await serve({ size: 1, token: 'secret' });
  const authorization = 'Bearer secret';
  assert.equal((await fetch(`${url}/predict/from_files`, form([png]))).status, 401);
  assert.equal((await fetch(`${url}/v2`, { headers: { authorization: 'Bearer no' } })).status, 401);
  assert.equal((await fetch(`${url}/v2`, { headers: { authorization } })).status, 200);
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  await close();
});

test('addresses: of allowed hosts only, never of a private network, never too much', async (t) => {
  const never = new AbortController().signal;
  const server = createServer((request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: '/a.png' }).end();
    else response.end(png);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  t.after(() => server.close());
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const refuses = async (
    /** @type {Fetcher} */ fetcher,
    /** @type {string} */ url,
    /** @type {RegExp} */ why,
  ) => assert.rejects(fetcher.get(url, never), { code: 'WISP_ERR_FETCH', message: why });
  const closed = new Fetcher([], 1 << 20);
  await refuses(closed, `http://localhost:${port}/a.png`, /--allow-fetch localhost/);
  const careful = new Fetcher(['*'], 1 << 20);
  for (const host of ['localhost', '127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433'])
    await refuses(careful, `http://${host}:${port}/a.png`, /private network/);
  await refuses(careful, 'file:///etc/hosts', /no http address/);
  const trusting = new Fetcher(['127.0.0.1', 'localhost'], 1 << 20, new BlockList());
  const file = await trusting.get(`http://localhost:${port}/a.png`, never);
  assert.deepEqual(new Uint8Array(await file.arrayBuffer()), new Uint8Array(png));
  await refuses(trusting, `http://127.0.0.1:${port}/moved`, /answers with 302/);
  const small = new Fetcher(['127.0.0.1'], 10, new BlockList());
  await refuses(small, `http://127.0.0.1:${port}/a.png`, /more than 10 bytes/);
});
