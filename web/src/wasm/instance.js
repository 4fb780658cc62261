// The files of one build → a running instance of it.

import { download, fetchFile } from '../bytes/download.js';
import { requireWasm } from '../bytes/magic.js';
import { saying, WispError } from '../error.js';

/**
 * Rejects with a WispError if the files are to blame, with another error if it is the threads.
 * @param {import('../detect/runtime-files.js').BuildFiles} files
 * @param {number} workers that it may start threads on; a build without threads needs none
 * @param {Promise<WebAssembly.Module> | WebAssembly.Module} compiling of `compile`
 * @returns {Promise<any>} the module with its exports
 */
export async function instantiate({ glue, wasm }, workers, compiling) {
  const [factory, compiled] = await Promise.all([importGlue(glue), compiling]);
  const started = new AbortController();
  /** @type {Promise<any>} */
  const instance = new Promise((resolve, reject) => {
    const mismatch = (/** @type {unknown} */ cause) => {
      const name = typeof glue === 'string' ? glue : 'Its glue';
      const sentence = `${name} and ${wasm} are of different versions: ${saying(cause)}.`;
      reject(cause instanceof RangeError ? cause : new WispError('WISP_ERR_ENGINE', sentence));
    };
    const instantiateWasm = (/** @type {any} */ imports, /** @type {Function} */ done) => {
      // the glue would swallow a failure
      WebAssembly.instantiate(compiled, imports).then((made) => done(made, compiled), mismatch);
      return {};
    };
    if (workers > 0) whenThreadsFail(workers, reject, started.signal);
    factory({ instantiateWasm, pthreadPoolSize: workers }).then(resolve, reject);
  });
  instance.then(() => started.abort(), ignore); // where it failed, more threads may tell so
  return instance;
}

/**
 * With threads, or without where they don't start: phones may refuse to reserve shared memory, a policy to start
 * workers from a worker.
 * @template T
 * @param {() => Promise<T>} threaded instantiates
 * @param {(why: string) => Promise<T>} alone
 * @returns {Promise<T>}
 */
export async function orAlone(threaded, alone) {
  try {
    return await threaded();
  } catch (thrown) {
    if (thrown instanceof WispError) throw thrown;
    return await alone(saying(thrown));
  }
}

const ignore = () => {};

/**
 * The glue throws the failed start of each thread at nobody in particular.
 * @param {number} workers
 * @param {(reason: Error) => void} reject
 * @param {AbortSignal} signal ends the watch
 */
function whenThreadsFail(workers, reject, signal) {
  let left = workers;
  const fail = (/** @type {Event} */ event) => {
    event.preventDefault();
    const why = /** @type {ErrorEvent} */ (event).error?.message;
    reject(new Error(`a thread did not start${why ? `: ${why}` : ''}`));
    if (--left === 0) globalThis.removeEventListener('error', fail);
  };
  globalThis.addEventListener?.('error', fail, { signal });
}

const ADVICE =
  'The option base says where `npx wisp copy` has put the files of wisp, wasmBase where those of dist are.';

/** @param {string | Function} address or what is there */
async function importGlue(address) {
  if (typeof address !== 'string') return address;
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ address)).default;
  } catch (cause) {
    const doubt = 'Is it there, and served as text/javascript?';
    const sentence = `${address} did not load: ${saying(cause)}. ${doubt} ${ADVICE}`;
    throw new WispError('WISP_ERR_ENGINE', sentence, { cause });
  }
}

/** @typedef {(loaded: number, total: number) => void} OnProgress bytes */

/**
 * @param {string | WebAssembly.Module} address or what is there
 * @param {OnProgress} [onProgress]
 * @param {AbortSignal} [signal]
 * @returns {Promise<WebAssembly.Module>}
 */
export async function compile(address, onProgress = () => {}, signal = undefined) {
  if (typeof address !== 'string') return address;
  try {
    if (!/^https?:/.test(address)) return await compileWhole(await download(address), onProgress);
    const response = await fetchFile(address, signal);
    if (streams(response)) return await compileStream(response, onProgress);
    return await compileWhole(await download(response), onProgress);
  } catch (cause) {
    const broken = cause instanceof WebAssembly.CompileError;
    const sentence = broken
      ? `${address} did not compile: ${saying(cause)}.`
      : `${saying(cause)}. ${ADVICE}`;
    throw new WispError('WISP_ERR_ENGINE', sentence, { cause });
  }
}

/**
 * compileStreaming takes no other type, no parameter behind it either; old engines lack it.
 * @param {Response} response
 */
function streams({ headers }) {
  const right = headers.get('content-type') === 'application/wasm';
  return right && typeof WebAssembly.compileStreaming === 'function';
}

/**
 * While the bytes arrive. The response goes in as it is: a browser keeps the code it has made for the next visit only
 * under the answer of a server.
 * @param {Response} response
 * @param {OnProgress} onProgress
 */
async function compileStream(response, onProgress) {
  const { url } = response;
  const counted = await download(response.clone());
  const counting = collect(counted, onProgress).catch(ignore); // the other copy says what is wrong
  try {
    return await WebAssembly.compileStreaming(response);
  } catch (cause) {
    if (cause instanceof WebAssembly.CompileError) throw cause;
    throw new WispError('WISP_ERR_FETCH', `${url} broke off: ${saying(cause)}`, { cause });
  } finally {
    await counting;
  }
}

/** @param {import('../bytes/download.js').Download} file @param {OnProgress} onProgress */
async function compileWhole(file, onProgress) {
  const bytes = new Uint8Array(await new Blob(await collect(file, onProgress)).arrayBuffer());
  requireWasm(bytes, file.name);
  return WebAssembly.compile(bytes);
}

/** @param {import('../bytes/download.js').Download} file @param {OnProgress} onProgress */
async function collect({ pieces, total }, onProgress) {
  const parts = [];
  let loaded = 0;
  for await (const piece of pieces) {
    parts.push(/** @type {Uint8Array<ArrayBuffer>} */ (piece));
    loaded += piece.length;
    onProgress(loaded, total);
  }
  if (total === 0) onProgress(loaded, loaded);
  return parts;
}
