// A model from wherever it is → its bytes in pieces, with a sentence for each way that can fail.

import { onAbort } from '../crew/abort.js';
import { kindOf, naming, saying, WispError } from '../error.js';
import { absolute, isNode, pathOf, readFile } from '../host.js';
import { reasonOf } from './file-fault.js';
import { resuming } from './resume.js';

/**
 * @typedef {string | URL | Blob | ArrayBuffer | ArrayBufferView | Response |
 *   ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>} ModelSource
 *   a string is an address in a page, an address or a path in Node
 *
 * @typedef {object} Download
 * @property {string} name what sentences call it
 * @property {number} total bytes, 0 where nobody says
 * @property {AsyncIterable<Uint8Array>} pieces
 * @property {boolean} [fromCache]
 */

const PIECE = 1 << 20; // bytes
const NAME = 200; // letters of an address in a sentence

/**
 * @param {ModelSource} model
 * @param {AbortSignal} [signal]
 * @returns {Promise<Download>}
 */
export async function download(model, signal) {
  if (typeof model === 'string' || model instanceof URL) return fromAddress(model, signal);
  if (ArrayBuffer.isView(model)) return fromBytes(model.buffer, model.byteOffset, model.byteLength);
  const any = /** @type {any} */ (model);
  switch (kindOf(model)) {
    case 'ArrayBuffer':
    case 'SharedArrayBuffer':
      return fromBytes(any, 0, any.byteLength);
    case 'Blob':
    case 'File':
      return fromBlob(any, signal);
    case 'Response':
      return fromResponse(any, any.url || 'The response', signal);
    case 'ReadableStream':
      return { name: STREAM, total: 0, pieces: drain(any, STREAM, signal) };
  }
  if (Reflect.has(Object(model), Symbol.asyncIterator)) {
    return { name: STREAM, total: 0, pieces: iterate(any) };
  }
  const kinds = `${isNode() ? 'a path, ' : ''}an address, a Blob, an ArrayBuffer, a Response or a stream`;
  throw new WispError('WISP_ERR_ARGUMENT', `A model is ${kinds}, not ${naming(model)}.`);
}

const STREAM = 'The model stream';

/**
 * @param {string | URL} text
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<Download>}
 */
async function fromAddress(text, signal) {
  const address = readable(text);
  if (address.protocol === 'file:' && isNode()) {
    const name = pathOf(text);
    return { name, total: 0, pieces: readPath(address, name) };
  }
  return arriving(await fetchFile(address.href, signal), address.href, signal);
}

/**
 * What a response brings, and what brings the rest where its connection breaks.
 * @param {Response} response
 * @param {string} address
 * @param {AbortSignal} [signal]
 * @param {number} [at] bytes before it, of which it is the rest
 * @returns {Download}
 */
export function arriving(response, address, signal, at = 0) {
  const name = address.slice(0, NAME);
  const first = fromResponse(response, name, signal);
  const read = (/** @type {Response} */ from) =>
    from === response ? first.pieces : fromResponse(from, name, signal).pieces;
  return { ...first, pieces: resuming(response, read, signal, at) };
}

/** @param {string | URL} text */
function readable(text) {
  try {
    return absolute(text);
  } catch (cause) {
    throw new WispError('WISP_ERR_ARGUMENT', `${naming(text)} is no address.`, { cause });
  }
}

/**
 * @param {string} address
 * @param {AbortSignal} [signal]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Response>} of success
 */
export async function fetchFile(address, signal, headers) {
  const name = address.slice(0, NAME);
  let response;
  try {
    response = await fetch(address, { signal, headers });
  } catch (cause) {
    signal?.throwIfAborted();
    const inPage = ", does it allow this origin (CORS), does the page's CSP (connect-src)";
    const advice = `Is the server up${isNode() ? '' : inPage}?`;
    const sentence = `${name} did not arrive: ${saying(cause)}. ${advice}`;
    throw new WispError('WISP_ERR_FETCH', sentence, { cause });
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

/**
 * @param {Response} response
 * @param {string} name
 * @param {AbortSignal | undefined} signal
 * @returns {Download}
 */
function fromResponse(response, name, signal) {
  requireSuccess(response, name);
  if (response.bodyUsed || !response.body) {
    const sentence = `The body of ${name} is empty or has been read before.`;
    throw new WispError('WISP_ERR_ARGUMENT', sentence);
  }
  const encoded = response.headers.get('content-encoding'); // then content-length counts other bytes
  const total = encoded ? 0 : Number(response.headers.get('content-length') ?? 0);
  return { name, total, pieces: drain(response.body, name, signal) };
}

/**
 * @param {ArrayBufferLike} buffer
 * @param {number} offset
 * @param {number} length
 * @returns {Download}
 */
export function fromBytes(buffer, offset, length) {
  const whole = new Uint8Array(buffer, offset, length);
  async function* pieces() {
    for (let at = 0; at < length; at += PIECE) yield whole.subarray(at, at + PIECE);
  }
  return { name: 'The model buffer', total: length, pieces: pieces() };
}

/** @param {File} blob @param {AbortSignal | undefined} signal @returns {Download} */
function fromBlob(blob, signal) {
  const name = blob.name || 'The model Blob';
  return { name, total: blob.size, pieces: drain(blob.stream(), name, signal) };
}

/** @param {URL} address @param {string} name */
async function* readPath(address, name) {
  try {
    yield* readFile(address);
  } catch (cause) {
    const why = reasonOf(cause, 'there is no such file');
    throw new WispError('WISP_ERR_FETCH', `${name}: ${why}.`, { cause });
  }
}

/**
 * ReadableStream has no async iterator in Safari.
 * @param {ReadableStream<Uint8Array>} stream
 * @param {string} name
 * @param {AbortSignal | undefined} signal
 */
async function* drain(stream, name, signal) {
  if (stream.locked) throw new WispError('WISP_ERR_ARGUMENT', `${name} is read by someone else.`);
  const reader = stream.getReader();
  const read = isNode() ? readAhead(reader) : () => reader.read();
  const cancel = () => reader.cancel().catch(() => {});
  const forget = onAbort(signal, cancel);
  let loaded = 0;
  try {
    for (;;) {
      const { done, value } = await read();
      if (done) return;
      yield requireBytes(value);
      loaded += value.length;
    }
  } catch (cause) {
    if (cause instanceof WispError) throw cause;
    const sentence = `${name} broke off after ${loaded} bytes: ${saying(cause)}.`;
    throw new WispError('WISP_ERR_FETCH', sentence, { cause });
  } finally {
    forget();
    cancel();
  }
}

/**
 * Reads on while nobody asks: Node's fetch ends the whole process where bytes wait in it and the server closes its
 * connection (nodejs/undici#5360).
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 * @returns {() => Promise<ReadableStreamReadResult<Uint8Array>>} what comes next
 */
function readAhead(reader) {
  /** @type {Promise<ReadableStreamReadResult<Uint8Array>>[]} */
  const reads = [];
  const next = () => {
    const read = reader.read();
    reads.push(read);
    read.then(
      ({ done }) => done || next(),
      () => {},
    );
  };
  next();
  return () => /** @type {Promise<ReadableStreamReadResult<Uint8Array>>} */ (reads.shift());
}

/** @param {AsyncIterable<unknown>} pieces */
async function* iterate(pieces) {
  try {
    for await (const piece of pieces) yield requireBytes(piece);
  } catch (cause) {
    if (cause instanceof WispError) throw cause;
    throw new WispError('WISP_ERR_FETCH', `${STREAM} broke off: ${saying(cause)}.`, { cause });
  }
}

/** @param {unknown} piece */
function requireBytes(piece) {
  if (piece instanceof Uint8Array) return piece;
  const sentence = `${STREAM} gives pieces that are Uint8Array, not ${naming(piece)}.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}
