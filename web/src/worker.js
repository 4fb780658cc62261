// The worker of a page: messages in, replies out.

import { Reader } from './pixels.js';
import { Service } from './service.js';
import { leaveThreadsToPage } from './threads.js';

const service = new Service(
  (message, transfer = []) => postMessage(message, { transfer }),
  new Reader(),
);
leaveThreadsToPage((message) => service.receive(message));
