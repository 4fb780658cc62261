// Reads bar codes and 2D codes under Node: the same CodeReader, with wisp's own decoders of pictures.

import { CodeFinder, detectorOf } from './code-finder.js';
import { absolute, nodeModules } from './host.js';
import { NodeReader } from './reading/read-node.js';

/** @type {import('./code-finder.js').Place} */
const NODE = {
  reader: () => new NodeReader(),
  library: {
    load: () => import('zxing-wasm/reader'),
    overrides: (address = import.meta.resolve('zxing-wasm/reader/zxing_reader.wasm')) => ({
      wasmBinary: new Uint8Array(nodeModules().fs.readFileSync(absolute(address))).buffer,
    }),
  },
};

export class CodeReader extends CodeFinder {
  /**
   * @param {import('./code-finder.js').ReaderOptions} [options]
   * @returns {Promise<CodeReader>}
   */
  static async open(options = {}) {
    return new CodeReader(await detectorOf(options), options, NODE);
  }
}
