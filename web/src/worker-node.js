// The worker of a Node process: messages in, replies out, picture files decoded by pixels-node.js.

import { parentPort } from 'node:worker_threads';
import { download } from './download.js';
import { saying, WispError } from './error.js';
import { decodeImage } from './pixels-node.js';
import { Service } from './service.js';

/** @param {import('./pixels.js').Picture} picture */
async function fileOf(picture) {
  switch (picture.kind) {
    case 'file':
      return { name: 'The picture', bytes: picture.bytes };
    case 'blob':
      return { name: 'The picture', bytes: new Uint8Array(await picture.blob.arrayBuffer()) };
    case 'address': {
      const { name, pieces } = await download(picture.address);
      const parts = [];
      for await (const piece of pieces) parts.push(piece);
      return { name, bytes: Buffer.concat(parts) };
    }
  }
  throw new WispError('WISP_ERR_SOURCE', `Node can't read a ${picture.kind}.`);
}

/** @type {import('./service.js').Reading} */
const reader = {
  async read(picture, room) {
    if (picture.kind === 'raw') return room(picture.width, picture.height).set(picture.data);
    const { name, bytes } = await fileOf(picture);
    const { data, width, height } = await decodeImage(bytes).catch((cause) => {
      throw new WispError('WISP_ERR_SOURCE', `${name}: ${saying(cause)}.`, { cause });
    });
    room(width, height).set(data);
  },
};

if (!parentPort) throw new Error('worker-node.js runs in a worker thread only.');
const port = parentPort;
const service = new Service((message, transfer) => port.postMessage(message, transfer), reader);
port.on('message', (message) => service.receive(message));
