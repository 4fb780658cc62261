// How a build's WebAssembly is compiled: while it arrives where the server says what it is, else as a whole.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { runtimeFiles } from '../../web/src/detect/runtime-files.js';
import { compile, instantiate } from '../../web/src/wasm/instance.js';

const { glue, wasm } = /** @type {{glue: string, wasm: string}} */ (runtimeFiles().wisp);
const bytes = readFileSync(fileURLToPath(wasm));
const page = '<!doctype html><title>Not found</title>';

/** What the server sends. */
const answer = {
  type: 'application/wasm',
  body: /** @type {Uint8Array | string} */ (bytes),
  cut: false,
  packed: false,
};
/** @type {import('node:http').Server} */ let server;
let address = '';
let streamed = 0;
const { compileStreaming } = WebAssembly;

before(async () => {
  WebAssembly.compileStreaming = (source) => {
    streamed++;
    return compileStreaming(source);
  };
  server = createServer((_, response) => {
    const body = answer.packed ? brotliCompressSync(answer.body) : answer.body;
    response.writeHead(200, {
      'content-type': answer.type,
      'content-length': Buffer.byteLength(body),
      ...(answer.packed && { 'content-encoding': 'br' }),
    });
    if (!answer.cut) return void response.end(body);
    response.write(answer.body.slice(0, 1000), () => setTimeout(() => response.destroy(), 20));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  address = `http://127.0.0.1:${/** @type {any} */ (server.address()).port}/wisp.wasm`;
});
after(() => {
  WebAssembly.compileStreaming = compileStreaming;
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  Object.assign(answer, { type: 'application/wasm', body: bytes, cut: false, packed: false });
  streamed = 0;
});

/** @param {(loaded: number, total: number) => void} [onProgress] */
const make = (onProgress = () => {}) =>
  instantiate({ glue, wasm: address }, 0, compile(address, onProgress));

describe('WebAssembly over the network', () => {
  test('is compiled while it arrives, and its progress is told', async () => {
    const seen = /** @type {number[][]} */ ([]);
    const module = await make((loaded, total) => void seen.push([loaded, total]));
    assert.equal(streamed, 1);
    assert.equal(module._runtime_model_size(), 0);
    assert.deepEqual(seen.at(-1), [bytes.length, bytes.length]);
    assert.ok(seen.every(([loaded, total]) => loaded <= total));
  });

  test('its size is not known before the end where it comes compressed', async () => {
    answer.packed = true;
    const seen = /** @type {number[][]} */ ([]);
    await make((loaded, total) => void seen.push([loaded, total]));
    assert.deepEqual(seen.at(-1), [bytes.length, bytes.length]);
    assert.ok(seen.length > 1 && seen.slice(0, -1).every(([, total]) => total === 0));
  });

  for (const type of ['application/octet-stream', 'application/wasm; v=1', '']) {
    test(`under the type "${type}" as a whole`, async () => {
      answer.type = type;
      const module = await make();
      assert.equal(streamed, 0);
      assert.equal(module._runtime_model_size(), 0);
    });
  }

  test('where it is something else, that is named', async () => {
    Object.assign(answer, { type: 'text/html', body: page });
    await assert.rejects(make(), {
      code: 'WISP_ERR_ENGINE',
      message: /no WebAssembly: it is a web page.*wasmBase/,
    });
    answer.type = 'application/wasm';
    await assert.rejects(make(), {
      code: 'WISP_ERR_ENGINE',
      message: /wisp\.wasm did not compile/,
    });
  });

  test('without the module that belongs to it', async () => {
    const lost = instantiate({ glue: `${glue}-lost`, wasm: address }, 0, compile(address));
    await assert.rejects(lost, {
      code: 'WISP_ERR_ENGINE',
      message: /mjs-lost did not load.*wasmBase/,
    });
  });

  for (const type of ['application/wasm', 'text/plain']) {
    test(`a connection that breaks under ${type}`, async () => {
      Object.assign(answer, { type, cut: true });
      await assert.rejects(make(), { code: 'WISP_ERR_ENGINE', message: /broke off/ });
    });
  }
});
