// wisp annotate: pictures, films and streams against what detect finds in the same frames; breaks, stops, refusals.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Overlay, openCanvas, painted } from '../../cli/annotate/painter.js';
import { lineOf } from '../../cli/singles.js';
import { Detector } from '../../web/src/index.js';
import { decodeImage } from '../../web/src/reading/read-node.js';
import { encodePng, makePicture } from '../support/fixtures.js';
import { model, openSite, png } from '../support/site.js';
import { runWisp } from './command.js';

const has = (/** @type {string} */ program) => spawnSync(program, ['-version']).status === 0;
const skip = has('ffmpeg') && has('ffprobe') ? false : 'no ffmpeg here: node tools/setup.mjs film';
const LOW = ['--confidence', '0.2'];

/** @type {Awaited<ReturnType<typeof openSite>>} */ let site;
/** @type {Detector} */ let detector;
before(async () => {
  site = await openSite();
  detector = await Detector.open(model, { threads: 1 });
});
after(async () => {
  await detector?.close();
  site?.close();
});

const at = (/** @type {string[]} */ ...names) => path.join(site.folder, ...names);

/** @param {string[]} words @param {Parameters<typeof runWisp>[1]} [options] */
const annotate = (words, options) =>
  runWisp(['annotate', 'tiny.wisp', ...LOW, ...words], { cwd: site.folder, ...options });

/** @param {string} text JSON Lines */
const parsed = (text) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Without what differs from run to run. @param {any} line */
const timeless = ({ times, file, ...rest }) => rest;

/** @param {string[]} words of ffmpeg */
function ffmpeg(...words) {
  const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-y', ...words], {
    cwd: site.folder,
  });
  assert.equal(status, 0, String(stderr));
}

/** A drawn film. @param {string} file @param {string} scene of ffmpeg's testsrc2 @param {string[]} words */
const film = (file, scene, ...words) =>
  ffmpeg('-f', 'lavfi', '-i', `testsrc2=${scene}`, ...words, file);

/** @param {string} file @returns {any} */
function facts(file) {
  const entries =
    'stream=codec_type,width,height,nb_read_frames,duration,sample_aspect_ratio,avg_frame_rate';
  const words = ['-v', 'error', '-count_frames', '-show_entries', entries, '-of', 'json', file];
  const { stdout, stderr } = spawnSync('ffprobe', words, { encoding: 'utf8', cwd: site.folder });
  assert.equal(stderr, '', 'the film is whole');
  const { streams } = JSON.parse(stdout);
  const of = (/** @type {string} */ type) =>
    streams.find((/** @type {any} */ one) => one.codec_type === type);
  const { nb_read_frames: frames, ...video } = of('video');
  return { ...video, frames: Number(frames), sound: of('audio') };
}

describe('pictures', () => {
  before(() => {
    mkdirSync(at('photos'));
    for (const seed of [1, 2])
      writeFileSync(at('photos', `${seed}.png`), encodePng(makePicture({ seed })));
    writeFileSync(at('photos', 'cut.png'), png.subarray(0, 99));
  });

  test('get boxes drawn in, and lines as detect prints; what is no picture is said', async () => {
    const { code, stdout, stderr } = await annotate(['--source', 'photos']);
    assert.equal(code, 1, 'one of them is cut');
    assert.match(stderr, /^wisp: photos.cut\.png: .*\n$/);
    assert.equal(stdout, `${path.join('annotation-results', '1')}\n`);
    const folder = stdout.trim();
    assert.deepEqual(readdirSync(at(folder)), ['1.png', '2.png', 'boxes.jsonl']);
    const lines = parsed(readFileSync(at(folder, 'boxes.jsonl'), 'utf8'));
    const found = await runWisp(['detect', 'tiny.wisp', ...LOW, 'photos/1.png', 'photos/2.png'], {
      cwd: site.folder,
    });
    assert.deepEqual(lines.map(timeless), parsed(found.stdout).map(timeless));
    const library = await openCanvas();
    const picture = await decodeImage(encodePng(makePicture({ seed: 1 })));
    const drawn = painted(library, picture, lines[0]);
    const copy = await decodeImage(readFileSync(at(folder, '1.png')));
    assert.ok(lines[0].boxes.length > 3);
    assert.deepEqual(Buffer.from(copy.data), drawn.data());
  });

  test('go into a new folder each time, numbered or named', async () => {
    const second = await annotate(['--source', 'picture.png']);
    assert.match(second.stdout, /annotation-results.2\n/);
    for (const name of ['mine', 'mine-2']) {
      const { stdout } = await annotate([
        '--source',
        'picture.png',
        '--name',
        'mine',
        '--save-dir',
        'out',
      ]);
      assert.equal(stdout.trim(), path.join('out', name));
    }
  });

  test('are only looked at with --no-save', async () => {
    const before = readdirSync(site.folder);
    const { code, stdout } = await annotate(['--source', `${site.url}/picture.png`, '--no-save']);
    assert.equal(code, 0);
    const [line] = parsed(stdout);
    assert.deepEqual(
      [line.width, line.file],
      [320, `${site.url}/picture.png`].map((x, i) => (i ? x : line.width)),
    );
    assert.ok(line.boxes.length > 5);
    assert.deepEqual(readdirSync(site.folder), before);
  });

  test('need no ffmpeg, and a library that is named where it is missing', async () => {
    const hook = `export async function resolve(name, context, next) {
      if (name !== '@napi-rs/canvas') return next(name, context);
      throw Object.assign(new Error('none'), { code: 'ERR_MODULE_NOT_FOUND' });
    }`;
    writeFileSync(at('hook.mjs'), hook);
    writeFileSync(
      at('without.mjs'),
      `import { register } from 'node:module'; register('./hook.mjs', import.meta.url);`,
    );
    const env = { NODE_OPTIONS: `--import=${at('without.mjs')}`, PATH: '' };
    const refused = await annotate(['--source', 'picture.png'], { env });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /npm install @napi-rs\/canvas.*\[WISP_ERR_UNSUPPORTED\]/);
    const boxes = await annotate(['--source', 'picture.png', '--no-save'], { env });
    assert.equal(boxes.code, 0, boxes.stderr);
  });
});

test('what is drawn over a frame is what is drawn into a picture', async () => {
  const library = await openCanvas();
  const picture = await decodeImage(encodePng(makePicture({ seed: 5 })));
  const result = await detector.detect(picture, { confidence: 0.1 });
  assert.ok(result.boxes.length > 10);
  const ring = Uint8Array.from({ length: 50 * 40 }, (_, i) =>
    Number(Math.hypot((i % 50) - 25, i / 50 - 20) < 18),
  );
  result.boxes[1].mask = { x: 20, y: 30, width: 50, height: 40, data: ring };
  const whole = painted(library, picture, result).data();
  const overlay = new Overlay(library);
  for (let turn = 0; turn < 2; turn++) {
    const frame = { ...picture, data: new Uint8ClampedArray(picture.data) };
    overlay.paint(frame, result);
    let most = 0;
    for (let i = 0; i < whole.length; i++)
      most = Math.max(most, Math.abs(whole[i] - frame.data[i]));
    assert.ok(most <= 3, `${most} levels apart, the second time over a canvas that must be clear`);
  }
});

describe('films', { skip }, () => {
  before(() => {
    const sound = ['-f', 'lavfi', '-i', 'sine=frequency=300', '-shortest', '-c:a', 'aac'];
    film('short.mp4', 'size=320x240:rate=10:duration=3', ...sound);
    film('long.mp4', 'size=320x240:rate=10:duration=90', '-f', 'lavfi', '-i', 'sine', '-shortest');
  });

  /** @param {string[]} words */
  async function copyOf(...words) {
    const { code, stdout, stderr } = await annotate(words);
    assert.equal(code, 0, stderr);
    const [video, lines] = readdirSync(at(stdout.trim())).sort().reverse();
    const file = at(stdout.trim(), video);
    return {
      ...facts(file),
      stderr,
      lines: parsed(readFileSync(at(stdout.trim(), lines), 'utf8')),
    };
  }

  test('keep their frames, pace and sound; lines are what detect finds in each frame', async () => {
    const copy = await copyOf('--source', 'short.mp4');
    assert.deepEqual(
      [copy.frames, copy.width, copy.height, copy.avg_frame_rate, copy.lines.length],
      [30, 320, 240, '10/1', 30],
    );
    assert.ok(Math.abs(copy.sound.duration - 3) < 0.1);
    assert.match(copy.stderr, /short\.mp4: 30 frames, [\d.]+ a second\n$/);
    mkdirSync(at('frames'));
    ffmpeg('-i', 'short.mp4', '-pix_fmt', 'rgba', '-fps_mode', 'passthrough', 'frames/%02d.png');
    for (const [i, name] of readdirSync(at('frames')).sort().entries()) {
      const result = await detector.detect(at('frames', name), { confidence: 0.2 });
      const line = JSON.parse(lineOf({ frame: i, time: i / 10 }, result));
      assert.deepEqual(timeless(copy.lines[i]), timeless(line));
    }
    assert.ok(copy.lines.some((/** @type {any} */ { boxes }) => boxes.length > 0));
  });

  test('of odd sides, turned, of oblong pixels, without sound', async () => {
    film('odd.mp4', 'size=320x240:rate=5:duration=1', '-vf', 'scale=321:241,format=yuv444p');
    const odd = await copyOf('--source', 'odd.mp4');
    assert.deepEqual([odd.width, odd.height, odd.frames, odd.sound], [322, 242, 5, undefined]);
    ffmpeg('-i', 'short.mp4', '-c', 'copy', '-an', '-metadata:s:v', 'rotate=90', 'turned.mp4');
    const turned = await copyOf('--source', 'turned.mp4');
    assert.deepEqual([turned.width, turned.height, turned.lines[0].width], [240, 320, 240]);
    film('oblong.mp4', 'size=320x240:rate=5:duration=1', '-vf', 'setsar=4/3');
    assert.equal((await copyOf('--source', 'oblong.mp4')).sample_aspect_ratio, '4:3');
  });

  test('of an uneven pace keep their length; --target-fps takes fewer frames', async () => {
    const uneven = [
      '-vf',
      'select=not(eq(mod(n\\,7)\\,3)),setpts=PTS+0.03*sin(N)/TB',
      '-fps_mode',
      'vfr',
    ];
    film('uneven.mkv', 'size=320x240:rate=20:duration=3', ...uneven);
    const even = await copyOf('--source', 'uneven.mkv');
    assert.ok(Math.abs(Number(even.duration) - 3) < 0.2, even.duration);
    film('counted.mkv', 'size=320x240:rate=30000/1001:duration=3');
    const counted = facts('counted.mkv').frames;
    assert.equal((await copyOf('--source', 'counted.mkv')).frames, counted);
    const fewer = await copyOf('--source', 'short.mp4', '--target-fps', '5');
    assert.deepEqual([fewer.frames, fewer.avg_frame_rate], [15, '5/1']);
  });

  test('that are stopped play, as long as they are', async () => {
    /** @type {any} */ let child;
    const running = annotate(['--source', 'long.mp4', '--save-dir', 'stopped'], {
      onStart: (started) => (child = started),
    });
    const written = () => {
      try {
        return readFileSync(at('stopped', '1', 'long.jsonl'), 'utf8').split('\n').length - 1;
      } catch {
        return 0;
      }
    };
    while (written() < 20) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill('SIGINT');
    const { code, stderr } = await running;
    assert.equal(code, 130, stderr);
    const copy = facts(at('stopped', '1', 'long.mp4'));
    assert.equal(copy.frames, written());
    assert.ok(copy.frames >= 20 && copy.frames < 900, String(copy.frames));
    assert.ok(Math.abs(copy.sound.duration - copy.duration) < 0.2);
    assert.deepEqual(readdirSync(at('stopped', '1')), ['long.jsonl', 'long.mp4']);
  });

  test('print lines as they are found, with --no-save', async () => {
    const { code, stdout } = await annotate(['--source', 'short.mp4', '--no-save']);
    assert.equal(code, 0);
    assert.equal(parsed(stdout).length, 30);
  });

  test('that the disk has no room for end with a sentence', async () => {
    const { code, stderr } = await annotate(['--source', 'long.mp4'], { blocks: 100 });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /wisp: .*long.*\.mp4 can't be written: ffmpeg says ".+"\. \[WISP_ERR_FETCH\]\n/,
    );
  });

  test('that are none, or that no ffmpeg is there for, are refused', async () => {
    writeFileSync(at('none.mp4'), 'no film');
    const none = await annotate(['--source', 'none.mp4']);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /none\.mp4 is no film that ffmpeg reads: .*\[WISP_ERR_SOURCE\]/);
    const without = await annotate(['--source', 'short.mp4'], { env: { PATH: '' } });
    assert.equal(without.code, 1);
    assert.match(without.stderr, /need ffmpeg, which can't be run here.*\[WISP_ERR_UNSUPPORTED\]/);
    const camera = await annotate(['--source', '4711']);
    assert.match(camera.stderr, /camera 4711|on (win32|darwin)/i);
  });
});

describe('streams', { skip }, () => {
  /** @type {import('node:net').Server | undefined} */ let server;
  /** @type {Set<import('node:child_process').ChildProcess>} */ const senders = new Set();
  after(() => {
    server?.close();
    for (const sender of senders) sender.kill('SIGKILL');
  });

  /**
   * ffmpeg sends a drawn film in real time to whoever connects; as often as it is told, then nobody listens.
   * @param {string} scene
   * @param {number} times
   * @returns {Promise<string>} its address
   */
  async function stream(scene, times) {
    server?.close();
    let left = times;
    const listening = createServer((socket) => {
      if (--left <= 0) listening.close();
      const source = ['-re', '-f', 'lavfi', '-i', `testsrc2=${scene}`];
      const words = [...source, '-c:v', 'mpeg2video', '-q:v', '3', '-f', 'mpegts', 'pipe:1'];
      const sender = spawn('ffmpeg', ['-v', 'error', ...words], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      senders.add(sender);
      socket.on('error', () => sender.kill());
      sender.stdout.pipe(socket);
    });
    server = listening;
    await new Promise((resolve) => listening.listen(0, '127.0.0.1', () => resolve(undefined)));
    return `tcp://127.0.0.1:${/** @type {any} */ (listening.address()).port}`;
  }

  test('that break are taken up again, and given up at last; the film plays', async () => {
    const address = await stream('size=320x240:rate=25:duration=1.5', 2);
    const { code, stdout, stderr } = await annotate(['--source', address, '--retries', '2']);
    assert.equal(code, 1);
    const waits = [...stderr.matchAll(/has broken off \(.*\); again in ([\d.]+) s/g)].map(
      ([, s]) => s,
    );
    assert.deepEqual(waits, ['0.5', '0.5', '1']);
    assert.match(stderr, /did not come back in 2 attempts/);
    const folder = at(
      'annotation-results',
      readdirSync(at('annotation-results'))
        .sort((a, b) => Number(a) - Number(b))
        .at(-1) ?? '',
    );
    const [lines] = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
    const times = parsed(readFileSync(path.join(folder, lines), 'utf8')).map(({ time }) => time);
    const gaps = times.map((time, i) => time - (times[i - 1] ?? 0));
    assert.equal(gaps.filter((gap) => gap > 0.45).length > 0, true, 'the break is in the times');
    const copy = facts(path.join(folder, lines.replace('jsonl', 'mp4')));
    assert.ok(copy.frames > 25, `${copy.frames} frames`);
    assert.ok(stdout.includes('annotation-results'));
  });

  test('that come faster than boxes are found lose frames', async () => {
    const address = await stream('size=320x240:rate=100:duration=3', 1);
    const words = ['--source', address, '--retries', '0', '--no-save', '--tiles', '10x10'];
    const { stdout, stderr } = await annotate([...words, '--threads', '1']);
    const [, frames, dropped] = /(\d+) frames, .* (\d+) dropped to keep up/.exec(stderr) ?? [];
    assert.ok(Number(dropped) > 0, stderr);
    assert.equal(parsed(stdout).length, Number(frames));
    assert.ok(Number(frames) + Number(dropped) <= 300);
  });

  test('that never were there are refused, and passwords not told', async () => {
    const { code, stderr } = await annotate(['--source', 'rtsp://me:secret@127.0.0.1:1/a']);
    assert.equal(code, 1);
    assert.match(stderr, /^wisp: rtsp:\/\/127\.0\.0\.1:1\/a: .*refused/);
    assert.doesNotMatch(stderr, /secret/);
  });
});
