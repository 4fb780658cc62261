// The process behind places/node.js: takes calls for its lanes, answers each.

import { Lanes } from '../lanes/lanes.js';

const lanes = new Lanes();

/** @param {string} verb @param {any[]} values */
function act(verb, values) {
  if (verb === 'version') return `Node ${process.versions.node} (V8 ${process.versions.v8})`;
  return /** @type {any} */ (lanes)[verb](...values);
}

process.on('message', async (message) => {
  const { id, verb, values } = /** @type {{id: number, verb: string, values: any[]}} */ (message);
  try {
    process.send?.({ id, value: await act(verb, values) });
  } catch (thrown) {
    process.send?.({ id, error: String(/** @type {Error} */ (thrown)?.message ?? thrown) });
  }
});
process.on('disconnect', () => process.exit());
