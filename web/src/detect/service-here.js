// The detector's service where it is asked, on one thread: for places that can start no worker.

import { BrowserReader } from '../reading/read-browser.js';
import { Service } from './service.js';

/**
 * @param {(message: object) => void} post
 * @returns {{receive: (message: import('./service.js').Message) => void}}
 */
export const serve = (post) => new Service(post, new BrowserReader());
