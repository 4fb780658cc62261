// The life of a Detector in Node: progress, order, aborts, end, and what is left behind: nothing.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { codeOf, referencesOf } from '../../bench/networks/imports.js';
import { root } from '../../tools/places.mjs';
import { Engine } from '../../web/src/detect/engine.js';
import { runtimeFiles } from '../../web/src/detect/runtime-files.js';
import { chooseVariant } from '../../web/src/detect/variant.js';
import { Detector } from '../../web/src/index.js';
import { pack } from '../../web/src/picture/pack.js';
import { Spares } from '../../web/src/picture/spares.js';
import { makePicture } from '../support/fixtures.js';
import { model, openSite, picture } from '../support/site.js';

const options = { confidence: 0.2 };

/** @type {Awaited<ReturnType<typeof openSite>>} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site.close());

test('progress counts up in each phase', async () => {
  /** @type {import('../../web/src/index.js').Progress[]} */
  const seen = [];
  const detector = await Detector.open(new Blob([model]).stream(), {
    onProgress: (progress) => seen.push(progress),
  });
  await detector.close();
  for (const phase of ['engine', 'model', 'warmup']) {
    const steps = seen.filter((step) => step.phase === phase);
    assert.ok(steps.length > 0, phase);
    assert.ok(steps.every(({ loaded }, i) => i === 0 || loaded >= steps[i - 1].loaded));
    assert.equal(steps.at(-1)?.loaded, steps.at(-1)?.total);
  }
  assert.deepEqual(seen.at(-1), { phase: 'warmup', loaded: 1, total: 1 });
  assert.equal(seen.findLast(({ phase }) => phase === 'model')?.total, model.length);
});

describe('detect', () => {
  test('answers many callers, each with its own boxes', async () => {
    const detector = await Detector.open(model);
    const pictures = Array.from({ length: 12 }, (_, seed) => makePicture({ seed }));
    const expected = [];
    for (const one of pictures) expected.push((await detector.detect(one, options)).boxes);
    const together = await Promise.all(pictures.map((one) => detector.detect(one, options)));
    assert.deepEqual(
      together.map(({ boxes }) => boxes),
      expected,
    );
    await detector.close();
  });

  test('takes pictures of all sizes into memory that it shares, each once', async () => {
    const detector = await Detector.open(model, { threads: 2 });
    const sizes = [300, 700, 1500, 200, 1500, 400]; // 1500: more than there is room for at first
    const pictures = sizes.map((width, seed) => makePicture({ width, height: 900, seed }));
    const alone = await Detector.open(model, { threads: 1 });
    const expected = [];
    for (const one of pictures) expected.push((await alone.detect(one, options)).boxes);
    await alone.close();
    for (const wait of [true, false]) {
      const going = [];
      for (const one of pictures) {
        const bad = detector.detect([one, /** @type {any} */ ({ data: 1, width: 1, height: 1 })]);
        await assert.rejects(bad, { code: 'WISP_ERR_SOURCE' });
        const signal = AbortSignal.timeout(0);
        detector.detect(pictures[0], { signal }).catch(() => {}); // its room comes back all the same
        going.push(detector.detect(one, options));
        if (wait) await going.at(-1);
      }
      const boxes = (await Promise.all(going)).map((result) => result.boxes);
      assert.deepEqual(boxes, expected);
    }
    await detector.close();
  });

  test('can be aborted before, while waiting, while running', async () => {
    const detector = await Detector.open(model, { threads: 1 });
    const signal = AbortSignal.abort(new Error('not today'));
    await assert.rejects(detector.detect(picture, { signal }), /not today/);
    const stop = new AbortController();
    const going = Array.from({ length: 6 }, () =>
      detector.detect(picture, { ...options, signal: stop.signal }),
    );
    const last = detector.detect(picture, options);
    await Promise.race(going);
    stop.abort();
    const ends = await Promise.allSettled(going);
    const aborted = ends.filter((end) => end.status === 'rejected');
    assert.ok(aborted.length > 0);
    assert.ok(aborted.every(({ reason }) => reason.name === 'AbortError'));
    assert.ok((await last).boxes.length > 0);
    await detector.close();
  });

  test('needs no more memory the hundredth time', async () => {
    const choice = chooseVariant({ threads: 1, cores: 1 });
    const engine = await Engine.load(choice, runtimeFiles());
    engine.expect(320, 320, false);
    engine.feed(model);
    engine.open();
    const detect = () => {
      engine.frame(0, picture.width, picture.height).set(picture.data);
      return engine.detect(1, options)[0].boxes.length;
    };
    detect();
    const { memory } = engine.describeDetector();
    for (let i = 0; i < 100; i++) detect();
    assert.equal(engine.describeDetector().memory, memory);
    assert.equal(engine.describeRun().length, engine.describeModel().layers.length);
    engine.close();
    engine.feed(model); // an engine may be used again
    engine.expect(0, 0, true); // and told late what for
    engine.open();
    assert.ok(detect() > 0);
    engine.close();
    engine.close();
  });
});

test('the landing goes to one picture at a time and comes back unless it was too small', async () => {
  const spares = new Spares();
  const one = makePicture({ width: 8, height: 4 });
  const room = new Uint8Array(new SharedArrayBuffer(256), 64, 128);
  const kind = async (/** @type {typeof one} */ picture) => (await pack(picture, spares)).kind;
  assert.equal(await kind(one), 'raw');
  spares.keep([], room);
  const landed = { kind: 'landed', width: 8, height: 4, name: 'The picture' };
  assert.deepEqual(await pack(one, spares), landed);
  assert.deepEqual([...room], [...one.data]);
  assert.equal(await kind(one), 'raw', 'the worker has it');
  spares.takeBack([{ kind: 'landed', width: 8, height: 4 }]);
  const large = await pack(makePicture({ width: 9, height: 4 }), spares);
  assert.ok(large.kind === 'raw' && large.returnsLanding);
  assert.equal(await kind(one), 'raw', 'it went with the large one');
});

test('only a picture that has room can have landed', async () => {
  const alone = await Engine.load(chooseVariant({ threads: 1, cores: 1 }), runtimeFiles());
  assert.equal(alone.landing(64), undefined, 'its memory is not shared');
  const wish = { threads: 1, cores: 1, variant: /** @type {const} */ ('wisp-mt') };
  const engine = await Engine.load(chooseVariant(wish), runtimeFiles());
  assert.throws(() => engine.land(0, 4, 4), { code: 'WISP_ERR_MEMORY' });
  assert.equal(engine.landing(64)?.length, 64);
  engine.land(0, 4, 4);
  for (const [width, height] of [
    [4, 5],
    [65536, 65536],
    [0, 4],
    [-4, -4],
  ]) {
    assert.throws(() => engine.land(0, width, height), { code: 'WISP_ERR_MEMORY' });
  }
});

describe('open can be aborted', () => {
  test('before', async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(Detector.open(model, { signal }), { name: 'AbortError' });
  });

  for (const phase of ['engine', 'model', 'warmup']) {
    test(`in the phase ${phase}`, async () => {
      const stop = new AbortController();
      const onProgress = (/** @type {import('../../web/src/index.js').Progress} */ progress) => {
        if (progress.phase === phase) stop.abort(new Error(`in ${phase}`));
      };
      const opening = Detector.open(model, { signal: stop.signal, onProgress });
      await assert.rejects(opening, new RegExp(`in ${phase}`));
    });
  }

  test('while the model hangs on the way; the request ends too', async () => {
    const signal = AbortSignal.timeout(300);
    const opening = Detector.open(`${site.url}/slow.wisp`, { signal });
    await assert.rejects(opening, { name: 'TimeoutError' });
    for (let i = 0; i < 50 && site.openRequests() > 0; i++) await sleep(20);
    assert.equal(site.openRequests(), 0);
  });

  test('while a stream hangs; the stream is cancelled', async () => {
    const stop = new AbortController();
    let cancelled = false;
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(model.subarray(0, 100));
        return new Promise(() => {});
      },
      cancel: () => {
        cancelled = true;
      },
    });
    const opening = Detector.open(stream, { signal: stop.signal });
    setTimeout(() => stop.abort(), 200);
    await assert.rejects(opening, { name: 'AbortError' });
    await sleep(0);
    assert.ok(cancelled);
  });

  test('while other pieces hang', async () => {
    async function* pieces() {
      yield model.subarray(0, 100);
      await new Promise(() => {});
    }
    const signal = AbortSignal.timeout(1500); // the engine is there by then
    await assert.rejects(Detector.open(pieces(), { signal }), { name: 'TimeoutError' });
  });

  test('and after it, the signal has no say', async () => {
    const stop = new AbortController();
    const detector = await Detector.open(model, { signal: stop.signal });
    stop.abort();
    assert.ok((await detector.detect(picture, options)).boxes.length > 0);
    await detector.close();
  });
});

describe('close', () => {
  test('rejects what is under way and what comes, and may be called again', async () => {
    const detector = await Detector.open(model);
    const going = detector.detect(picture);
    const closing = [detector.close(), detector.close()];
    await assert.rejects(going, { code: 'WISP_ERR_CLOSED' });
    await assert.rejects(detector.detect(picture), { code: 'WISP_ERR_CLOSED' });
    await Promise.all(closing);
    await detector.close();
    detector[Symbol.dispose]();
    await detector[Symbol.asyncDispose]();
  });

  test('one detector does not touch another', async () => {
    const [first, second] = await Promise.all([Detector.open(model), Detector.open(model)]);
    await first.close();
    assert.ok((await second.detect(picture, options)).boxes.length > 0);
    await second.close();
  });
});

describe('a process', () => {
  /** @param {string} script with Detector, model and picture at hand */
  async function runScript(script) {
    const start = `
      import { Detector } from ${JSON.stringify(pathToFileURL(path.join(root, 'web/src/index.js')))};
      import { model, picture } from ${JSON.stringify(pathToFileURL(path.join(root, 'tests/support/site.js')))};`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', start + script]);
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    const timer = setTimeout(() => child.kill(), 20_000);
    const code = await new Promise((resolve) => child.on('close', resolve));
    clearTimeout(timer);
    return { code, output: output.trim() };
  }

  test('ends by itself when close is forgotten, yet not before the boxes', async () => {
    const { code, output } = await runScript(`
      const detector = await Detector.open(model, { threads: 2 });
      const { boxes } = await detector.detect(picture, { confidence: 0.2 });
      console.log(boxes.length > 0);`);
    assert.deepEqual({ code, output }, { code: 0, output: 'true' });
  });

  test('ends by itself after close', async () => {
    const { code, output } = await runScript(`
      const detector = await Detector.open(model, { threads: 2 });
      await detector.close();
      console.log('closed');`);
    assert.deepEqual({ code, output }, { code: 0, output: 'closed' });
  });

  test('ends by itself after an open that failed', async () => {
    const { code, output } = await runScript(`
      await Detector.open('no.wisp').catch((error) => console.log(error.code));`);
    assert.deepEqual({ code, output }, { code: 0, output: 'WISP_ERR_FETCH' });
  });

  test('importing wisp does nothing', async () => {
    const { code, output } = await runScript(`
      const before = process.getActiveResourcesInfo().length;
      for (const name of ['Worker', 'document', 'window', 'navigator', 'fetch']) {
        Object.defineProperty(globalThis, name, { get() { throw new Error(name + ' was read'); } });
      }
      for (const name of ['index', 'press', 'codes']) {
        await import(${JSON.stringify(pathToFileURL(path.join(root, 'web/src/')))} + name + '.js?again');
      }
      console.log(process.getActiveResourcesInfo().length - before);`);
    assert.deepEqual({ code, output }, { code: 0, output: '0' });
  });
});

describe('the files a browser gets', () => {
  const folder = path.join(root, 'web', 'src');

  /** What loads with `name`, itself too. @param {string} name @returns {Set<string>} from web/src */
  function graph(name) {
    const seen = new Set([name]);
    for (const from of seen) {
      const text = readFileSync(path.join(folder, from), 'utf8');
      for (const { by, to } of referencesOf(from, text)) {
        if (by !== 'import') continue; // what import() brings is loaded when met
        assert.ok(existsSync(path.join(folder, to)), `${from} imports ${to}`);
        seen.add(to);
      }
    }
    return seen;
  }

  test('import nothing of Node, and no more of pictures than they need', () => {
    const [page, worker] = ['index.js', 'detect/worker.js'].map((entry) => [...graph(entry)]);
    for (const names of [page, worker])
      assert.ok(!names.some((name) => name.endsWith('-node.js')), names.join(' '));
    const pictures = (/** @type {string[]} */ names) =>
      names.filter((name) => /^(picture|reading)\//.test(name)).sort();
    const inFolder = (/** @type {string} */ folder, /** @type {string[]} */ ...names) =>
      names.map((name) => `${folder}/${name}.js`);
    assert.deepEqual(pictures(page), inFolder('picture', 'pack', 'picture', 'spares'));
    const files = ['browser-files', 'browser-habits', 'header', 'jpeg-end', 'orientation'];
    const reading = inFolder('reading', ...files, 'read-browser', 'read');
    assert.deepEqual(pictures(worker), ['picture/picture.js', ...reading]);
  });

  test('start workers where bundlers look for them', () => {
    for (const name of readdirSync(folder, { encoding: 'utf8', recursive: true })) {
      if (!name.endsWith('.js')) continue;
      const text = readFileSync(path.join(folder, name), 'utf8');
      const own = text.match(/new URL\('[^']*worker\.js', import\.meta\.url\)/g) ?? [];
      const seen = text.match(/new Worker\(new URL\('[^']*worker\.js', import\.meta\.url\)/g) ?? [];
      assert.equal(seen.length, own.length, `${name}: a bundler copies ${own} as it is`);
    }
    for (const [name, worker] of [
      ['detect/worker-files.js', 'worker.js'],
      ['pressing/press-worker-files.js', 'press-worker.js'],
    ]) {
      const text = readFileSync(path.join(folder, name), 'utf8');
      assert.ok(text.includes(`new Worker(new URL('./${worker}'`), name);
    }
  });

  test('start no worker that a worker loads', () => {
    for (const entry of ['detect/worker.js', 'pressing/press-worker.js']) {
      for (const name of graph(entry)) {
        const code = codeOf(readFileSync(path.join(folder, name), 'utf8'));
        assert.doesNotMatch(code, /new Worker\(/, `${entry} loads ${name}`);
      }
    }
  });

  test('evaluate no text, and make blob: workers of one line for other origins only', () => {
    const glue = readdirSync(path.join(root, 'dist')).filter((name) => /^wisp.*\.mjs$/.test(name));
    assert.equal(glue.length, 4);
    const files = [...glue.map((name) => path.join(root, 'dist', name))];
    for (const name of new Set([...graph('index.js'), ...graph('detect/worker.js')])) {
      files.push(path.join(folder, name));
    }
    for (const file of files) {
      const text = readFileSync(file, 'utf8');
      assert.doesNotMatch(text, /\beval\(|new Function\b/, file);
      const makes = file.endsWith('new-worker.js');
      assert.equal(text.includes('createObjectURL'), makes, file);
    }
  });
});

test('twelve at once hang on one listener of their signal, and then on none', async () => {
  const { signal } = new AbortController();
  const detector = await Detector.open(model, { threads: 1, signal });
  const all = Array.from({ length: 12 }, () => detector.detect(picture, { signal }));
  assert.equal(getEventListeners(signal, 'abort').length, 1);
  const results = await Promise.all(all);
  assert.equal(results.length, 12);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  await detector.close();
});

test('a detector behind a Proxy detects, says what runs and closes', async () => {
  const detector = new Proxy(await Detector.open(model, { threads: 1 }), {});
  const { boxes } = await detector.detect(picture);
  assert.ok(boxes.length > 0);
  assert.equal(detector.info.threads, 1);
  await detector.close();
  await assert.rejects(detector.detect(picture), { code: 'WISP_ERR_CLOSED' });
});
