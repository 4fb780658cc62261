// Runs the WASI command under node:wasi: node wasi-run.js FOLDER arguments…, with FOLDER as its only folder, '/'.

import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const [folder, ...args] = process.argv.slice(2);
const file = new URL('../../dist/wisp-wasi.wasm', import.meta.url);
const wasi = new WASI({ version: 'preview1', args: ['wisp', ...args], preopens: { '/': folder } });
const { instance } = await WebAssembly.instantiate(
  readFileSync(file),
  /** @type {any} */ (wasi.getImportObject()),
);
process.exitCode = wasi.start(/** @type {any} */ (instance));
