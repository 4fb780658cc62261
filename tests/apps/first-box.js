// What engines cost a fresh Vite app until its first box: packages, steps, bytes on the wire. After `wisp press`:
//   WISP_DATA=… WISP_MODEL=yolov5n.wisp node tests/apps/first-box.js [NAME]…

import { cpSync, lstatSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { openWire } from '../../bench/wire.mjs';
import { root } from '../../tools/places.mjs';
import { dataPath } from '../support/test-data.js';
import { App } from './app.js';
import { openBrowser, serve } from './look.js';

/**
 * @typedef {object} Engine
 * @property {string[]} packages the engine's own first
 * @property {string[]} steps beside those of any app: npm install, and the calls themselves
 * @property {Record<string, string>} copies file or folder of the app, or of the data → place in the app
 * @property {string} [picture] in the app, of which the bytes don't count
 * @property {string} [main] finds something, and gives its name to `show`
 */

/** A letterbox and NMS for those that have none: those of `wisp bench`. */
const OWN = {
  [path.join(root, 'bench/lanes/letterbox.js')]: 'src/letterbox.js',
  [path.join(root, 'bench/lanes/boxes.js')]: 'src/boxes.js',
};
const BUS = { [dataPath('images/bus.jpg')]: 'public/bus.jpg' };
const PAGE = '<!doctype html><output></output><script type="module" src="/src/main.js"></script>';
const SHOW = "\nfunction show(text) { document.querySelector('output').textContent = text; }\n";

const FRAME = `
import { letterbox } from './letterbox.js';
import { findBoxes } from './boxes.js';
async function readFrame(address) {
  const bitmap = await createImageBitmap(await (await fetch(address)).blob());
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}
const input = { width: 640, height: 640 };`;
const FOUND = `
  const [first] = findBoxes({ kind: 'yolov5', data: numbers, columns: 85, gain, shift, unit }, placing);
  show('class ' + first.label);`;

/** @type {Record<string, Engine>} */
const engines = {
  wisp: {
    packages: ['wisp-yolo'],
    steps: ['`wisp press`, once', "a line in Vite's configuration, for its dev server"],
    picture: 'bus.jpg',
    copies: { ...BUS, [process.env.WISP_MODEL ?? 'yolov5n.wisp']: 'public/yolov5n.wisp' },
    main: `
import { Detector } from 'wisp-yolo';
(async () => {
  const detector = await Detector.open('yolov5n.wisp');
  const { boxes } = await detector.detect('bus.jpg');
  show(boxes[0].name);
})();`,
  },
  'onnxruntime-web': {
    packages: ['onnxruntime-web'],
    steps: ['an export to ONNX', 'letterbox, decoding and NMS of your own'],
    picture: 'bus.jpg',
    copies: { ...BUS, ...OWN, [dataPath('models/yolov5n_640.onnx')]: 'public/yolov5n.onnx' },
    main: `
import * as ort from 'onnxruntime-web/wasm';${FRAME}
(async () => {
  const session = await ort.InferenceSession.create('/yolov5n.onnx');
  const data = new Float32Array(3 * 640 * 640);
  const layout = { data, plane: 640 * 640, pixel: 1, gain: 1 / 255, shift: 0 };
  const placing = letterbox(await readFrame('bus.jpg'), input, layout);
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', data, [1, 3, 640, 640]) };
  const { data: numbers } = (await session.run(feeds))[session.outputNames[0]];
  const [gain, shift, unit] = [1, 0, 1];${FOUND}
})();`,
  },
  'LiteRT.js': {
    packages: ['@litertjs/core'],
    steps: [
      'an export to TFLite',
      'its wasm folder into public/',
      'letterbox, decoding and NMS of your own',
    ],
    picture: 'bus.jpg',
    copies: {
      ...BUS,
      ...OWN,
      'node_modules/@litertjs/core/wasm': 'public/litert',
      [dataPath('models/yolov5n-int8.tflite')]: 'public/yolov5n.tflite',
    },
    main: `
import { loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';${FRAME}
(async () => {
  await loadLiteRt('/litert/');
  const model = await loadAndCompile('/yolov5n.tflite', { accelerator: 'wasm' });
  const { dtype, shape } = model.getInputDetails()[0];
  const data = new { float32: Float32Array, int8: Int8Array, uint8: Uint8Array }[dtype](3 * 640 * 640);
  const layout = { data, plane: 1, pixel: 3, gain: dtype === 'float32' ? 1 / 255 : 1, shift: 0 };
  const placing = letterbox(await readFrame('bus.jpg'), input, layout);
  const [output] = await model.run([Tensor.fromTypedArray(data, [...shape])]);
  const raw = await output.data();
  const numbers = Float32Array.from(raw, (value) => value);
  const [gain, shift, unit] = raw instanceof Float32Array ? [1, 0, 640] : [1 / 255, 0, 640];${FOUND}
})();`,
  },
  'Ultralytics, which fetches ONNX Runtime from another host': {
    packages: ['@ultralytics/yolo'],
    steps: ['an export of YOLOv8, YOLO11 or YOLO26'],
    copies: {},
  },
  'MediaPipe (without a model: none is on npm)': {
    packages: ['@mediapipe/tasks-vision'],
    steps: ['its wasm folder into public/', 'a model of the kind that it takes'],
    copies: { 'node_modules/@mediapipe/tasks-vision/wasm': 'public/mediapipe' },
    main: `
import { FilesetResolver, ObjectDetector } from '@mediapipe/tasks-vision';
(async () => {
  const files = await FilesetResolver.forVisionTasks('/mediapipe');
  const modelAssetBuffer = new Uint8Array(1000);
  await ObjectDetector.createFromOptions(files, { baseOptions: { modelAssetBuffer } })
    .catch((error) => show('refused: ' + error));
})();`,
  },
  'wisp, its own model of codes': {
    packages: ['wisp-yolo'],
    steps: ["a line in Vite's configuration, for its dev server"],
    picture: 'ticket.png',
    copies: {},
    main: `
import { Detector } from 'wisp-yolo';
import codes from 'wisp-yolo/codes';
(async () => {
  const detector = await Detector.open(codes);
  const { boxes } = await detector.detect('ticket.png');
  show(boxes[0].name);
})();`,
  },
  'zxing-wasm (reads codes)': {
    packages: ['zxing-wasm'],
    steps: ["its wasm file's address by ?url, or a CDN serves it"],
    picture: 'ticket.png',
    copies: {},
    main: `
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import address from 'zxing-wasm/reader/zxing_reader.wasm?url';
prepareZXingModule({ overrides: { locateFile: () => address } });
(async () => {
  const picture = await (await fetch('ticket.png')).blob();
  const found = await readBarcodes(picture);
  show(found.find(({ isValid }) => isValid).format);
})();`,
  },
};

const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(2)} MB`;

/** Of all files below. @param {string} folder @returns {number} bytes */
function sizeOf(folder) {
  const names = readdirSync(folder, { encoding: 'utf8', recursive: true });
  const files = names
    .map((name) => lstatSync(path.join(folder, name)))
    .filter((one) => one.isFile());
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** @param {App} app @param {Record<string, string>} copies */
function place(app, copies) {
  for (const [from, to] of Object.entries(copies)) {
    const own = from.startsWith('node_modules/');
    const source = own ? path.join(app.folder, from) : path.resolve(from);
    cpSync(source, path.join(app.folder, to), { recursive: true });
  }
}

/** @param {string} name @param {Engine} engine */
async function measure(name, { packages, steps, copies, picture, main }) {
  const app = new App();
  try {
    app.write({
      'package.json': { type: 'module', private: true },
      'index.html': PAGE,
      'src/main.js': `${main}${SHOW}`,
    });
    app.putPicture('public');
    await app.install(packages);
    const installed = sizeOf(path.join(app.folder, 'node_modules'));
    const packed = await app.packedSize(packages[0]);
    const version = app.version(packages[0]);
    const cells = [`${name} ${version}`, megabytes(packed), megabytes(installed), steps.join('; ')];
    if (main) {
      await app.install(['vite']);
      place(app, copies);
      await app.run('vite build');
      const dist = path.join(app.folder, 'dist');
      const { received, shown } = await bytesOnWire(dist);
      const own = picture ? statSync(path.join(dist, picture)).size : 0;
      cells.push(`${megabytes(received - own)} (${shown})`);
    } else {
      cells.push('not measured');
    }
    console.log(`| ${cells.join(' | ')} |`);
  } finally {
    app.remove();
  }
}

/** From the page's address to the first box. @param {string} folder */
async function bytesOnWire(folder) {
  const server = await serve([folder], { compressed: true });
  const wire = await openWire(server.url);
  const page = await browser.newPage();
  try {
    await page.goto(wire.url);
    const output = page.locator('output', { hasText: /./ });
    await output.waitFor({ timeout: 60_000 });
    const shown = await output.textContent();
    return { received: wire.received(), shown: shown?.slice(0, 30) };
  } finally {
    await page.close();
    wire.close();
    server.stop();
  }
}

const wanted = process.argv.slice(2);
const browser = await openBrowser();
try {
  console.log(
    '| engine | packed | installed, with dependencies | beside install and call | on the wire |',
  );
  console.log('|---|--:|--:|---|--:|');
  for (const [name, engine] of Object.entries(engines))
    if (wanted.length === 0 || wanted.some((word) => name.includes(word)))
      await measure(name, engine);
} finally {
  await browser.close();
}
