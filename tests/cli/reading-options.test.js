// --background and --max-pixels of `wisp press` and `wisp serve`: what the same options of JavaScript do.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { single } from '../../cli/singles.js';
import { Detector } from '../../web/src/index.js';
import { decodeImage } from '../../web/src/reading/read-node.js';
import { encodePng, makePicture } from '../support/fixtures.js';
import { fileNamed, laidOn } from '../support/picture-files.js';
import { CliFolder } from './cli-folder.js';
import { serveWisp } from './command.js';

const SEEN_THROUGH = ['png-rgba.png', 'png-key.png', 'webp-alpha.webp']; // 61 × 43
const BLUE = { word: '#204060', bytes: [0x20, 0x40, 0x60] };
const TOO_MANY = 'Its 61 × 43 pixels are too many: maxPixels is 2000.';

/** @type {CliFolder} */
let folder;
before(async () => {
  folder = await CliFolder.open();
  for (const name of ['clear', 'white', 'blue', 'sizes']) mkdirSync(folder.at(name));
  for (const [i, name] of SEEN_THROUGH.entries()) {
    const picture = await decodeImage(fileNamed(name));
    folder.write(`clear/${i}-${name}`, fileNamed(name));
    folder.write(`white/${i}.png`, encodePng(laidOn(picture)));
    folder.write(`blue/${i}.png`, encodePng(laidOn(picture, BLUE.bytes)));
  }
  folder.write('sizes/large.png', fileNamed('png-rgb.png'));
  folder.write('sizes/small.png', encodePng(makePicture({ width: 40, height: 40 })));
});
after(() => folder.close());

describe('wisp press', () => {
  /** The file that comes of these pictures. @param {string} pictures @param {string[]} more */
  async function pressed(pictures, ...more) {
    const words = ['press', 'best.onnx', '--calib', pictures, '-o', 'out.wisp', ...more];
    const { code, stderr } = await folder.wisp(words);
    assert.equal(code, 0, stderr);
    return { file: readFileSync(folder.at('out.wisp')).toString('base64'), stderr };
  }

  test('lays transparent pictures on white, or on the background', async () => {
    const [white, blue] = [await pressed('white'), await pressed('blue')];
    assert.notEqual(white.file, blue.file);
    assert.equal((await pressed('clear')).file, white.file);
    assert.equal((await pressed('clear', '--background', BLUE.word)).file, blue.file);
  });

  test('leaves out what has more pixels, and says which', async () => {
    const { file, stderr } = await pressed('sizes', '--max-pixels', '2000');
    assert.match(stderr, new RegExp(`sizes/large\\.png: ${TOO_MANY} It is left out\\.`));
    assert.equal(file, (await pressed('sizes/small.png')).file);
    const words = ['press', 'best.onnx', '--calib', 'clear', '--max-pixels', '2000'];
    const { code, stderr: refused } = await folder.wisp([...words, '-o', 'none.wisp']);
    assert.equal(code, 1);
    assert.match(refused, /^wisp: clear: no picture that can be read in it; the press needs some/m);
  });

  test('refuses what is no colour and no number of pixels', async () => {
    const words = ['press', 'best.onnx', '--calib', 'clear', '-o', 'none.wisp'];
    const { stderr } = await folder.wisp([...words, '--background', 'blue']);
    assert.match(stderr, /--background.*blue.*#ffffff/);
    const refused = await folder.wisp([...words, '--max-pixels', '0']);
    assert.match(refused.stderr, /--max-pixels.*0/);
  });
});

test('wisp serve', async (t) => {
  const words = ['made.wisp', '--detectors', '1', '--confidence', '0.01'];
  const limits = ['--background', BLUE.word, '--max-pixels', '2623'];
  const server = await serveWisp([...words, ...limits], folder.path);
  t.after(() => server.close());
  const detector = await Detector.open(folder.at('made.wisp'), { threads: 1 });
  t.after(() => detector.close());
  const post = async (/** @type {Uint8Array<ArrayBuffer>} */ bytes, /** @type {string} */ name) => {
    const body = new FormData();
    body.append('request', new Blob([bytes]), name);
    const answer = await fetch(`${server.url}/predict/from_files`, { method: 'POST', body });
    return { status: answer.status, ...(await answer.json()) };
  };
  for (const name of SEEN_THROUGH) {
    const { scores } = await post(fileNamed(name), name);
    const scoresOn = async (/** @type {string | undefined} */ background) => {
      const { boxes } = await detector.detect(fileNamed(name), { confidence: 0.01, background });
      return boxes.map(({ score }) => single(score));
    };
    assert.ok(scores[0].length > 5, name);
    assert.deepEqual(scores[0], await scoresOn(BLUE.word), name);
    assert.notDeepEqual(scores[0], await scoresOn(undefined), name);
  }
  const large = encodePng(makePicture({ width: 64, height: 41 }));
  const { status, code, error } = await post(new Uint8Array(large), 'large.png');
  assert.deepEqual(
    { status, code, error },
    {
      status: 400,
      code: 'WISP_ERR_SOURCE',
      error: 'large.png: Its 64 × 41 pixels are too many: maxPixels is 2623.',
    },
  );
});
