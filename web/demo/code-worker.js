// code-worker.js - reads the codes in the regions it is sent; the decoder is loaded with the first.
import { readCode } from '../src/code-reading.js';
import { codeOf } from './code-text.js';

/**
 * @typedef {import('../src/code-reading.js').Rect} Rect
 * @typedef {{id: number, bitmap: ImageBitmap, box: Rect, picture: {width: number, height: number}, reach: Rect}} Wish
 *   `bitmap` is what lies in `reach`
 * @typedef {{id: number, code: import('./code-text.js').Code | null} | {id: number, error: string}} Answer
 */

// Addresses, not names: workers have no import map.
const LIBRARY = new URL('../../vendor/zxing-wasm/', import.meta.url);

/** @type {Promise<import('../src/code-reading.js').Decode> | undefined} */
let loading;

onmessage = async (/** @type {MessageEvent<Wish>} */ { data }) => {
  const { id, bitmap, box, picture, reach } = data;
  try {
    loading ??= load();
    const show = (/** @type {Rect} */ region, /** @type {number} */ scale) =>
      draw(bitmap, { ...region, x: region.x - reach.x, y: region.y - reach.y }, scale);
    const reading = await readCode(await loading, box, picture, show);
    answer({ id, code: reading && codeOf(reading.answer) });
  } catch (thrown) {
    loading = undefined;
    answer({ id, error: /** @type {Error} */ (thrown).message });
  } finally {
    bitmap.close();
  }
};

/** @param {Answer} message */
const answer = (message) => postMessage(message);

/** @returns {Promise<import('../src/code-reading.js').Decode>} */
async function load() {
  /** @type {typeof import('zxing-wasm/reader')} */
  const library = await import(new URL('es/reader/index.js', LIBRARY).href);
  const wasm = new URL('reader/zxing_reader.wasm', LIBRARY).href; // by default it comes from a third party
  await library.prepareZXingModule({
    overrides: { locateFile: () => wasm },
    fireImmediately: true,
  });
  return library.readBarcodes;
}

/** @param {ImageBitmap} bitmap @param {Rect} part of it @param {number} scale */
function draw(bitmap, part, scale) {
  const width = Math.max(1, Math.round(part.width * scale));
  const height = Math.max(1, Math.round(part.height * scale));
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error(`There is no canvas of ${width} × ${height} to be had.`);
  context.drawImage(bitmap, part.x, part.y, part.width, part.height, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}
