// What goes wrong is told in a code and a sentence that names the value; nothing else breaks with it.

import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root } from '../../tools/places.mjs';
import { Engine } from '../../web/src/detect/engine.js';
import { chooseVariant } from '../../web/src/detect/variant.js';
import { Detector, WispError } from '../../web/src/index.js';
import { readPicture } from '../../web/src/reading/read.js';
import { withHeader } from '../support/fixtures.js';
import { model, openSite, picture, png } from '../support/site.js';

const options = { confidence: 0.2 };

/** @type {Awaited<ReturnType<typeof openSite>>} */
let site;
before(async () => {
  site = await openSite();
});
after(() => site.close());

const inFolder = (/** @type {string} */ name) => path.join(site.folder, name);

/** @param {Promise<unknown>} promise @param {string} code @param {RegExp} sentence */
async function refuses(promise, code, sentence) {
  await assert.rejects(promise, (/** @type {any} */ error) => {
    assert.ok(error instanceof WispError, `${error?.stack}`);
    assert.equal(error.code, code);
    assert.match(error.message, sentence);
    return true;
  });
}

async function* failing() {
  yield model.subarray(0, 100);
  throw new Error('socket hang up');
}

describe('errors are sentences', () => {
  /** @type {Detector} */ let detector;
  before(async () => {
    detector = await Detector.open(model, { threads: 1 });
  });
  after(() => detector.close());

  const open = (/** @type {any} */ from, /** @type {any} */ opening = {}) =>
    Detector.open(from, { threads: 1, ...opening });
  const detect = (/** @type {any} */ source, /** @type {any} */ more = {}) =>
    detector.detect(source, more);
  const changed = (/** @type {number} */ at) =>
    model.map((byte, i) => (i === at ? byte ^ 0x20 : byte));

  /** @type {[string, () => Promise<unknown>, string, RegExp][]} */
  const cases = [
    ['a missing file', () => open(inFolder('no.wisp')), 'FETCH', /no\.wisp: there is no such file/],
    ['404', () => open(`${site.url}/no.wisp`), 'FETCH', /\/no\.wisp is not there.* 404 Not Found/],
    [
      'no server',
      () => open('http://127.0.0.1:65500/x.wisp'),
      'FETCH',
      /:65500\/x\.wisp.*ECONNREFUSED/,
    ],
    ['a page', () => open(`${site.url}/page.html`), 'FORMAT', /page\.html is no \.wisp.* web page/],
    ['a picture', () => open(png), 'FORMAT', /buffer is no .wisp file but a PNG picture/],
    [
      'other bytes',
      () => open(Uint8Array.of(1, 2, 3, 255, 5)),
      'FORMAT',
      /begins with 01 02 03 ff/,
    ],
    ['no bytes', () => open(new Uint8Array()), 'TRUNCATED', /ends after 0 bytes/],
    ['10 bytes', () => open(model.subarray(0, 10)), 'TRUNCATED', /ends after 10 bytes/],
    ['half', () => open(model.subarray(0, 9999)), 'TRUNCATED', /ends after 9999 of \d+ bytes/],
    ['too much', () => open(Buffer.concat([model, png])), 'FORMAT', /goes on for \d+ bytes/],
    ['version 34', () => open(changed(4)), 'VERSION', /buffer: .* version 34/],
    ['a bad header', () => open(changed(60)), 'CHECKSUM', /header is damaged/],
    ['a bad weight', () => open(changed(model.length - 9)), 'CHECKSUM', /weights of layer 14/],
    ['operation 9', () => open(withOperation9()), 'UNSUPPORTED', /Layer 0 is operation 9/],
    ['a number', () => open(7), 'ARGUMENT', /A model is .*, not the number 7/],
    ['nothing', () => open(undefined), 'ARGUMENT', /not undefined/],
    ['text pieces', () => open(textPieces()), 'ARGUMENT', /Uint8Array, not the string "WISP"/],
    ['size 100', () => open(model, { size: 100 }), 'ARGUMENT', /100x100 is no multiple of .* 32/],
    [
      'size "big"',
      () => open(model, { size: 'big' }),
      'ARGUMENT',
      /size is .*not the string "big"/,
    ],
    ['no threads', () => open(model, { threads: 0 }), 'ARGUMENT', /threads is .*not the number 0/],
    [
      'an unknown build',
      () => open(model, { variant: 'fast' }),
      'ARGUMENT',
      /variant is .*not the string "fast"/,
    ],
    [
      'no build',
      () => open(model, { wasmBase: site.folder }),
      'ENGINE',
      /wisp(-relaxed)?\.wasm: there is no such file.*wasmBase/,
    ],
    [
      'no worker',
      () => open(model, { workerUrl: inFolder('no.js') }),
      'ENGINE',
      /did not start.*no\.js/,
    ],
    ['picture 42', () => detect(42), 'SOURCE', /A picture is .*, not the number 42/],
    ['no picture', () => detect(null), 'SOURCE', /not null/],
    [
      'a missing picture',
      () => detect(inFolder('no.png')),
      'FETCH',
      /no\.png: there is no such file/,
    ],
    ['a lost picture', () => detect(`${site.url}/no.png`), 'FETCH', /\/no\.png is not there.* 404/],
    [
      'a broken connection',
      () => detect(`${site.url}/broken.png`),
      'FETCH',
      /broken\.png broke off/,
    ],
    [
      'a picture too wide',
      () => detect({ data: new Uint8Array(4 * 32769), width: 32769, height: 1 }),
      'SOURCE',
      /32769 × 1 pixels are too many: sides up to 32768/,
    ],
    ['a stream that fails', () => open(failing()), 'FETCH', /stream broke off: socket hang up/],
    [
      'no picture file',
      () => detect(inFolder('tiny.wisp')),
      'SOURCE',
      /tiny\.wisp: It is a \.wisp file, no/,
    ],
    ['half a picture', () => detect(png.subarray(0, 500)), 'SOURCE', /The picture: It breaks off/],
    [
      'too few bytes',
      () => detect({ data: new Uint8Array(3), width: 1, height: 1 }),
      'SOURCE',
      /3 bytes are no 1 × 1/,
    ],
    [
      'floats',
      () => detect({ data: new Float32Array(4), width: 1, height: 1 }),
      'SOURCE',
      /not this Float32Array/,
    ],
    ['one bad of two', () => detect([picture, 42]), 'SOURCE', /not the number 42/],
    [
      'a class',
      () => detect(picture, { classes: ['zebra'] }),
      'ARGUMENT',
      /no class "zebra"; its 2 are cat, dog/,
    ],
    ['an index', () => detect(picture, { classes: [2] }), 'ARGUMENT', /no class 2/],
    ['classes', () => detect(picture, { classes: 'cat' }), 'ARGUMENT', /list of names.* "cat"/],
    ['confidence 2', () => detect(picture, { confidence: 2 }), 'ARGUMENT', /confidence is 2/],
    [
      'confidence NaN',
      () => detect(picture, { confidence: Number.NaN }),
      'ARGUMENT',
      /confidence is a number, not the number NaN/,
    ],
    [
      'confidence "a"',
      () => detect(picture, { confidence: 'a' }),
      'ARGUMENT',
      /not the string "a"/,
    ],
    [
      'an unknown option',
      () => detect(picture, { confidense: 0.5 }),
      'ARGUMENT',
      /no "confidense" in the options; there is confidence, iou/,
    ],
    [
      'unknown kernels',
      () => open(model, { kernels: 'fast' }),
      'ARGUMENT',
      /kernels is "auto", "narrow" or "fused", not the string "fast"/,
    ],
    [
      'no boxes',
      () => detect(picture, { maxDetections: 0 }),
      'ARGUMENT',
      /At most 0 boxes were asked for; 1 to 30000/,
    ],
    [
      'boxes without end',
      () => detect(picture, { maxDetections: Infinity }),
      'ARGUMENT',
      /Infinity/,
    ],
    [
      'multiLabel "yes"',
      () => detect(picture, { multiLabel: 'yes' }),
      'ARGUMENT',
      /true or false, not the string "yes"/,
    ],
    [
      'confidence ()',
      () => detect(picture, { confidence: () => 1 }),
      'ARGUMENT',
      /not the function/,
    ],
    [
      'size 0 × 32',
      () => Detector.open(model, { size: { width: 0, height: 32 } }),
      'ARGUMENT',
      /not 0 × 32/,
    ],
  ];
  for (const [name, act, code, sentence] of cases) {
    test(name, () => refuses(act(), `WISP_ERR_${code}`, sentence));
  }

  test('a detector works on after an error', async () => {
    await assert.rejects(detect(42));
    await assert.rejects(detect(`${site.url}/broken.png`));
    assert.ok((await detect(picture, options)).boxes.length > 0);
  });

  test('whatever a reader throws is the fault of its picture', async () => {
    const read = async () => {
      throw new TypeError('what a browser says');
    };
    const file = { kind: /** @type {const} */ ('file'), bytes: new Uint8Array(4), name: 'a.png' };
    const reading = readPicture({ read }, file, () => new Uint8ClampedArray(4), { maxPixels: 1 });
    await refuses(reading, 'WISP_ERR_SOURCE', /^a\.png: It can't be read: what a browser says\.$/);
  });

  test('a thread that died ends the engine', async () => {
    const glue = {
      _runtime_model_buffer() {
        throw 'unwind'; // as Emscripten's
      },
    };
    const engine = new Engine(glue, chooseVariant({ threads: 1, cores: 1 }));
    const feeding = (async () => engine.feed(model))();
    await refuses(feeding, 'WISP_ERR_CRASH', /one of its threads died\. Open the detector again/);
  });

  test('classes may be what a framework watches', async () => {
    const classes = new Proxy(['cat'], {});
    const { boxes } = await detect(picture, { ...options, classes });
    assert.ok(boxes.every((/** @type {any} */ { name }) => name === 'cat'));
  });

  test('a trap ends the detector and only it', async () => {
    const detector = await open(model, { wasmBase: trappingBuild(), warmUp: false });
    const going = [detector.detect(picture), detector.detect(picture)];
    for (const one of going) await refuses(one, 'WISP_ERR_CRASH', /crashed: unreachable/);
    await refuses(detector.detect(picture), 'WISP_ERR_CRASH', /crashed/);
    await detector.close();
    assert.ok((await detect(picture, options)).boxes.length > 0);
  });
});

async function* textPieces() {
  yield 'WISP';
}

/** The model with an operation that no version knows. */
function withOperation9() {
  return withHeader(model, (header) => {
    const tensors = header[8] | (header[9] << 8);
    header[16 + tensors * 8] = 9; // input and counts are 16 bytes, a tensor 8
  });
}

/** A folder with a build whose detect runs into `unreachable`. */
function trappingBuild() {
  const { variant } = chooseVariant({ threads: 1, cores: 1 });
  const real = pathToFileURL(path.join(root, 'dist', variant));
  const base = mkdtempSync(path.join(site.folder, 'trap-'));
  const trap = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0];
  const glue = `import real from '${real}.mjs';
    const bytes = Uint8Array.from([${trap}, 10, 5, 1, 3, 0, 0, 11]);
    export default async (settings) => {
      const module = await real(settings);
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
      module._runtime_detect = exports.f;
      return module;
    };`;
  writeFileSync(path.join(base, `${variant}.mjs`), glue);
  copyFileSync(path.join(root, 'dist', `${variant}.wasm`), path.join(base, `${variant}.wasm`));
  return base;
}
