// The press's worker in a page: messages in, replies out.

import { leaveThreadsToPage } from '../crew/threads-of-worker.js';
import { BrowserReader } from '../reading/read-browser.js';
import { PressService } from './press-service.js';

const service = new PressService((message) => postMessage(message), new BrowserReader());
leaveThreadsToPage((message) => service.receive(message));
