// A worker's service without a worker, in the realm that asks it: the same messages, which nobody copies.

import { kindOf, saying } from '../error.js';

/**
 * @typedef {object} InPlace
 * @property {(post: (message: object) => void) => {receive: (message: any) => void}} serve starts the service
 * @property {Record<string, Function>} [glue] what makes an instance, by the name of the build; else it is imported
 * @property {Function} [downloadKept] takes a model whose hash is known; else it is imported
 */

/**
 * @param {InPlace | Promise<InPlace>} arriving
 * @param {import('./start.js').CrewEvents} events
 * @returns {import('./start.js').Crew}
 */
export function startHere(arriving, { onMessage, onDeath }) {
  let dismissed = false;
  const post = (/** @type {object} */ message) => dismissed || onMessage(message);
  const service = Promise.resolve(arriving).then(({ serve }) => serve(post));
  service.catch((cause) => dismissed || onDeath(adviceOn(cause)));
  return {
    post: (message) => void service.then((started) => started.receive(message), ignore),
    hold() {},
    async dismiss() {
      dismissed = true;
    },
  };
}

const ignore = () => {};

/** @param {unknown} cause */
function adviceOn(cause) {
  const place = kindOf(globalThis);
  const refusal = `no worker can be started here (${place}), nor its modules be imported later (${saying(cause)})`;
  return `${refusal}. Import { inPlace } from 'wisp-yolo/in-place' and open with Detector.open(model, { inPlace })`;
}
