// Damaged pictures of every format, thousands in a row: each gets boxes or a sentence, the good ones between them stay
// right, and memory stays where it is.
//   WISP_DAMAGED=10000 node --test tests/cli/damaged-pictures.test.js      more of them

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { Detector, WispError } from '../../web/src/index.js';
import { drawEdit, edited } from '../support/edits.js';
import { makeRandom } from '../support/fixtures.js';
import { fileNamed, names } from '../support/picture-files.js';
import { model, openSite } from '../support/site.js';
import { serveWisp } from './command.js';

const COUNT = Number(process.env.WISP_DAMAGED ?? 3000);
const SERVED = Math.ceil(COUNT / 3);
const WARM_UP = 0.5; // of the pictures: every decoder has been met, and the heaps have found their sizes
const MOST_GROWTH = 50e6; // bytes
const EVERY = 20; // pictures: a good one comes
const LOOKS = 20; // at the memory
const SOME = 5; // of these: what waits for the garbage collector makes single ones higher

/** What formats say of themselves, in hexadecimal digits: markers, chunks and boxes that steer decoders. */
const WORDS = ['ffd8', 'ffd9', 'ffda', 'ffc0', 'ffc2', 'ffc4', 'ffdb', '49484452', '49444154']
  .concat(['56503820', '5650384c', '414e4d46', '414c5048', '2c', '21f9', '69737065', '6d646174'])
  .concat(['0100', '0101', '0103', '0111', '0117', '7fffffff', '00010000', '0000ffff']);

const files = names.map((name) => ({ name, bytes: fileNamed(name) }));

/** @param {number} seed */
function drawing(seed) {
  const random = makeRandom(seed);
  return (/** @type {number} */ below) => Math.floor(random() * below);
}

/** One to four damages to one of the files. @param {number} seed */
function damaged(seed) {
  const draw = drawing(seed);
  const { name, bytes } = files[draw(files.length)];
  const other = files[draw(files.length)].bytes;
  let file = bytes;
  for (let n = 1 + draw(4); n > 0 && file.length > 0; n--)
    file = new Uint8Array(edited(file, [drawEdit(file, other, WORDS, draw)]));
  if (draw(2)) seal(file);
  return { name: `${name}, seed ${seed}`, file };
}

/** Right checksums, so that the damage comes as far as the pixels. @param {Uint8Array} file of any format */
function seal(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (file.length < 8 || view.getUint32(0) !== 0x89504e47) return;
  for (let at = 8; at + 12 <= file.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > file.length) return;
    view.setUint32(end, crc32(file.subarray(at + 4, end)));
    at = end + 4;
  }
}

/** Looks at the resident memory now and then once the warm-up is over. */
class Memory {
  #count;
  #resident;
  /** @type {number[]} */
  #seen = [];

  /** @param {number} count of pictures to come @param {() => number | Promise<number>} resident bytes */
  constructor(count, resident) {
    this.#count = count;
    this.#resident = resident;
  }

  /** @param {number} done pictures */
  async look(done) {
    if (done % Math.ceil(this.#count / LOOKS) > 0 || done < this.#count * WARM_UP) return;
    this.#seen.push(await this.#resident());
  }

  /** Bytes that stay. */
  get growth() {
    return Math.min(...this.#seen.slice(-SOME)) - Math.min(...this.#seen.slice(0, SOME));
  }

  get words() {
    const looks = this.#seen.map((bytes) => (bytes / 1e6).toFixed(0)).join(' ');
    return `after ${this.#count * WARM_UP} pictures to warm up ${looks} MB resident`;
  }
}

/** @param {import('../../web/src/index.js').Result} result */
const boxesOf = ({ boxes, width, height }) => JSON.stringify({ boxes, width, height });

test(`${COUNT} damaged pictures: boxes or a sentence each, and no more memory`, async (t) => {
  const detector = await Detector.open(model, { threads: 1 });
  t.after(() => detector.close());
  const right = new Map();
  for (const { name, bytes } of files) right.set(name, boxesOf(await detector.detect(bytes)));
  const memory = new Memory(COUNT, () => process.memoryUsage.rss());
  const counts = { read: 0, refused: 0 };
  for (let seed = 0; seed < COUNT; seed++) {
    const { name, file } = damaged(seed);
    try {
      const { boxes } = await detector.detect(file, { maxPixels: 4e6 });
      assert.ok(Array.isArray(boxes), name);
      counts.read++;
    } catch (thrown) {
      counts.refused++;
      assert.ok(thrown instanceof WispError, `${name}: ${thrown}`);
      assert.match(
        `${thrown.code}: ${thrown.message}`,
        /^WISP_ERR_SOURCE: The picture: .+\.$/,
        name,
      );
    }
    if (seed % EVERY === 0) {
      const good = files[(seed / EVERY) % files.length];
      assert.equal(boxesOf(await detector.detect(good.bytes)), right.get(good.name), good.name);
    }
    await memory.look(seed + 1);
  }
  t.diagnostic(`${counts.read} read, ${counts.refused} refused; ${memory.words}`);
  assert.ok(
    counts.refused > COUNT / 5 && counts.read > COUNT / 20,
    'the damages are of all degrees',
  );
  assert.ok(memory.growth < MOST_GROWTH, memory.words);
});

/** @param {Uint8Array<ArrayBuffer>} bytes @param {string} name */
function posted(bytes, name) {
  const body = new FormData();
  body.append('request', new Blob([bytes]), name);
  return { method: 'POST', body };
}

test(`wisp serve: ${SERVED} damaged pictures likewise`, async (t) => {
  const site = await openSite();
  const words = ['tiny.wisp', '--detectors', '2', '--confidence', '0.2', '--max-pixels', '4000000'];
  words.push('--deadline', '600'); // however slow this machine is just now
  const server = await serveWisp(words, site.folder);
  t.after(async () => {
    await server.close();
    site.close();
  });
  const count = async (/** @type {RegExp} */ pattern) =>
    Number(pattern.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]);
  const post = async (/** @type {Uint8Array<ArrayBuffer>} */ bytes, /** @type {string} */ name) => {
    const answer = await fetch(`${server.url}/predict/from_files`, posted(bytes, name));
    return { status: answer.status, text: await answer.text() };
  };
  const [good] = files;
  const right = await post(good.bytes, good.name);
  assert.equal(right.status, 200);
  const memory = new Memory(SERVED, () => count(/^process_resident_memory_bytes (\d+)/m));
  for (let seed = 0; seed < SERVED; seed++) {
    const { name, file } = damaged(1e6 + seed);
    const { status, text } = await post(file, 'a picture');
    assert.ok(status === 200 || status === 400, `${name}: ${status} ${text}`);
    if (status === 400) assert.match(JSON.parse(text).error, /^a picture: .+\.$/, name);
    if (seed % EVERY === 0) assert.deepEqual(await post(good.bytes, good.name), right);
    await memory.look(seed + 1);
  }
  t.diagnostic(memory.words);
  assert.equal(await count(/^wisp_deaths\{model="tiny"\} (\d+)/m), 0);
  assert.ok(memory.growth < MOST_GROWTH, memory.words);
});
