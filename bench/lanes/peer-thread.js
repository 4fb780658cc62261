// The worker of an engine in Node: messages in, replies out.

import { parentPort } from 'node:worker_threads';
import { reply } from './peer-desk.js';

parentPort?.on('message', async (message) => parentPort?.postMessage(await reply(message)));
