// The worker of a page: messages in, replies out.

import { Reader } from './pixels.js';
import { Service } from './service.js';

const service = new Service((message) => postMessage(message), new Reader());
onmessage = ({ data }) => service.receive(data);
