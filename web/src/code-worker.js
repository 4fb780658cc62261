// What a page's own worker runs to decode codes for its `CodeReader`: `serveCodes`.

import { decoderHere, overridesOfPage } from './code-decoder.js';
import { saying, WispError } from './error.js';

/** @typedef {import('./code-decoder.js').Zxing} Zxing */

/**
 * Call it once in the worker that `CodeReader.open` gets as `worker`.
 * @param {object} options
 * @param {Zxing | (() => Promise<Zxing>)} options.zxing the module zxing-wasm/reader, or what imports it with the first
 *   code
 * @param {string | URL} [options.zxingWasm] address of its zxing_reader.wasm, or none where it is prepared
 * @returns {void}
 */
export function serveCodes({ zxing, zxingWasm }) {
  const load = async () => (typeof zxing === 'function' ? zxing() : zxing);
  const answer = decoderHere({ load, overrides: overridesOfPage }, { zxingWasm });
  addEventListener('message', async (event) => {
    const { id, wish } = /** @type {MessageEvent<import('./code-decoder.js').Question>} */ (event)
      .data;
    try {
      postMessage({ id, reply: await answer(wish) });
    } catch (thrown) {
      const code = thrown instanceof WispError ? thrown.code : 'WISP_ERR_ENGINE';
      postMessage({ id, error: { code, message: `${saying(thrown)}.` } });
    }
  });
}
