// code-worker.js - decodes the codes that the page has found; the decoder is loaded with the first.
import { serveCodes } from '../src/code-worker.js';

// Addresses, not names: workers have no import map.
const LIBRARY = new URL('../../vendor/zxing-wasm/', import.meta.url);

serveCodes({
  zxing: () => import(new URL('es/reader/index.js', LIBRARY).href),
  zxingWasm: new URL('reader/zxing_reader.wasm', LIBRARY), // by default it comes from a third party
});
