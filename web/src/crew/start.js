// Starts a worker, in a page or under Node. No module of a worker imports this one, nor any other with `new Worker` in
// it: a bundler that follows workers would find the worker in its own modules, and never end.

import { saying, WispError } from '../error.js';
import { absolute, isNode, nodeModules } from '../host.js';
import { startHere } from './here.js';
import { isForeign, lineFor, newWorker } from './new-worker.js';
import { Threads } from './threads-of-page.js';

/**
 * A worker, of whichever kind the host has.
 * @typedef {object} Crew
 * @property {(message: object, transfer: Transferable[]) => void} post
 * @property {(busy: boolean) => void} hold keeps a Node process alive while there is work
 * @property {() => Promise<void>} dismiss ends it at once, whatever it is doing
 *
 * @typedef {object} CrewEvents
 * @property {(message: any) => void} onMessage
 * @property {(why: string) => void} onDeath not called after `dismiss`
 *
 * @typedef {object} WorkerFiles of the package
 * @property {() => Worker} inPage starts it: bundlers see a worker only where `new Worker` holds its address
 * @property {string} inNode address of the one for Node, from this module
 * @property {() => Promise<import('./here.js').InPlace>} inPlace what does its work where no worker can be started
 * @property {string} otherwise what to do where that can't be imported either
 * @property {{page: string, node: string}} inPackage paths of both in the package; pages get the one that is built
 */

/**
 * @param {string | URL | undefined} address of another worker file than the package's own
 * @param {CrewEvents} events
 * @param {WorkerFiles} own
 * @param {import('./here.js').InPlace} [inPlace] in place of a worker
 * @returns {Crew}
 */
export function startWorker(address, events, own, inPlace) {
  if (isNode()) return startThread(address, events, own.inNode);
  if (inPlace) return startHere(inPlace, events, own.otherwise);
  if (typeof Worker === 'function') return startWebWorker(address, events, own.inPage);
  return startHere(own.inPlace(), events, own.otherwise);
}

/** @param {string | URL | undefined} address @param {CrewEvents} events @param {string} own @returns {Crew} */
function startThread(address, { onMessage, onDeath }, own) {
  const here = import.meta.url; // apart, so that no bundler for browsers follows the address
  const file = address ? absolute(address) : new URL(own, here);
  const worker = new (nodeModules().threads.Worker)(file, {
    name: 'wisp',
    execArgv: [], // not the parent's --input-type and the like
  });
  let dismissed = false;
  const die = (/** @type {string} */ why) => {
    if (!dismissed) onDeath(why);
  };
  worker.on('message', onMessage);
  worker.on('error', (thrown) => die(saying(thrown)));
  worker.on('exit', (code) => die(`it ended with code ${code}`));
  worker.unref();
  return {
    post: (message, transfer) => worker.postMessage(message, /** @type {any} */ (transfer)),
    hold: (busy) => (busy ? worker.ref() : worker.unref()),
    async dismiss() {
      dismissed = true;
      await worker.terminate();
    },
  };
}

/**
 * @param {string | URL | undefined} address
 * @param {CrewEvents} events
 * @param {() => Worker} own
 * @returns {Crew}
 */
function startWebWorker(address, { onMessage, onDeath }, own) {
  const [file, options] = address
    ? /** @type {const} */ ([absolute(address), { type: 'module', name: 'wisp' }])
    : argumentsOf(own);
  const advice = isForeign(file) ? adviceOnForeign(file, options) : NOT_STARTED;
  const worker = started(file, options, advice);
  const threads = new Threads(worker);
  worker.onmessage = ({ data }) => {
    if (!threads.receive(data)) onMessage(data);
  };
  worker.onmessageerror = () => onDeath('a message could not be read');
  worker.onerror = (event) => {
    event.preventDefault?.();
    onDeath(event.message || advice);
  };
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    hold() {},
    async dismiss() {
      worker.onmessage = worker.onmessageerror = worker.onerror = null;
      worker.terminate();
      threads.end();
    },
  };
}

const NOT_STARTED =
  'its file or one that it imports did not arrive as JavaScript. Let the bundler see it (Vite: ' +
  "optimizeDeps.exclude: ['wisp-yolo']), or run `npx wisp copy public/wisp` and give that folder's address as base " +
  "({ base: '/wisp/' }); on a page with " +
  'Cross-Origin-Embedder-Policy, send that header with it too, for Safari also with 304 answers';

/** @param {URL} address @param {WorkerOptions} [options] */
const adviceOnForeign = (address, options) =>
  `it comes from another origin, ${address.origin}, and was refused. Put a file on the page's own origin with the ` +
  `one line  ${lineFor(address, options)}  and give its address as workerUrl. That server has to send ` +
  'Access-Control-Allow-Origin, and a Content-Security-Policy to allow it in worker-src';

/**
 * @param {URL} address
 * @param {WorkerOptions | undefined} options
 * @param {string} advice
 */
function started(address, options, advice) {
  try {
    return newWorker(address, options);
  } catch (cause) {
    const sentence = `The worker was refused (${saying(cause)}): ${advice}.`;
    throw new WispError('WISP_ERR_ENGINE', sentence, { cause });
  }
}

/**
 * What a bundler has made of `new Worker(…)`: only there does the address stand, and it may be of another origin.
 * @param {() => Worker} start
 * @returns {[URL, WorkerOptions?]}
 */
function argumentsOf(start) {
  const { Worker } = globalThis;
  /** @type {[string | URL, WorkerOptions?]} */
  let given = [''];
  globalThis.Worker = /** @type {any} */ (
    class {
      /** @param {typeof given} all */
      constructor(...all) {
        given = all;
      }
    }
  );
  try {
    start();
  } finally {
    globalThis.Worker = Worker;
  }
  const [address, options] = given;
  return [absolute(address), options];
}
