// The press's worker in a Node process: messages in, replies out.

import { parentPort } from 'node:worker_threads';
import { NodeReader } from '../reading/read-node.js';
import { PressService } from './press-service.js';

if (!parentPort) throw new Error('press-worker-node.js runs in a worker thread only.');
const port = parentPort;
const service = new PressService((message) => port.postMessage(message), new NodeReader());
port.on('message', (message) => service.receive(message));
