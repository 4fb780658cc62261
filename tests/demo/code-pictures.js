// The decoder of codes under Node.

import { readFileSync } from 'node:fs';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';

/** @returns {Promise<import('../../web/src/code-reading.js').Decode>} */
export async function decoder() {
  // it takes pixels for an encoded file unless they are of this class, which Node lacks
  globalThis.ImageData ??= /** @type {any} */ (Picture);
  const file = new URL(import.meta.resolve('zxing-wasm/reader/zxing_reader.wasm'));
  const wasmBinary = new Uint8Array(readFileSync(file)).buffer;
  await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
  return (picture, options) =>
    readBarcodes(
      picture instanceof Uint8Array
        ? picture
        : new ImageData(new Uint8ClampedArray(picture.data), picture.width, picture.height),
      options,
    );
}

class Picture {
  /** @param {Uint8ClampedArray} data @param {number} width @param {number} height */
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
}
