// The press's worker in a page: messages in, replies out.

import { Reader } from './pixels.js';
import { PressService } from './press-service.js';
import { leaveThreadsToPage } from './threads.js';

const service = new PressService((message) => postMessage(message), new Reader());
leaveThreadsToPage((message) => service.receive(message));
