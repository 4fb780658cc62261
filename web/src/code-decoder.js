// Who decodes the codes that were found: zxing-wasm on the thread that calls, or in a worker that serves it.

import { answerTo } from './code-reading.js';
import { saying, WispError } from './error.js';
import { absolute } from './host.js';

/**
 * @typedef {import('./code-reading.js').Decode} Decode
 * @typedef {import('./code-reading.js').Wish} Wish
 * @typedef {import('./code-reading.js').Reply} Reply
 *
 * @typedef {object} Zxing
 * @property {(picture: any, options?: any) => Promise<any[]>} readBarcodes
 * @property {(options?: any) => any} prepareZXingModule
 *
 * @typedef {object} Library
 * @property {() => Promise<Zxing>} load finds zxing-wasm
 * @property {(address?: string | URL) => object | Promise<object>} overrides where zxing-wasm has its wasm from
 *
 * @typedef {{zxing?: Zxing, zxingWasm?: string | URL}} Given
 *
 * @typedef {{id: number, wish: Wish}} Question to a worker
 * @typedef {{id: number, reply: Reply} | {id: number, error: {code: string, message: string}}} Letter from it
 */

/** By itself it asks a third party. @param {string | URL} [address] of zxing_reader.wasm */
export function overridesOfPage(address = '') {
  const { href } = absolute(address);
  return { locateFile: () => href };
}

/**
 * zxing-wasm is loaded with the first code.
 * @param {Library} library
 * @param {Given} given
 * @returns {(wish: Wish) => Promise<Reply>}
 */
export function decoderHere(library, { zxing, zxingWasm }) {
  /** @type {Promise<Decode> | undefined} */
  let loading;
  return async (wish) => {
    loading ??= load(library, zxing, zxingWasm).catch((thrown) => {
      loading = undefined;
      throw thrown;
    });
    return answerTo(await loading, wish);
  };
}

/**
 * @param {Worker} worker that `serveCodes` runs in
 * @returns {(wish: Wish) => Promise<Reply>}
 */
export function decoderIn(worker) {
  /** @type {Map<number, {resolve: (reply: Reply) => void, reject: (reason: unknown) => void}>} */
  const open = new Map();
  let next = 0;
  worker.addEventListener('message', (/** @type {MessageEvent<Letter>} */ { data }) => {
    const asked = open.get(data?.id);
    if (!asked) return;
    open.delete(data.id);
    if ('reply' in data) asked.resolve(data.reply);
    else asked.reject(new WispError(data.error.code, data.error.message));
  });
  worker.addEventListener('error', (event) => {
    const why = event.message || 'its file did not load';
    for (const { reject } of open.values())
      reject(new WispError('WISP_ERR_CRASH', `The worker that decodes codes ended: ${why}.`));
    open.clear();
  });
  return (wish) =>
    new Promise((resolve, reject) => {
      open.set(++next, { resolve, reject });
      worker.postMessage({ id: next, wish }, [wish.grey.data.buffer]);
    });
}

/**
 * @param {Library} library
 * @param {Zxing | undefined} given
 * @param {string | URL | undefined} address
 * @returns {Promise<Decode>}
 */
async function load(library, given, address) {
  const { prepareZXingModule, readBarcodes } = given ?? (await library.load().catch(missing));
  if (given && address === undefined) return readBarcodes; // it is prepared
  try {
    const overrides = await library.overrides(address);
    await prepareZXingModule({ overrides, fireImmediately: true });
  } catch (cause) {
    const where = address === undefined ? 'zxing-wasm' : String(address);
    const sentence = `The decoder of codes did not load from ${where}: ${saying(cause)}.`;
    throw new WispError('WISP_ERR_FETCH', sentence, { cause });
  }
  return readBarcodes;
}

/** @param {unknown} cause @returns {never} */
function missing(cause) {
  const why = `which could not be loaded (${saying(cause)})`;
  const sentence = `Codes are read by zxing-wasm, ${why}: "npm install zxing-wasm@^3.1.4" adds it.`;
  throw new WispError('WISP_ERR_ENGINE', sentence, { cause });
}
