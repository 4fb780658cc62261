// The files of one build → a running instance of it.

import { download } from './download.js';
import { saying, WispError } from './error.js';
import { requireWasm } from './magic.js';

/**
 * @param {import('./files.js').BuildFiles} files
 * @param {number} threads
 * @param {(loaded: number, total: number) => void} onProgress bytes of WebAssembly
 * @returns {Promise<any>} the module with its exports
 */
export async function instantiate({ glue, wasm }, threads, onProgress) {
  const [factory, compiled] = await Promise.all([importGlue(glue), compile(wasm, onProgress)]);
  return new Promise((resolve, reject) => {
    const instantiateWasm = (/** @type {any} */ imports, /** @type {Function} */ done) => {
      // the glue would swallow a failure
      WebAssembly.instantiate(compiled, imports).then(
        (instance) => done(instance, compiled),
        reject,
      );
      return {};
    };
    factory({ instantiateWasm, pthreadPoolSize: threads - 1 }).then(resolve, reject);
  });
}

/** @param {string} address */
async function importGlue(address) {
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ address)).default;
  } catch (cause) {
    const advice = 'Is it there, and served as text/javascript? See the option wasmBase.';
    const sentence = `${address} did not load: ${saying(cause)}. ${advice}`;
    throw new WispError('WISP_ERR_ENGINE', sentence, { cause });
  }
}

/** @param {string} address @param {(loaded: number, total: number) => void} onProgress */
async function compile(address, onProgress) {
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
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    throw new WispError('WISP_ERR_ENGINE', `${address} did not compile: ${saying(cause)}.`, {
      cause,
    });
  }
}
