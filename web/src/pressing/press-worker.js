// The press's worker in a page: messages in, replies out.

import { leaveThreadsToPage } from '../crew/threads.js';
import { Reader } from '../picture/pixels.js';
import { PressService } from './press-service.js';

const service = new PressService((message) => postMessage(message), new Reader());
leaveThreadsToPage((message) => service.receive(message));
