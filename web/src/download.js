// A model from wherever it is → its bytes in pieces, with a sentence for each way in which that can fail.

import { kindOf, naming, saying, WispError } from './error.js';
import { absolute, isNode, readFile } from './host.js';

/**
 * @typedef {string | URL | Blob | ArrayBuffer | ArrayBufferView | Response | ReadableStream<Uint8Array> |
 *   AsyncIterable<Uint8Array>} ModelSource a string is an address in a page, an address or a path in Node
 *
 * @typedef {object} Download
 * @property {string} name what sentences call it
 * @property {number} total bytes, 0 where nobody says
 * @property {AsyncIterable<Uint8Array>} pieces
 */

const PIECE = 1 << 20;

/**
 * @param {ModelSource} model
 * @param {AbortSignal} [signal]
 * @returns {Promise<Download>}
 */
export async function download(model, signal) {
  if (typeof model === 'string' || model instanceof URL) return fromAddress(model, signal);
  if (ArrayBuffer.isView(model)) return fromBytes(new Uint8Array(model.buffer, model.byteOffset, model.byteLength));
  switch (kindOf(model)) {
    case 'ArrayBuffer':
    case 'SharedArrayBuffer':
      return fromBytes(new Uint8Array(/** @type {ArrayBuffer} */ (model)));
    case 'Blob':
    case 'File':
      return fromBlob(/** @type {File} */ (model));
    case 'Response':
      return fromResponse(/** @type {Response} */ (model), /** @type {Response} */ (model).url || 'the response');
    case 'ReadableStream':
      return fromStream(/** @type {ReadableStream} */ (model));
  }
  if (Reflect.has(Object(model), Symbol.asyncIterator)) {
    return { name: 'the model stream', total: 0, pieces: /** @type {AsyncIterable<Uint8Array>} */ (model) };
  }
  const kinds = `an address, a Blob, an ArrayBuffer, a Response or a stream${isNode() ? ' or a path' : ''}`;
  throw new WispError('WISP_ERR_ARGUMENT', `A model is ${kinds}, not ${naming(model)}.`);
}

/** @param {string | URL} text @param {AbortSignal | undefined} signal @returns {Promise<Download>} */
async function fromAddress(text, signal) {
  const address = readable(text);
  const name = String(text).slice(0, 200);
  if (address.protocol === 'file:' && isNode()) {
    return { name, total: 0, pieces: readPath(address, name) };
  }
  return fromResponse(await fetchFile(address.href, signal), address.href.slice(0, 200));
}

/** @param {string | URL} text */
function readable(text) {
  try {
    return absolute(text);
  } catch (cause) {
    throw new WispError('WISP_ERR_ARGUMENT', `"${text}" is no address.`, { cause });
  }
}

/**
 * @param {string} address
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>} of success
 */
export async function fetchFile(address, signal) {
  const name = address.slice(0, 200);
  let response;
  try {
    response = await fetch(address, { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    const advice = `Is the server up, does it allow this origin (CORS), does the page's CSP (connect-src)?`;
    throw new WispError('WISP_ERR_FETCH', `${name} did not arrive: ${saying(cause)}. ${advice}`, { cause });
  }
  requireSuccess(response, name);
  return response;
}

/** @param {Response} response @param {string} name */
function requireSuccess(response, name) {
  if (response.ok) return;
  const answer = `${response.status} ${response.statusText}`.trim();
  response.body?.cancel().catch(() => {});
  throw new WispError('WISP_ERR_FETCH', `${name} is not there: the server answered ${answer}.`);
}

/** @param {Response} response @param {string} name @returns {Download} */
function fromResponse(response, name) {
  requireSuccess(response, name);
  if (response.bodyUsed || !response.body) {
    throw new WispError('WISP_ERR_ARGUMENT', `The body of ${name} is empty or has been read before.`);
  }
  const encoded = response.headers.get('content-encoding'); // then content-length counts other bytes
  const total = encoded ? 0 : Number(response.headers.get('content-length') ?? 0);
  return { name, total, pieces: drain(response.body, name) };
}

/** @param {Uint8Array} whole @returns {Download} */
function fromBytes(whole) {
  async function* pieces() {
    for (let at = 0; at < whole.length; at += PIECE) yield whole.subarray(at, at + PIECE);
  }
  return { name: 'the model buffer', total: whole.length, pieces: pieces() };
}

/** @param {File} blob @returns {Download} */
function fromBlob(blob) {
  const name = blob.name || 'the model Blob';
  return { name, total: blob.size, pieces: drain(blob.stream(), name) };
}

/** @param {ReadableStream<Uint8Array>} stream @returns {Download} */
function fromStream(stream) {
  if (stream.locked) throw new WispError('WISP_ERR_ARGUMENT', 'The model stream is locked: something else reads it.');
  return { name: 'the model stream', total: 0, pieces: drain(stream, 'the model stream') };
}

/** @param {URL} path @param {string} name */
async function* readPath(path, name) {
  try {
    yield* readFile(path);
  } catch (cause) {
    const why = Reflect.get(Object(cause), 'code') === 'ENOENT' ? 'there is no such file' : saying(cause);
    throw new WispError('WISP_ERR_FETCH', `${name}: ${why}.`, { cause });
  }
}

/** ReadableStream has no async iterator in Safari. @param {ReadableStream<Uint8Array>} stream @param {string} name */
async function* drain(stream, name) {
  const reader = stream.getReader();
  let loaded = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      loaded += value.length;
      yield value;
    }
  } catch (cause) {
    if (cause instanceof WispError) throw cause;
    throw new WispError('WISP_ERR_FETCH', `${name} broke off after ${loaded} bytes: ${saying(cause)}.`, { cause });
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** What else a file may be. @type {[RegExp, string][]} */
const STRANGERS = [
  [/^(ï»¿)?\s*</, 'is a web page; is the address right? (many servers answer a wrong one with their start page)'],
  [/^version https:\/\/git-lfs/, 'is a Git LFS pointer; "git lfs pull" gets the file itself'],
  [/^PK\x03\x04/, 'is a zip archive, as PyTorch checkpoints are; export it to ONNX and press that ("wisp press")'],
  [/^[\x08\x0a][^]{0,40}(pytorch|onnx|tf2)/i, 'is an ONNX file; press it first ("wisp press")'],
  [/^[^]{4}TFL3/, 'is a TFLite file; wisp presses ONNX files ("wisp press")'],
  [/^\x1f\x8b/, 'is a gzip file; unpack it, or let the server send "Content-Encoding: gzip" with it'],
];

/**
 * Refuses what does not begin as it should.
 * @param {Uint8Array} piece the first of the file
 * @param {string} name
 * @param {'WISP' | '\0asm'} magic
 */
export function requireMagic(piece, name, magic) {
  const text = String.fromCharCode(...piece.subarray(0, 64));
  if (text.startsWith(magic) || (magic === 'WISP' && piece.length < magic.length)) return;
  const known = STRANGERS.find(([pattern]) => pattern.test(text));
  const what = known?.[1] ?? `begins with ${JSON.stringify(text.slice(0, 4))}`;
  if (magic === 'WISP') throw new WispError('WISP_ERR_FORMAT', `${name} is no .wisp file: it ${what}.`);
  throw new WispError('WISP_ERR_ENGINE', `${name} is no WebAssembly: it ${what}. See the options wasmBase and workerUrl.`);
}
