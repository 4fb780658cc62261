// Decodes JPEG, PNG and WebP files under Node, which has no decoder of its own. Never loaded in a browser.

import { readFile } from 'node:fs/promises';
import { download } from '../bytes/download.js';
import { hex } from '../bytes/magic.js';
import { saying, WispError } from '../error.js';

/**
 * @typedef {{data: Uint8ClampedArray<ArrayBuffer>, width: number, height: number}} Picture RGBA, turned upright
 * @typedef {(bytes: Uint8Array) => Promise<Picture>} Decode
 */

/**
 * @param {Uint8Array} bytes of a JPEG, PNG or WebP file
 * @returns {Promise<Picture>}
 */
export async function decodeImage(bytes) {
  const format = FORMATS.find(({ matches }) => matches(bytes));
  if (!format) {
    throw new WispError(
      'WISP_ERR_SOURCE',
      `This is ${kindOf(bytes)}, not a JPEG, PNG or WebP picture.`,
    );
  }
  const decode = await format.decoder();
  try {
    return await decode(bytes);
  } catch (cause) {
    const why = cause instanceof DamagedError ? `: ${saying(cause)}` : '';
    const sentence = `The ${format.name} picture is damaged or of a kind that is not supported${why}.`;
    throw new WispError('WISP_ERR_SOURCE', sentence, { cause });
  }
}

export class NodeReader {
  /**
   * @param {import('./picture.js').Picture} picture
   * @param {import('./picture.js').Room} room
   * @param {AbortSignal} [signal]
   */
  async read(picture, room, signal) {
    if (picture.kind === 'raw') return room(picture.width, picture.height).set(picture.data);
    const { name, bytes } = await fileOf(picture, signal);
    const { data, width, height } = await decodeImage(bytes).catch((cause) => {
      throw new WispError('WISP_ERR_SOURCE', `${name}: ${saying(cause)}.`, { cause });
    });
    room(width, height).set(data);
  }
}

/** @param {import('./picture.js').Picture} picture @param {AbortSignal} [signal] */
async function fileOf(picture, signal) {
  switch (picture.kind) {
    case 'file':
      return { name: 'The picture', bytes: picture.bytes };
    case 'blob':
      return { name: 'The picture', bytes: new Uint8Array(await picture.blob.arrayBuffer()) };
    case 'address': {
      const { name, pieces } = await download(picture.address, signal);
      const parts = [];
      for await (const piece of pieces) parts.push(piece);
      return { name, bytes: Buffer.concat(parts) };
    }
  }
  throw new WispError('WISP_ERR_SOURCE', `Node can't read a ${picture.kind}.`);
}

/** @param {Uint8Array} bytes @param {string} text @param {number} [at] */
function says(bytes, text, at = 0) {
  return text === String.fromCharCode(...bytes.subarray(at, at + text.length));
}

/** What bytes that are no picture seem to be. @param {Uint8Array} bytes */
function kindOf(bytes) {
  if (bytes.length === 0) return 'an empty file';
  if (says(bytes, 'GIF8')) return 'a GIF';
  if (says(bytes, 'BM')) return 'a BMP';
  if (says(bytes, 'ftyp', 4)) return 'an AVIF, HEIC or video file';
  if (says(bytes, '<')) return 'a text file, perhaps SVG or an error page';
  return `a file that begins with ${hex(bytes.subarray(0, 4), ' ')}`;
}

/** @param {string} specifier of a .wasm file in a package */
async function compile(specifier) {
  const bytes = await readFile(new URL(import.meta.resolve(specifier)));
  return WebAssembly.compile(new Uint8Array(bytes));
}

/**
 * Runs `load` at the first call only, so that a picture of one kind loads one decoder.
 * @param {() => Promise<Decode>} load
 */
function once(load) {
  /** @type {Promise<Decode> | undefined} */
  let loaded;
  return () => (loaded ??= load());
}

/** A decoder's own words. */
class DamagedError extends Error {}

/**
 * The codec without its wrapper: what libjpeg says belongs to this picture only while nothing is awaited.
 * @returns {Promise<Decode>}
 */
async function loadJpeg() {
  const { default: factory } = await import('@jsquash/jpeg/codec/dec/mozjpeg_dec.js');
  const { initEmscriptenModule } = await import('@jsquash/jpeg/utils.js');
  const wasm = await compile('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm');
  let said = '';
  const codec = await initEmscriptenModule(factory, wasm, {
    printErr: (/** @type {string} */ line) => (said = line),
  });
  return async (bytes) => {
    said = '';
    const picture = attempt(() => codec.decode(/** @type {any} */ (bytes), true));
    // libjpeg fills what is missing with grey and only warns
    if (!picture || /premature end/i.test(said)) throw new DamagedError(said || 'it is empty');
    return /** @type {Picture} */ (picture);
  };
}

/** @template T @param {() => T} decode @returns {T | null} */
function attempt(decode) {
  try {
    return decode();
  } catch {
    return null; // libjpeg has said why
  }
}

/** @returns {Promise<Decode>} */
async function loadPng() {
  const { decode, init } = await import('@jsquash/png/decode.js');
  await init(await compile('@jsquash/png/codec/pkg/squoosh_png_bg.wasm'));
  return async (bytes) => /** @type {Picture} */ (await decode(/** @type {any} */ (bytes)));
}

/** @returns {Promise<Decode>} */
async function loadWebp() {
  const { default: decode, init } = await import('@jsquash/webp/decode.js');
  const initialise = /** @type {(wasm: WebAssembly.Module) => Promise<void>} */ (init);
  await initialise(await compile('@jsquash/webp/codec/dec/webp_dec.wasm'));
  return async (bytes) => /** @type {Picture} */ (await decode(/** @type {any} */ (bytes)));
}

/** @type {{name: string, matches: (bytes: Uint8Array) => boolean, decoder: () => Promise<Decode>}[]} */
const FORMATS = [
  { name: 'JPEG', matches: (bytes) => says(bytes, '\xff\xd8\xff'), decoder: once(loadJpeg) },
  { name: 'PNG', matches: (bytes) => says(bytes, '\x89PNG\r\n\x1a\n'), decoder: once(loadPng) },
  {
    name: 'WebP',
    matches: (bytes) => says(bytes, 'RIFF') && says(bytes, 'WEBP', 8),
    decoder: once(loadWebp),
  },
];
