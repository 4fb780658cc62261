// The worker of a page: messages in, replies out.

import { leaveThreadsToPage } from '../crew/threads-of-worker.js';
import { BrowserReader } from '../reading/read-browser.js';
import { Service } from './service.js';

const service = new Service(
  (message, transfer = []) => postMessage(message, { transfer }),
  new BrowserReader(),
);
leaveThreadsToPage((message) => service.receive(message));
