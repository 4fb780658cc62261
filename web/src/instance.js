// The files of one build → a running instance of it.

import { download } from './download.js';
import { saying, WispError } from './error.js';
import { requireWasm } from './magic.js';

/**
 * Rejects with a WispError if the files are to blame, with another error if it is the threads.
 * @param {import('./files.js').BuildFiles} files
 * @param {number} threads
 * @param {(loaded: number, total: number) => void} onProgress bytes of WebAssembly
 * @returns {Promise<any>} the module with its exports
 */
export async function instantiate({ glue, wasm }, threads, onProgress) {
  const [factory, compiled] = await Promise.all([importGlue(glue), compile(wasm, onProgress)]);
  const settled = new AbortController();
  /** @type {Promise<any>} */
  const instance = new Promise((resolve, reject) => {
    const mismatch = (/** @type {unknown} */ cause) => {
      const sentence = `${glue} and ${wasm} are of different versions: ${saying(cause)}.`;
      reject(cause instanceof RangeError ? cause : new WispError('WISP_ERR_ENGINE', sentence));
    };
    const instantiateWasm = (/** @type {any} */ imports, /** @type {Function} */ done) => {
      // the glue would swallow a failure
      WebAssembly.instantiate(compiled, imports).then((made) => done(made, compiled), mismatch);
      return {};
    };
    if (threads > 1) whenThreadsFail(reject, settled.signal);
    factory({ instantiateWasm, pthreadPoolSize: threads - 1 }).then(resolve, reject);
  });
  return instance.finally(() => settled.abort());
}

/**
 * The glue throws the failed start of a thread at nobody in particular.
 * @param {(reason: Error) => void} reject
 * @param {AbortSignal} signal ends the watch
 */
function whenThreadsFail(reject, signal) {
  const fail = (/** @type {Event} */ event) => {
    event.preventDefault();
    reject(new Error('a thread did not start'));
  };
  globalThis.addEventListener?.('error', fail, { signal });
}

const ADVICE = 'The option wasmBase says where the files of wisp are.';

/** @param {string} address */
async function importGlue(address) {
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ address)).default;
  } catch (cause) {
    const doubt = 'Is it there, and served as text/javascript?';
    const sentence = `${address} did not load: ${saying(cause)}. ${doubt} ${ADVICE}`;
    throw new WispError('WISP_ERR_ENGINE', sentence, { cause });
  }
}

/** @param {string} address @param {(loaded: number, total: number) => void} onProgress */
async function compile(address, onProgress) {
  const bytes = await fetchWasm(address, onProgress).catch((cause) => {
    throw new WispError('WISP_ERR_ENGINE', `${saying(cause)}. ${ADVICE}`, { cause });
  });
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    const sentence = `${address} did not compile: ${saying(cause)}.`;
    throw new WispError('WISP_ERR_ENGINE', sentence, { cause });
  }
}

/** @param {string} address @param {(loaded: number, total: number) => void} onProgress */
async function fetchWasm(address, onProgress) {
  const { pieces, total } = await download(address);
  const parts = [];
  let loaded = 0;
  for await (const piece of pieces) {
    parts.push(/** @type {Uint8Array<ArrayBuffer>} */ (piece));
    loaded += piece.length;
    onProgress(loaded, Math.max(loaded, total));
  }
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  requireWasm(bytes, address);
  return bytes;
}
