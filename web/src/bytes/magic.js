// What a file is that should have been another: judged by its first bytes, said in one sentence.

import { WispError } from '../error.js';

/** @type {[RegExp, string][]} */
const STRANGERS = [
  [/^(ï»¿)?\s*</, 'is a web page. Is the address right? Many servers answer a wrong one so'],
  [/^version https:\/\/git-lfs/, 'is a Git LFS pointer; "git lfs pull" gets the file itself'],
  [/^PK\x03\x04/, 'is a zip archive, as PyTorch checkpoints are; export it to ONNX and press that'],
  [/^[\x08\x0a][^]{0,40}(pytorch|onnx|tf2)/i, 'is an ONNX file; "wisp press" makes a model of it'],
  [/^[^]{4}TFL3/, 'is a TFLite file; "wisp press" takes ONNX files'],
  [/^\x1f\x8b/, 'is a gzip file; unpack it, or serve it with "Content-Encoding: gzip"'],
  [/^(\x89PNG|\xff\xd8\xff|GIF8|RIFF)/, 'is a picture'],
];

/** In hexadecimal digits. @param {Uint8Array} bytes @param {string} [between] */
export function hex(bytes, between = '') {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(between);
}

/** @param {Uint8Array} bytes */
function describe(bytes) {
  const text = String.fromCharCode(...bytes.subarray(0, 64));
  const known = STRANGERS.find(([pattern]) => pattern.test(text));
  return known?.[1] ?? `begins with ${hex(bytes.subarray(0, 4), ' ') || 'nothing'}`;
}

/** @param {Uint8Array} bytes @param {string} magic */
function begins(bytes, magic) {
  return [...magic].every((letter, i) => bytes[i] === letter.charCodeAt(0));
}

/** @param {Uint8Array} piece the first of a file @param {string} name */
export function requireWisp(piece, name) {
  if (piece.length < 4 || begins(piece, 'WISP')) return; // a shorter one is for the reader to judge
  throw new WispError('WISP_ERR_FORMAT', `${name} is no .wisp file: it ${describe(piece)}.`);
}

/** @param {Uint8Array} file @param {string} name */
export function requireWasm(file, name) {
  if (begins(file, '\0asm')) return;
  const sentence = `${name} is no WebAssembly: it ${describe(file)}.`;
  throw new WispError('WISP_ERR_ENGINE', sentence);
}
