// A worker's service without a worker, in the realm that asks it: the same messages, which nobody copies.

import { kindOf, saying } from '../error.js';

/**
 * @typedef {object} InPlace
 * @property {(post: (message: object) => void) => {receive: (message: any) => void}} serve starts the service
 * @property {Record<string, Function>} [glue] what makes an instance, by the name of the build; else it is imported
 * @property {Record<string, WebAssembly.Module>} [wasm] likewise its compiled WebAssembly, where none may be compiled
 * @property {Function} [downloadKept] takes a model whose hash is known; else it is imported
 */

/**
 * @param {InPlace | Promise<InPlace>} arriving
 * @param {import('./start.js').CrewEvents} events
 * @param {string} otherwise what to do where it does not arrive
 * @returns {import('./start.js').Crew}
 */
export function startHere(arriving, { onMessage, onDeath }, otherwise) {
  let dismissed = false;
  const post = (/** @type {object} */ message) => dismissed || onMessage(message);
  const service = Promise.resolve(arriving).then(({ serve }) => serve(post));
  service.catch((cause) => dismissed || onDeath(adviceOn(cause, otherwise)));
  return {
    post: (message) => void service.then((started) => started.receive(message), ignore),
    hold() {},
    async dismiss() {
      dismissed = true;
    },
  };
}

const ignore = () => {};

/** @param {unknown} cause @param {string} otherwise */
function adviceOn(cause, otherwise) {
  const place = kindOf(globalThis);
  const refusal = `no worker can be started here (${place}), nor its modules be imported later (${saying(cause)})`;
  return `${refusal}. ${otherwise}`;
}
