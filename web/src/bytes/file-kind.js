// What a file is, by its bytes: its kind in a few words, and what to do where another one was wanted.

import { IMPORTERS } from '../import/importers.js';
import { hex } from './magic.js';

/**
 * @typedef {object} FileKind
 * @property {'model' | 'network' | 'picture' | 'video' | 'other'} sort a model is a .wisp file, a network one that the
 *   press reads
 * @property {string} what it is, with its article
 * @property {string} [advice] a sentence without its stop
 *
 * @typedef {FileKind & {is: RegExp, also?: RegExp}} Row
 *   of the beginning of a file, and of its end: bytes as the letters U+0000 … U+00FF
 */

const HEAD = 4096; // bytes that are looked at
const TAIL = 1 << 16; // a zip archive's list of files stands at its end

const FROM_CHECKPOINT = 'Press the checkpoint (.pt) or the ONNX file that it was made from';
const WEIGHTS_ONLY = 'It holds weights without their network, so it takes the code they belong to';
const WRONG_ADDRESS = 'Is the address right? Many servers answer a wrong one so';

/** What begins so behind XML's declaration and comments. @param {string} pattern */
const xml = (pattern) =>
  new RegExp(String.raw`^(ï»¿)?\s*(<\?xml[^>]*>\s*|<!--[^]*?-->\s*)*${pattern}`, 'i');

/** The first that fits. @type {Row[]} */
const ROWS = [
  {
    is: /^WISP/,
    sort: 'model',
    what: 'a .wisp file',
    advice: 'It is pressed already: detect with it',
  },
  {
    is: /^version https:\/\/git-lfs/,
    sort: 'other',
    what: 'a Git LFS pointer',
    advice: '"git lfs pull" gets the file itself',
  },
  {
    is: xml(String.raw`<net\s`),
    sort: 'other',
    what: 'the XML of an OpenVINO network',
    advice: FROM_CHECKPOINT,
  },
  {
    is: xml(String.raw`(<!doctype svg[^>]*>\s*)?<svg[\s>]`),
    sort: 'other',
    what: 'an SVG drawing',
  },
  {
    is: xml(String.raw`<(!doctype html|html|head|body|title|script|meta|h1|p)[\s>]`),
    sort: 'other',
    what: 'a web page',
    advice: WRONG_ADDRESS,
  },
  { is: xml('<[!?a-z]'), sort: 'other', what: 'an XML file', advice: WRONG_ADDRESS },
  {
    is: /^PK\x03\x04/,
    also: /\/(constants\.pkl|code\/__torch__)/,
    sort: 'other',
    what: 'a TorchScript file',
    advice: FROM_CHECKPOINT,
  },
  {
    is: /^PK\x03\x04/,
    sort: 'other',
    what: 'a zip archive',
    advice: 'Unpack it and give what is in it',
  },
  { is: /^\x80[\x02-\x05]/, sort: 'other', what: "a pickle of Python's" },
  { is: /^[^]{5}\0\0\0\s*\{/, sort: 'other', what: 'a safetensors file', advice: WEIGHTS_ONLY },
  {
    is: /^7767517\s/,
    sort: 'other',
    what: 'the description of an ncnn network',
    advice: FROM_CHECKPOINT,
  },
  {
    is: /^(Gk0\x01|8K\r\0)/, // its marks of 16-bit and 8-bit weights
    sort: 'other',
    what: 'the weights of an ncnn network',
    advice: FROM_CHECKPOINT,
  },
  {
    is: /^\x89HDF\r\n\x1a\n/,
    sort: 'other',
    what: 'an HDF5 file, as Keras writes',
    advice: FROM_CHECKPOINT,
  },
  { is: /^\xff\xd8\xff/, sort: 'picture', what: 'a JPEG picture' },
  { is: /^\x89PNG/, sort: 'picture', what: 'a PNG picture' },
  { is: /^RIFF[^]{4}WEBP/, sort: 'picture', what: 'a WebP picture' },
  { is: /^GIF8/, sort: 'picture', what: 'a GIF picture' },
  { is: /^BM[^]{4}\0\0\0\0/, sort: 'picture', what: 'a BMP picture' },
  { is: /^(II\*\0|MM\0\*)/, sort: 'picture', what: 'a TIFF picture' },
  { is: /^[^]{4}ftypavi[fs]/, sort: 'picture', what: 'an AVIF picture' },
  { is: /^[^]{4}ftyp(hei[cxms]|hev[cx]|mif1|msf1)/, sort: 'picture', what: 'an HEIC picture' },
  { is: /^([^]{4}ftyp|\x1aE\xdf\xa3|OggS|RIFF[^]{4}AVI )/, sort: 'video', what: 'a video' },
  {
    is: /^\x1f\x8b/,
    sort: 'other',
    what: 'a gzip file',
    advice: 'Unpack it, or serve it with "Content-Encoding: gzip"',
  },
  { is: /^%PDF/, sort: 'other', what: 'a PDF' },
  { is: /^\0asm/, sort: 'other', what: 'a WebAssembly module' },
  { is: /^(ï»¿)?\s*[{[][\t\n\r\x20-\x7e\x80-\xff]*$/, sort: 'other', what: 'a JSON file' },
  { is: /^[\t\n\r\x20-\x7e\x80-\xff]+$/, sort: 'other', what: 'a text file' },
  { is: /^$/, sort: 'other', what: 'an empty file' },
];

/**
 * @param {Uint8Array} bytes the first of a file; all of them tell more kinds apart
 * @returns {FileKind}
 */
export function fileKind(bytes) {
  const importer = IMPORTERS.find(({ begins }) => begins(bytes));
  if (importer) return { sort: 'network', what: importer.name, advice: TO_WISP };
  const head = letters(bytes.subarray(0, HEAD));
  const ends = (/** @type {RegExp} */ also) => also.test(letters(bytes.subarray(-TAIL)));
  const row = ROWS.find(({ is, also }) => is.test(head) && (!also || ends(also)));
  if (row) return row;
  return { sort: 'other', what: `a file that begins with ${hex(bytes.subarray(0, 4), ' ')}` };
}

const TO_WISP = '"wisp press", or press() in JavaScript, makes a .wisp file of it';

/** @param {Uint8Array} bytes */
function letters(bytes) {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''); // "latin1" means windows-1252 to decoders
}
