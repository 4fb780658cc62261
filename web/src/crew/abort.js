// One listener on a signal, whatever waits for it: Node 20 takes more than ten for a leak.

/** @type {WeakMap<AbortSignal, {acts: Set<() => void>, all: () => void}>} */
const waiting = new WeakMap();

/**
 * Calls `act` once the signal is aborted.
 * @param {AbortSignal | undefined} signal
 * @param {() => void} act
 * @returns {() => void} forgets about it
 */
export function onAbort(signal, act) {
  if (!signal) return () => {};
  const { acts, all } = waiting.get(signal) ?? listen(signal);
  const own = () => act(); // the same function may wait twice
  acts.add(own);
  return () => {
    acts.delete(own);
    if (acts.size > 0) return;
    signal.removeEventListener('abort', all);
    waiting.delete(signal);
  };
}

/** @param {AbortSignal} signal */
function listen(signal) {
  /** @type {Set<() => void>} */
  const acts = new Set();
  const all = () => {
    for (const act of [...acts]) act();
  };
  const entry = { acts, all };
  waiting.set(signal, entry);
  signal.addEventListener('abort', all);
  return entry;
}
