// Pictures that a page must read as Node does, whatever its browser: files, functions that run inside a page, tests.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Detector } from '../../web/src/index.js';
import { fileNamed, names, onItsSide } from '../support/picture-files.js';
import { model } from '../support/site.js';

/**
 * @typedef {{name: string, file: string}} PageFile in base64
 * @typedef {Record<string, string>} Outcomes by name: size and boxes as JSON, or a code and a sentence
 */

/** @type {any} the page's, see page-cases.js */
let kit;

const LOW = { confidence: 0.1 };
/** Names of files that have pixels between clear and opaque. */
const TRANSLUCENT = /rgba|alpha|palette|film/;

/** @returns {PageFile[]} */
function pageFiles() {
  /** @type {[string, Uint8Array][]} */
  const files = names
    .filter((name) => !/^(avif|tiff)/.test(name)) // decoders differ; only Safari reads TIFF
    .map((name) => [name, fileNamed(name)]);
  for (const name of ['jpeg-444.jpg', 'png-rgba.png', 'webp-lossless.webp'])
    for (let turn = 1; turn <= 8; turn++)
      files.push([`${name}, orientation ${turn}`, onItsSide(fileNamed(name), turn)]);
  files.push(['jpeg-420.jpg without its end', fileNamed('jpeg-420.jpg').subarray(0, -2)]);
  return files.map(([name, file]) => ({ name, file: Buffer.from(file).toString('base64') }));
}

/** What Node makes of them. @param {PageFile[]} files @returns {Promise<Outcomes>} */
async function outcomesInNode(files) {
  const detector = await Detector.open(model, { threads: 1 });
  /** @type {Outcomes} */
  const outcomes = {};
  for (const { name, file } of files) {
    const { times, ...result } = await detector.detect(Buffer.from(file, 'base64'), LOW);
    outcomes[name] = JSON.stringify(result);
  }
  await detector.close();
  return outcomes;
}

/** What the page makes of them. @param {PageFile[]} files @returns {Promise<Outcomes>} */
async function outcomesInPage(files) {
  const outcomes = /** @type {Outcomes} */ ({});
  for (const { name, file } of files) {
    const blob = new Blob([Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0))]);
    const detecting = () => kit.detector.detect(blob, { confidence: 0.1 });
    const seen = await detecting().catch(() => kit.refusal(detecting));
    const { times, ...result } = typeof seen === 'string' ? { times: 0, refusal: seen } : seen;
    outcomes[name] = JSON.stringify(result);
  }
  return outcomes;
}

/** Files of which some is missing or wrong, as a page must tell of them. @type {[PageFile, RegExp][]} */
const refusedFiles = [
  [cut('jpeg-420.jpg', 0.6), /^WISP_ERR_SOURCE: cut: It breaks off: \d+ % of its rows are missing/],
  [cut('png-rgb.png', 0.5), /^WISP_ERR_SOURCE: cut: It breaks off: some of its pixels are missing/],
  [cut('webp-lossy.webp', 0.5), /^WISP_ERR_SOURCE: cut: It breaks off: some of its pixels/],
  [
    {
      name: 'photo.heic',
      file: Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic').toString('base64'),
    },
    /^WISP_ERR_SOURCE: photo.heic: This browser can't decode HEIC pictures\. Convert it to JPEG/,
  ],
  [
    { name: 'wide.png', file: png(60000, 40) },
    /^WISP_ERR_SOURCE: wide.png: Its 60000 × 40 pixels are too many: sides up to 32768/,
  ],
  [
    { name: 'vast.png', file: png(20000, 20000) },
    /^WISP_ERR_SOURCE: vast.png: Its 20000 × 20000 pixels are too many: maxPixels is 100000000/,
  ],
];

/** @param {string} name @param {number} share @returns {PageFile} */
function cut(name, share) {
  const file = fileNamed(name);
  const part = file.subarray(0, file.length * share);
  return { name: 'cut', file: Buffer.from(part).toString('base64') };
}

/** One that says so. @param {number} width @param {number} height */
function png(width, height) {
  const file = Buffer.from(fileNamed('png-rgb.png'));
  file.writeUInt32BE(width, 16);
  file.writeUInt32BE(height, 20);
  return file.toString('base64');
}

/** @param {PageFile} file @returns {Promise<string>} code and sentence */
function refusalInPage({ name, file }) {
  const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
  return kit.refusal(() => kit.detector.detect(new File([bytes], name)));
}

/** A JPEG that breaks off, as the page shows it. */
const broken = cut('jpeg-420.jpg', 0.6);

/** @param {PageFile} file @returns {Promise<number[]>} sizes that the page shows, and that were looked at */
async function shownInPage({ file }) {
  const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([bytes], { type: 'image/jpeg' }));
  await new Promise((resolve) => {
    image.onload = image.onerror = resolve;
  });
  const { width, height } = await kit.detector.detect(image);
  return [image.naturalWidth, image.naturalHeight, width, height];
}

/**
 * A picture that is transparent here and there, on a canvas, as its pixels, and with another ground.
 * @param {PageFile} file
 * @returns {Promise<string[]>} boxes as JSON: the same ones, then others
 */
async function transparentInPage({ file }) {
  const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes]));
  const canvas = Object.assign(document.createElement('canvas'), {
    width: image.width,
    height: image.height,
  });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const boxes = async (/** @type {any} */ source, options = {}) =>
    JSON.stringify((await kit.detector.detect(source, { confidence: 0.1, ...options })).boxes);
  const black = { background: '#000000' };
  return [
    await boxes(canvas),
    await boxes(pixels),
    await boxes(canvas, black),
    await boxes(pixels, black),
  ];
}

/**
 * @param {(run: Function, argument: unknown) => Promise<any>} evaluate in a page with the kit
 * @param {{premultiplies?: boolean}} [browser] whether it rounds the colours of translucent pixels when it decodes them
 */
export function testPictures(evaluate, { premultiplies = false } = {}) {
  test('picture files of every kind: the boxes of Node', async () => {
    const files = pageFiles().filter(({ name }) => !premultiplies || !TRANSLUCENT.test(name));
    assert.ok(files.length > 40);
    assert.deepEqual(await evaluate(outcomesInPage, files), await outcomesInNode(files));
  });
  for (const [file, sentence] of refusedFiles)
    test(`${file.name} is refused: ${sentence}`, async () => {
      assert.match(await evaluate(refusalInPage, file), sentence);
    });
  test('an image that breaks off is read as the page shows it', async () => {
    assert.deepEqual(await evaluate(shownInPage, broken), [61, 43, 61, 43]);
  });
  test('what is transparent gets a ground', async () => {
    const file = pageFiles().find(({ name }) => name === 'png-rgba.png');
    const [canvas, pixels, onBlack, pixelsOnBlack] = await evaluate(transparentInPage, file);
    assert.equal(canvas, pixels);
    assert.equal(onBlack, pixelsOnBlack);
    assert.notEqual(onBlack, canvas);
  });
}
