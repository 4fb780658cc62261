// The pictures of bench/codes.mjs: real ones, and those that it makes of them: large photos, a full frame, films.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createCanvas, ImageData as Pixels } from '@napi-rs/canvas';
import { decodeImage } from '../web/src/reading/read-node.js';

/**
 * @typedef {import('../web/src/code-reading.js').Pixels} Picture
 * @typedef {import('@napi-rs/canvas').Canvas} Canvas
 * @typedef {{name: string, picture: Picture, texts: string[] | null}} Real texts: what it says; null: not known
 * @typedef {{code: Code, x: number, y: number, side: number, turn: number}} Placed side: the longer one, in pixels;
 *   turn: in radians
 * @typedef {{canvas: Canvas, text: string}} Code cut out of its picture, with a margin
 */

const LEAST_CODE = 60; // pixels: smaller ones are drawn rather than photographed
const MARGIN = 0.12; // of its longer side: the quiet zone that it keeps
const PHOTO = { width: 4000, height: 3000 };
const SMALL = { least: 80, most: 240 }; // pixels of the longer side: a fiftieth to a seventeenth of the photo's
const MOST_TURN = 0.3; // radians
export const FRAME = { width: 1280, height: 720 };
const TWELVE = { width: 1920, height: 1440, columns: 4, rows: 3, least: 200, most: 320 };
const FILM_CODES = 2;
const PAN = 3; // pixels a frame

/** Numbers that look like chance, the same each time. @param {number} seed */
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param {string} file */
const decoded = async (file) => {
  const { data, width, height } = await decodeImage(new Uint8Array(readFileSync(file)));
  return { data: new Uint8ClampedArray(data), width, height };
};

/** The pictures that hold codes. @param {string} folder @returns {Promise<Real[]>} */
export async function realPictures(folder) {
  const kinds = readdirSync(folder).filter((kind) => kind !== 'none');
  const files = kinds.flatMap((kind) =>
    readdirSync(path.join(folder, kind)).map((file) => path.join(folder, kind, file)),
  );
  const texts = new Set(files.filter((file) => file.endsWith('.txt')));
  const pictures = files.filter((file) => !texts.has(file));
  return Promise.all(
    pictures.map(async (file) => {
      const beside = file.replace(/\.\w+$/, '.txt');
      const said = texts.has(beside) ? [readFileSync(beside, 'utf8')] : null;
      return { name: path.relative(folder, file), picture: await decoded(file), texts: said };
    }),
  );
}

/** @param {Picture} picture @returns {Canvas} */
function canvasOf({ data, width, height }) {
  const canvas = createCanvas(width, height);
  canvas.getContext('2d').putImageData(new Pixels(data, width, height), 0, 0);
  return canvas;
}

/** @param {Canvas} canvas @returns {Picture} */
function pictureOf(canvas) {
  const { width, height } = canvas;
  return canvas.getContext('2d').getImageData(0, 0, width, height);
}

/**
 * The codes of real pictures that are read without doubt, cut out of them.
 * @param {Real[]} real
 * @param {(picture: Picture) => Promise<import('zxing-wasm/reader').ReadResult[]>} decode
 * @returns {Promise<Code[]>}
 */
export async function cutCodes(real, decode) {
  const codes = [];
  for (const { picture, texts } of real) {
    const found = await decode(picture);
    if (found.length !== 1 || !texts?.includes(found[0].text)) continue;
    const corners = Object.values(found[0].position);
    const [across, down] = [corners.map(({ x }) => x), corners.map(({ y }) => y)];
    const [left, top] = [Math.min(...across), Math.min(...down)];
    const [width, height] = [Math.max(...across) - left, Math.max(...down) - top];
    const margin = MARGIN * Math.max(width, height);
    if (Math.min(width, height) < LEAST_CODE) continue;
    const canvas = createCanvas(Math.ceil(width + 2 * margin), Math.ceil(height + 2 * margin));
    const context = canvas.getContext('2d');
    context.fillStyle = 'white';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(canvasOf(picture), margin - left, margin - top);
    codes.push({ canvas, text: found[0].text });
  }
  return codes;
}

/** A photograph that fills the canvas. @param {string} file @param {{width: number, height: number}} size */
async function ground(file, { width, height }) {
  const photo = canvasOf(await decoded(file));
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  const scale = Math.max(width / photo.width, height / photo.height);
  context.drawImage(photo, 0, 0, photo.width * scale, photo.height * scale);
  return canvas;
}

/** @param {Canvas} canvas @param {Placed} placed x and y of its middle */
function place(canvas, { code, x, y, side, turn }) {
  const context = canvas.getContext('2d');
  const scale = side / Math.max(code.canvas.width, code.canvas.height);
  context.save();
  context.imageSmoothingQuality = 'high';
  context.translate(x, y);
  context.rotate(turn);
  context.scale(scale, scale);
  context.drawImage(code.canvas, -code.canvas.width / 2, -code.canvas.height / 2);
  context.restore();
}

/** Each once, in another order each time. @template T @param {T[]} all @param {() => number} next */
const shuffled = (all, next) =>
  all
    .map((one) => ({ one, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);

/**
 * Photos of 12 megapixels, each with one small code, readable or not.
 * @param {Code[]} codes
 * @param {string[]} photos files
 * @param {{count: number, seed: number}} options
 * @returns {AsyncGenerator<Real>}
 */
export async function* largePhotos(codes, photos, { count, seed }) {
  const next = chance(seed);
  const [order, grounds] = [shuffled(codes, next), shuffled(photos, next)];
  for (let i = 0; i < count; i++) {
    const code = order[i % order.length];
    const canvas = await ground(grounds[i % grounds.length], PHOTO);
    const side = SMALL.least + next() * (SMALL.most - SMALL.least);
    const x = side + next() * (PHOTO.width - 2 * side);
    const y = side + next() * (PHOTO.height - 2 * side);
    place(canvas, { code, x, y, side, turn: (2 * next() - 1) * MOST_TURN });
    yield { name: `photo ${i + 1}`, picture: pictureOf(canvas), texts: [code.text] };
  }
}

/** @param {Code[]} codes @param {string} photo @param {number} seed @returns {Promise<Real>} one frame, twelve codes */
export async function twelveCodes(codes, photo, seed) {
  const next = chance(seed);
  const { columns, rows, least, most, width, height } = TWELVE;
  const canvas = await ground(photo, TWELVE);
  const placed = shuffled(codes, next).slice(0, columns * rows);
  for (const [i, code] of placed.entries()) {
    const x = ((i % columns) + 0.5) * (width / columns);
    const y = (Math.floor(i / columns) + 0.5) * (height / rows);
    const side = least + next() * (most - least);
    place(canvas, { code, x, y, side, turn: (2 * next() - 1) * MOST_TURN });
  }
  const texts = placed.map(({ text }) => text);
  return { name: 'twelve codes', picture: pictureOf(canvas), texts };
}

/**
 * The first frames of a video, by the system's ffmpeg, with two codes that pass through them if there are any.
 * @param {Code[]} codes
 * @param {string} video file
 * @param {{frames: number, seed: number}} options
 * @returns {Picture[]}
 */
export function film(codes, video, { frames, seed }) {
  const { width, height } = FRAME;
  const shape = ['-vf', `scale=${width}:${height}`, '-frames:v', `${frames}`];
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgba', '-'];
  const bytes = execFileSync('ffmpeg', ['-v', 'error', '-i', video, ...shape, ...raw], {
    maxBuffer: width * height * 4 * (frames + 1),
  });
  const next = chance(seed);
  const passing = shuffled(codes, next)
    .slice(0, FILM_CODES)
    .map((code, i) => {
      const [side, turn] = [180 + next() * 100, (2 * next() - 1) * MOST_TURN];
      return { code, side, turn, x: 300 + i * 420, y: 250 + next() * 220 };
    });
  return Array.from({ length: bytes.length / (width * height * 4) }, (_, i) => {
    const data = new Uint8ClampedArray(
      bytes.subarray(i * width * height * 4).slice(0, width * height * 4),
    );
    if (passing.length === 0) return { data, width, height };
    const canvas = canvasOf({ data, width, height });
    for (const code of passing) place(canvas, { ...code, x: code.x + i * PAN });
    return pictureOf(canvas);
  });
}
