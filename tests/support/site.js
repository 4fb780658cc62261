// A folder and a server with a small model and a picture, for tests in Node.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Detector } from '../../web/src/index.js';
import { encodePng, makeModel, makePicture } from './fixtures.js';

export const model = makeModel();
export const picture = makePicture();
export const png = encodePng(picture);

/**
 * The same for a page, with the boxes that it must find.
 * @returns {Promise<import('../web/page-cases.js').Fixtures>}
 */
export async function makeFixtures() {
  const detector = await Detector.open(model, { threads: 1 });
  const { boxes } = await detector.detect(picture, { confidence: 0.2 });
  await detector.close();
  assert.ok(boxes.length > 5);
  return {
    model: Buffer.from(model).toString('base64'),
    png: Buffer.from(png).toString('base64'),
    size: { width: picture.width, height: picture.height },
    boxes: JSON.stringify(boxes),
  };
}

/** What the server has. @type {Record<string, {type: string, body: Uint8Array | string}>} */
const shelf = {
  '/tiny.wisp': { type: 'application/octet-stream', body: model },
  '/picture.png': { type: 'image/png', body: png },
  '/page.html': { type: 'text/html', body: '<!doctype html><title>Not found</title>' },
};

/**
 * The folder has tiny.wisp and picture.png; the server also page.html, /slow.wisp whose second half never comes,
 * /never.png of which nothing comes, /broken.png, which breaks off, and /closing.wisp, after which the connection is
 * closed.
 * @returns {Promise<{folder: string, url: string, openRequests: () => number, close: () => void}>}
 */
export async function openSite() {
  const folder = mkdtempSync(path.join(tmpdir(), 'wisp-test-'));
  writeFileSync(path.join(folder, 'tiny.wisp'), model);
  writeFileSync(path.join(folder, 'picture.png'), png);
  let slow = 0;
  const server = createServer((request, response) => {
    if (request.url === '/slow.wisp') {
      slow++;
      response.on('close', () => slow--);
      return response.writeHead(200).write(model.subarray(0, model.length >> 1));
    }
    if (request.url === '/never.png') {
      slow++;
      return response.on('close', () => slow--);
    }
    if (request.url === '/closing.wisp') {
      const whole = readFileSync(new URL('../../models/codes.wisp', import.meta.url));
      return response
        .writeHead(200, { connection: 'close', 'content-length': whole.length })
        .end(whole);
    }
    if (request.url === '/broken.png') {
      response.writeHead(200, { 'content-type': 'image/png', 'content-length': png.length });
      return response.write(png.subarray(0, 50), () => response.destroy());
    }
    const found = shelf[request.url ?? ''];
    if (!found) return response.writeHead(404).end();
    const length = Buffer.byteLength(found.body);
    return response
      .writeHead(200, { 'content-type': found.type, 'content-length': length })
      .end(found.body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    folder,
    url: `http://127.0.0.1:${port}`,
    openRequests: () => slow,
    close() {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
