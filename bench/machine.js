// What the bench ran on.

import os from 'node:os';

/** @typedef {{cpu: string, cores: number, memoryGiB: number, system: string}} Machine */

/** @returns {Machine} */
export function describeMachine() {
  return {
    cpu: (os.cpus()[0]?.model ?? 'unknown processor').trim(),
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
  };
}
