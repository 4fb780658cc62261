// wisp pull: a list and its files served from this machine, pressed, kept, found by name; and all that can go wrong.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { zipSync } from 'fflate';
import { Detector } from '../../web/src/index.js';
import { encodePng, makePicture } from '../support/fixtures.js';
import { dataPath, without } from '../support/test-data.js';
import { CliFolder } from './cli-folder.js';

const sha256 = (/** @type {Uint8Array} */ bytes) =>
  createHash('sha256').update(bytes).digest('hex');

/** @type {CliFolder} */ let folder;
/** @type {import('node:http').Server} */ let server;
/** What is served, by path. @type {Map<string, Uint8Array>} */
const shelf = new Map();
/** What was asked for: a path, and its range. @type {string[]} */
const asked = [];
/** Bytes after which a connection breaks, as often as there are numbers. @type {number[]} */
let breaks = [];
/** Of the server's files. */
let version = 'one';
let base = '';

before(async () => {
  folder = await CliFolder.open();
  server = createServer(answer);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  base = `http://127.0.0.1:${port}`;
  const photos = Object.fromEntries(
    [0, 1, 2, 3].map((i) => [`set/images/${i}.png`, encodePng(makePicture({ seed: i }))]),
  );
  shelf.set('/tiny.pt', new Uint8Array(readFileSync(folder.at('checkpoint.pt'))));
  shelf.set('/set.zip', zipSync({ ...photos, 'set/labels/0.txt': new Uint8Array(3) }));
  serveList({});
});
after(() => {
  server?.closeAllConnections();
  server?.close();
  folder?.close();
});

/** A list with one model and one set of pictures. @param {object} entry changes the model's */
function serveList(entry) {
  const about = { about: 'two classes', licence: 'Strict-1.0' };
  const tiny = { name: 'tiny', address: 'tiny.pt', ...about, press: { bits: 7 }, pictures: 'set' };
  const list = {
    models: [
      { name: 'own', file: 'own.wisp' },
      { ...tiny, ...entry },
    ],
    pictures: [{ name: 'set', address: `${base}/set.zip`, about: 'four', licence: 'Free' }],
    licences: { 'Strict-1.0': 'https://example.org/strict' },
  };
  shelf.set('/zoo.json', Buffer.from(JSON.stringify(list)));
}

/** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
function answer({ url = '', headers }, response) {
  const [, from] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  asked.push(from ? `${url} ${from}` : url);
  const whole = shelf.get(url);
  if (!whole) return response.writeHead(404).end();
  const at = Number(from ?? 0);
  const body = whole.subarray(at);
  response.writeHead(from ? 206 : 200, {
    'content-length': body.length,
    etag: `"${version}"`,
    ...(from && { 'content-range': `bytes ${at}-${whole.length - 1}/${whole.length}` }),
  });
  const short = url === '/zoo.json' ? undefined : breaks.shift();
  if (short === undefined) return response.end(body);
  response.write(body.subarray(0, short), () => setTimeout(() => response.destroy(), 200));
}

let caches = 0;
/** A cache of its own. */
const newCache = () => folder.at(`cache-${caches++}`);

/** @param {string} cache @param {string[]} words */
function wisp(cache, ...words) {
  const env = { XDG_CACHE_HOME: cache, WISP_ZOO: `${base}/zoo.json` };
  return folder.wisp(words, { env });
}

/** @param {string} cache @param {string[]} words */
const pull = (cache, ...words) => wisp(cache, 'pull', 'tiny', '--accept-licence', ...words);

/** What the boxes of a line are. @param {string} stdout */
const boxesIn = (stdout) =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).boxes);

describe('a model that nobody has', () => {
  test('is named with what to do, by the command and by Detector.open', async () => {
    const cache = newCache();
    const { code, stderr } = await wisp(cache, 'detect', 'yolov5n', 'photos/0.png');
    assert.equal(code, 1);
    assert.match(stderr, /^wisp: yolov5n: there is no such file, .* run "wisp pull yolov5n"/);
    await assert.rejects(Detector.open('yolov5n@25'), {
      code: 'WISP_ERR_FETCH',
      message: /run "wisp pull yolov5n@25"/,
    });
  });

  test('is not fetched before its licence is accepted, which is shown', async () => {
    asked.length = 0;
    const { code, stderr } = await wisp(newCache(), 'pull', 'tiny');
    assert.equal(code, 2);
    assert.match(stderr, /licence {2}Strict-1\.0, https:\/\/example\.org\/strict/);
    assert.match(stderr, /add --accept-licence/);
    assert.deepEqual(asked, ['/zoo.json']);
  });

  test('is no model of the list, or needs no pull', async () => {
    const cases = [
      ['big', /no model called big; there is tiny/],
      ['own', /own comes with wisp/],
      ['tiny@x', /1 to 90/],
      ['tiny@91', /1 to 90/],
    ];
    for (const [name, sentence] of /** @type {[string, RegExp][]} */ (cases)) {
      const { code, stderr } = await wisp(newCache(), 'pull', name);
      assert.equal(code, 2);
      assert.match(stderr, sentence);
    }
  });
});

describe('a pulled model', () => {
  const cache = () => folder.at('cache-shared');

  test('is pressed here, on the pictures of the list', async () => {
    const before = await wisp(cache(), 'pull');
    assert.match(before.stdout, /^tiny {2,}two classes; Strict-1\.0\n$/);
    const { code, stdout, stderr } = await pull(cache());
    assert.equal(code, 0, stderr);
    assert.match(stderr, /calibrated on 4 pictures of set/);
    const file = stdout.trim();
    assert.equal(path.basename(file, '.wisp'), sha256(readFileSync(file)));
    assert.match((await wisp(cache(), 'pull')).stdout, /^tiny .*pulled/);
  });

  test('is not pulled twice', async () => {
    asked.length = 0;
    const { code, stderr } = await wisp(cache(), 'pull', 'tiny');
    assert.equal(code, 0);
    assert.match(stderr, /tiny is here already/);
    assert.deepEqual(asked, ['/zoo.json']);
  });

  test('finds what one finds that was pressed by hand, in every command by its name', async () => {
    const four = ['0', '1', '2', '3'].flatMap((i) => ['--calib', `photos/${i}.png`]);
    await folder.wisp(['press', 'checkpoint.pt', ...four, '-o', 'hand.wisp']);
    const words = ['photos', '--confidence', '0.01'];
    const byHand = await folder.wisp(['detect', 'hand.wisp', ...words]);
    const byName = await wisp(cache(), 'detect', 'tiny', ...words);
    assert.equal(byName.code, 0, byName.stderr);
    assert.ok(boxesIn(byHand.stdout).flat().length > 0);
    assert.deepEqual(boxesIn(byName.stdout), boxesIn(byHand.stdout));
    const info = await wisp(cache(), 'info', 'tiny', '--json', '--no-times');
    assert.equal(JSON.parse(info.stdout).provenance.licence, 'Strict-1.0');
    const labels = ['--data', 'photos', '--labels', 'labels.json'];
    assert.match((await wisp(cache(), 'val', 'tiny', ...labels)).stdout, /pictures 6/);
  });

  test('is found by Detector.open, unless a file is called so', async (t) => {
    const { XDG_CACHE_HOME } = process.env;
    t.after(() => {
      if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
    });
    process.env.XDG_CACHE_HOME = cache();
    const detector = await Detector.open('tiny', { threads: 1 });
    assert.equal(detector.info.classes.length, 2);
    await detector.close();
    const file = folder.at('tiny');
    writeFileSync(file, 'no model');
    const { stderr } = await wisp(cache(), 'detect', 'tiny', 'photos/0.png');
    rmSync(file);
    assert.match(stderr, /tiny.*a text file/);
  });

  test('has sparse variants, of the file that is here', async () => {
    asked.length = 0;
    const { code, stderr } = await wisp(cache(), 'pull', 'tiny@50', '--accept-licence');
    assert.equal(code, 0, stderr);
    assert.deepEqual(asked, ['/zoo.json']);
    const info = await wisp(cache(), 'info', 'tiny@50', '--json', '--no-times');
    assert.equal(JSON.parse(info.stdout).provenance.settings.sparsity, 0.5);
  });

  test('is pressed again where pictures are named', async () => {
    const { code, stderr } = await pull(cache(), '--calib', 'photos/5.png');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /calibrated on 1 picture of 5\.png/);
  });
});

describe('a download', () => {
  test('goes on where its connection broke, also in another process', async () => {
    const cache = newCache();
    const whole = /** @type {Uint8Array} */ (shelf.get('/tiny.pt')).length;
    breaks = [1000, 0, 0, 0, 0];
    const broken = await pull(cache);
    assert.equal(broken.code, 1);
    const [, here] = /broke off after .* (\d+) bytes of it are here/.exec(broken.stderr) ?? [];
    assert.ok(Number(here) > 0 && Number(here) < whole, broken.stderr);
    breaks = [2000];
    asked.length = 0;
    const { code, stderr } = await pull(cache);
    assert.equal(code, 0, stderr);
    const ranges = asked.filter((one) => one.startsWith('/tiny.pt '));
    assert.equal(ranges[0], `/tiny.pt ${Number(here) - 1}`);
    assert.equal(ranges.length, 2);
    const kept = path.join(cache, 'wisp', 'fetched');
    assert.equal(
      sha256(readFileSync(path.join(kept, 'tiny.pt'))),
      sha256(shelf.get('/tiny.pt') ?? new Uint8Array()),
    );
    assert.deepEqual(
      readdirSync(kept).filter((name) => name.includes('.part')),
      [],
    );
  });

  test('begins again where the server has another version by then', async () => {
    const cache = newCache();
    breaks = [1000, 0, 0, 0, 0];
    await pull(cache);
    version = 'two';
    const { code, stderr } = await pull(cache);
    assert.equal(code, 0, stderr);
    version = 'one';
  });

  test('of other bytes than the list says is refused and not kept', async () => {
    const cache = newCache();
    serveList({ sha256: '0'.repeat(64) });
    const { code, stderr } = await pull(cache);
    serveList({});
    assert.equal(code, 1);
    assert.match(
      stderr,
      /tiny\.pt is not the file that was asked for: its SHA-256 is \w{64}, not 0{64}/,
    );
    assert.match(stderr, /\[WISP_ERR_CHECKSUM\]/);
    assert.ok(!existsSync(path.join(cache, 'wisp', 'fetched', 'tiny.pt')));
    assert.ok(!existsSync(path.join(cache, 'wisp', 'fetched', 'tiny.pt.part')));
  });

  test('whose hash nobody knew has to stay what it was', async () => {
    const cache = newCache();
    const first = await pull(cache);
    const whole = /** @type {Uint8Array} */ (shelf.get('/tiny.pt'));
    assert.match(first.stderr, new RegExp(`tiny: SHA-256 ${sha256(whole)}`));
    rmSync(path.join(cache, 'wisp', 'fetched', 'tiny.pt'));
    rmSync(path.join(cache, 'wisp', 'pulled', 'tiny.json'));
    shelf.set('/tiny.pt', Buffer.concat([whole, Buffer.from('more')]));
    const { code, stderr } = await pull(cache);
    shelf.set('/tiny.pt', whole);
    assert.equal(code, 1);
    assert.match(stderr, /not the file that was asked for: .* as it was on \d{4}-/);
  });

  test('that is not there, or no server, or no list, is said', async () => {
    serveList({ address: 'gone.pt' });
    const gone = await pull(newCache());
    assert.match(gone.stderr, /gone\.pt is not there: the server answered 404/);
    serveList({ address: 'http://127.0.0.1:1/tiny.pt' });
    const down = await pull(newCache());
    assert.match(down.stderr, /127\.0\.0\.1:1\/tiny\.pt did not arrive/);
    serveList({ address: 7 });
    const odd = await pull(newCache());
    assert.match(odd.stderr, /zoo\.json is no list of models: "tiny" has no address/);
    serveList({});
  });

  test('of pictures that fails leads to pictures of your own', async () => {
    const set = /** @type {Uint8Array} */ (shelf.get('/set.zip'));
    shelf.delete('/set.zip');
    const gone = await pull(newCache());
    shelf.set('/set.zip', Buffer.from('PK no zip'));
    const broken = await pull(newCache());
    shelf.set('/set.zip', set);
    assert.equal(gone.code, 1);
    assert.match(gone.stderr, /set\.zip is not there.*--calib photos\//);
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /set\.zip can't be unpacked/);
  });

  test('into a folder that can have no files is said', async () => {
    const { code, stderr } = await pull('/dev/null');
    assert.equal(code, 1);
    assert.match(stderr, /can't be written/);
  });
});

test('the list that comes with wisp is sound', async () => {
  const file = new URL('../../models/zoo.json', import.meta.url);
  const { models, pictures, licences } = JSON.parse(readFileSync(file, 'utf8'));
  for (const { name, file, address, licence, pictures: set } of models) {
    if (file) continue;
    assert.equal(path.basename(new URL(address).pathname), `${name}.pt`);
    assert.ok(licences[licence]);
    assert.ok(pictures.some((/** @type {{name: string}} */ one) => one.name === set));
  }
  const names = models.map((/** @type {{name: string}} */ { name }) => name);
  assert.equal(new Set(names).size, names.length);
});

const WEIGHTS = 'models/yolov5n.pt';
const PHOTOS = 'coco/calib';
test('the official yolov5n is what our list says, and is found by name', {
  skip: without(WEIGHTS, PHOTOS),
}, async () => {
  const whole = readFileSync(dataPath(WEIGHTS));
  const ours = new URL('../../models/zoo.json', import.meta.url);
  const { models } = JSON.parse(readFileSync(ours, 'utf8'));
  const entry = models.find((/** @type {{name: string}} */ { name }) => name === 'yolov5n');
  assert.equal(entry.sha256, sha256(whole));
  assert.equal(entry.bytes, whole.length);
  const names = readdirSync(dataPath(PHOTOS)).slice(0, 8);
  const photos = names.map((name) => [name, readFileSync(dataPath(`${PHOTOS}/${name}`))]);
  shelf.set('/yolov5n.pt', whole);
  shelf.set('/coco128.zip', zipSync(Object.fromEntries(photos), { level: 0 }));
  const list = {
    models: [{ ...entry, address: 'yolov5n.pt' }],
    pictures: [{ name: 'coco128', address: 'coco128.zip', about: 'eight', licence: 'theirs' }],
  };
  shelf.set('/zoo.json', Buffer.from(JSON.stringify(list)));
  const cache = newCache();
  breaks = [1 << 20];
  const pulled = await wisp(cache, 'pull', 'yolov5n', '--accept-licence');
  assert.equal(pulled.code, 0, pulled.stderr);
  const street = dataPath(`${PHOTOS}/${names[0]}`);
  const { stdout, stderr } = await wisp(cache, 'detect', 'yolov5n', street);
  const [boxes] = boxesIn(stdout);
  assert.ok(boxes.length > 0, stderr);
});
