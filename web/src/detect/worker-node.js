// The worker of a Node process: messages in, replies out, picture files decoded by read-node.js.

import { parentPort } from 'node:worker_threads';
import { NodeReader } from '../reading/read-node.js';
import { Service } from './service.js';

if (!parentPort) throw new Error('worker-node.js runs in a worker thread only.');
const port = parentPort;
const reader = new NodeReader();
const service = new Service((message, transfer) => port.postMessage(message, transfer), reader);
port.on('message', (message) => service.receive(message));
