// Which of the four builds this engine can run, how many threads it gets, and why.

import { naming, saying, WispError } from '../error.js';

/**
 * @typedef {'wisp' | 'wisp-mt' | 'wisp-relaxed' | 'wisp-relaxed-mt'} Variant
 * @typedef {object} Choice
 * @property {Variant} variant
 * @property {number} threads
 * @property {string} reason what runs, and why not more
 * @property {boolean} reduced whether threads were wanted that this page can't have
 * @property {boolean} [binding] whether no other build may stand in
 * @typedef {object} Wish
 * @property {'auto' | number} threads
 * @property {number} cores of this machine
 * @property {Variant} [variant] this one and no other
 * @property {boolean} [isAlone] whether there are no workers to run threads
 * @property {string[]} [there] builds that are there already; no others may be compiled
 */

const THREADS_MAX = 8;

const HEADERS =
  'send the headers "Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp" ' +
  '(or "credentialless") with the page and its workers to use all cores';

/** A module whose only function `f` has this body and returns an i32. @param {number[]} body */
function tinyModule(body) {
  const code = [0, ...body, 0x0b];
  const section = [1, code.length, ...code];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic, version
    ...[1, 5, 1, 0x60, 0, 1, 0x7f], // type: () -> i32
    ...[3, 2, 1, 0], // function 0 has type 0
    ...[7, 5, 1, 1, 0x66, 0, 0], // export "f"
    ...[10, section.length, ...section],
  ]);
}

/** i8x16.splat(value) */
const splat = (/** @type {number} */ value) => [0x41, value, 0xfd, 0x0f];

/** i32x4.extract_lane 0 (i8x16.splat 3) */
const SIMD = tinyModule([...splat(3), 0xfd, 0x1b, 0]);

// i16x8.relaxed_dot_i8x16_i7x16_s(3…, 5…) lane 0 + i32x4.relaxed_dot_i8x16_i7x16_add_s(3…, 5…, 7…) lane 0
const RELAXED = tinyModule([
  ...[...splat(3), ...splat(5), 0xfd, 0x92, 0x02, 0xfd, 0x1b, 0],
  ...[...splat(3), ...splat(5), 0x41, 7, 0xfd, 0x11, 0xfd, 0x93, 0x02, 0xfd, 0x1b, 0],
  0x6a, // i32.add
]);
const RELAXED_SUM = 0x001e001e + 67;

/** Whether relaxed SIMD is there and computes what it should: V8 11.3's dot product gives twice the value. */
function relaxedWorks() {
  if (!WebAssembly.validate(RELAXED)) return false;
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(RELAXED)).exports;
  return /** @type {() => number} */ (f)() === RELAXED_SUM;
}

/** Why there can be no second thread; '' if there can. @param {boolean} isAlone */
function threadsMissing(isAlone) {
  if (isAlone) return 'it runs without workers';
  const isolated = globalThis.crossOriginIsolated;
  const why = isolated
    ? 'this browser gives even isolated pages no SharedArrayBuffer'
    : `the page is not cross-origin isolated; ${HEADERS}`;
  if (typeof SharedArrayBuffer !== 'function') return why;
  try {
    const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(buffer); // throws where memory may not be shared
    port1.close();
    port2.close();
  } catch {
    return why;
  }
  return '';
}

/** All cores but one for the page, yet two where there are two. @param {number} cores */
function automaticThreads(cores) {
  return Math.min(THREADS_MAX, Math.max(cores - 1, Math.min(cores, 2)));
}

/** @param {boolean} mayCompile */
function requireSimd(mayCompile) {
  if (typeof WebAssembly !== 'object' || !WebAssembly.validate(SIMD)) {
    throw new WispError(
      'WISP_ERR_ENGINE',
      'There is no WebAssembly SIMD here: wisp needs Chrome 100, Firefox 114, Safari 16.4, Node 20.16 or newer.',
    );
  }
  if (!mayCompile) return;
  try {
    new WebAssembly.Module(SIMD);
  } catch (cause) {
    const advice =
      "If a Content-Security-Policy forbids it, add 'wasm-unsafe-eval' to its script-src; where only imported " +
      'modules may run (Cloudflare Workers), hand one over with inPlace.wasm';
    throw new WispError(
      'WISP_ERR_ENGINE',
      `WebAssembly may not run here: ${saying(cause)}. ${advice}.`,
      { cause },
    );
  }
}

/**
 * @param {Wish} wish
 * @returns {Choice}
 */
export function chooseVariant({ threads, cores, variant, isAlone = false, there }) {
  requireSimd(there === undefined);
  const relaxed = there
    ? there.includes('wisp-relaxed') && WebAssembly.validate(RELAXED)
    : relaxedWorks();
  const wanted = threads === 'auto' ? automaticThreads(cores) : threads;
  if (variant) return obey(variant, wanted, relaxed, isAlone);
  const level = relaxed ? 'wisp-relaxed' : 'wisp';
  const simd = relaxed ? 'relaxed SIMD' : 'plain SIMD, for relaxed SIMD is missing or wrong here';
  const missing = wanted > 1 ? threadsMissing(isAlone) : '';
  if (wanted > 1 && !missing) {
    const reason = `${simd}; ${wanted} threads`;
    return { variant: `${level}-mt`, threads: wanted, reason, reduced: false };
  }
  const why = missing || (threads === 'auto' ? 'there is one core' : 'as asked for');
  const reason = `${simd}; one thread: ${why}`;
  return { variant: level, threads: 1, reason, reduced: missing !== '' };
}

/**
 * @param {Variant} variant
 * @param {number} threads
 * @param {boolean} relaxed
 * @param {boolean} isAlone
 * @returns {Choice}
 */
function obey(variant, threads, relaxed, isAlone) {
  if (!/^wisp(-relaxed)?(-mt)?$/.test(variant)) {
    const sentence = `variant is wisp, wisp-mt, wisp-relaxed or wisp-relaxed-mt, not ${naming(variant)}.`;
    throw new WispError('WISP_ERR_ARGUMENT', sentence);
  }
  const threaded = variant.endsWith('-mt');
  const missing = threaded ? threadsMissing(isAlone) : '';
  const wrong = variant.includes('relaxed') && !relaxed && 'relaxed SIMD is missing or wrong here';
  if (missing || wrong) {
    throw new WispError('WISP_ERR_ENGINE', `${variant} can't run: ${missing || wrong}.`);
  }
  const reason = `${variant}, as asked for`;
  return { variant, threads: threaded ? threads : 1, reason, reduced: false, binding: true };
}

/**
 * What is left of `choice` when its threads could not be had after all.
 * @param {Choice} choice
 * @param {string} why
 * @returns {Choice}
 */
export function withoutThreads(choice, why) {
  const variant = /** @type {Variant} */ (choice.variant.replace('-mt', ''));
  const reason = choice.reason.replace(/\d+ threads$/, `one thread: ${why}`);
  return { variant, threads: 1, reason, reduced: true };
}
