// How an importer refuses a file: a code of the C API and one sentence that names the offending value.

import { WispError } from '../error.js';

/** @param {string} sentence @returns {never} */
export function unsupported(sentence) {
  throw new WispError('WISP_ERR_UNSUPPORTED', sentence);
}

/** @param {string} sentence @returns {never} */
export function malformed(sentence) {
  throw new WispError('WISP_ERR_FORMAT', sentence);
}
