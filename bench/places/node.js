// A Node process of its own, with relaxed SIMD if any Node here has it.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @param {import('./place.js').Setting} setting @returns {Promise<import('./place.js').Place>} */
export async function openNode({ program, v8Flags }) {
  const child = fork(fileURLToPath(new URL('node-process.js', import.meta.url)), [], {
    execPath: program,
    execArgv: v8Flags,
  });
  /** @type {Map<number, {resolve: (value: any) => void, reject: (reason: Error) => void}>} */
  const pending = new Map();
  let next = 0;
  child.on('message', (message) => {
    const { id, value, error } = /** @type {{id: number, value?: any, error?: string}} */ (message);
    if (error === undefined) pending.get(id)?.resolve(value);
    else pending.get(id)?.reject(new Error(error));
    pending.delete(id);
  });
  const end = (/** @type {Error} */ why) => {
    for (const { reject } of pending.values()) reject(why);
  };
  child.on('exit', (code, signal) => end(new Error(`Node ended with ${signal ?? code}`)));
  child.on('error', end);
  /** @param {string} verb @param {any[]} values */
  const call = (verb, ...values) =>
    new Promise((resolve, reject) => {
      pending.set(next, { resolve, reject });
      child.send({ id: next++, verb, values }, (error) => error && reject(error));
    });
  const version = await call('version');
  return { name: 'node', version, flags: v8Flags, call, close: async () => void child.kill() };
}
