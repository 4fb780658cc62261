// The worker of a page: messages in, replies out.

import { leaveThreadsToPage } from '../crew/threads.js';
import { Reader } from '../picture/pixels.js';
import { Service } from './service.js';

const service = new Service(
  (message, transfer = []) => postMessage(message, { transfer }),
  new Reader(),
);
leaveThreadsToPage((message) => service.receive(message));
