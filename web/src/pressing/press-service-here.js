// The press's service where it is asked, on one thread: for places that can start no worker.

import { BrowserReader } from '../reading/read-browser.js';
import { PressService } from './press-service.js';

/**
 * @param {(message: object) => void} post
 * @returns {{receive: (message: import('./press-service.js').Message) => void}}
 */
export const serve = (post) => new PressService(post, new BrowserReader());
