// Reads bar codes and 2D codes in pages: `CodeReader.open`, `read`, `follow`, `close`.

import { overridesOfPage } from './code-decoder.js';
import { CodeFinder, detectorOf, requireAddress } from './code-finder.js';
import { BrowserReader } from './reading/read-browser.js';

/**
 * @typedef {import('./code-finder.js').Code} Code
 * @typedef {import('./code-finder.js').CodeResult} CodeResult
 * @typedef {import('./code-finder.js').FollowedCode} FollowedCode
 * @typedef {import('./code-finder.js').FollowResult} FollowResult
 * @typedef {import('./code-finder.js').ReaderOptions} ReaderOptions
 * @typedef {import('./code-finder.js').ReadOptions} ReadOptions
 */

/** @type {import('./code-finder.js').Place} */
const PAGE = {
  reader: () => new BrowserReader(),
  library: { load: () => import('zxing-wasm/reader'), overrides: overridesOfPage },
};

/** Finds codes and says what they say. Codes are decoded on the thread that calls, or in `worker`. */
export class CodeReader extends CodeFinder {
  /**
   * zxing-wasm is loaded with the first code that is found.
   * @param {ReaderOptions} [options]
   * @returns {Promise<CodeReader>}
   * @throws {import('./error.js').WispError} as Detector.open; WISP_ERR_ARGUMENT in a page without `zxingWasm`
   */
  static async open(options = {}) {
    requireAddress(options);
    return new CodeReader(await detectorOf(options), options, PAGE);
  }
}
