// bench-run.js - makes networks, opens them in every way asked for, and lets them take turns.
import { Detector } from '../src/index.js';

/**
 * @typedef {object} Plan
 * @property {string} network
 * @property {number} size
 * @property {('wisp' | 'wisp-relaxed')[]} tiers
 * @property {number[]} sparsities
 * @property {number[]} threads
 * @property {number} warmup rounds that don't count
 * @property {number} rounds
 *
 * @typedef {{tier: 'wisp' | 'wisp-relaxed', sparsity: number, threads: number}} Lane
 * @typedef {{total: number, before: number, network: number, after: number}} Turn milliseconds
 * @typedef {{lane: Lane, detector: Detector, turns: Turn[]}} Runner
 * @typedef {{lane: Lane, why: string}} Refusal
 *
 * @typedef {object} Listener
 * @property {(what: string, share: number) => void} onStep share of all work that is done
 * @property {(runners: Runner[], refusals: Refusal[]) => void} onRound
 */

const PAUSE_MS = 10; // between turns, for the threads of the last one to sleep
const PREPARING = 0.25; // share of the bar

/**
 * @param {Plan} plan
 * @param {AbortSignal} signal
 * @param {Listener} listener
 * @returns {Promise<{runners: Runner[], refusals: Refusal[]}>}
 */
export async function measure(plan, signal, listener) {
  /** @type {import('./bench-worker.js').Made | undefined} */
  let made;
  /** @type {Runner[]} */
  const runners = [];
  /** @type {Refusal[]} */
  const refusals = [];
  try {
    for (const [i, sparsity] of plan.sparsities.entries()) {
      listener.onStep(`Making ${nameOf(plan, sparsity)}`, (PREPARING * i) / plan.sparsities.length);
      made = await make({ network: plan.network, size: plan.size, sparsity }, signal);
      await openAll(lanesOf(plan, sparsity), made.bytes, signal, { runners, refusals });
    }
    if (made) await takeTurns(runners, refusals, plan, made.scene, signal, listener);
    return { runners, refusals };
  } finally {
    for (const { detector } of runners) detector.close();
  }
}

/**
 * In a worker: drawing millions of numbers takes a while.
 * @param {import('./bench-worker.js').Wish} wish
 * @param {AbortSignal} signal
 * @returns {Promise<import('./bench-worker.js').Made>}
 */
function make(wish, signal) {
  const worker = new Worker(new URL('./bench-worker.js', import.meta.url), { type: 'module' });
  const made = new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    worker.onerror = ({ message }) => reject(new Error(message || 'bench-worker.js did not load.'));
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
    worker.postMessage(wish);
  });
  return made.finally(() => worker.terminate());
}

/** @param {Plan} plan @param {number} sparsity */
function nameOf({ network }, sparsity) {
  const name = network.replace('yolo', 'YOLO');
  return sparsity > 0 ? `${name} with ${sparsity * 100} % of its blocks zero` : name;
}

/** @param {Plan} plan @param {number} sparsity @returns {Lane[]} */
function lanesOf({ tiers, threads }, sparsity) {
  return tiers.flatMap((tier) => threads.map((count) => ({ tier, sparsity, threads: count })));
}

/**
 * @param {Lane[]} lanes
 * @param {Uint8Array<ArrayBuffer>} bytes of a .wisp file
 * @param {AbortSignal} signal
 * @param {{runners: Runner[], refusals: Refusal[]}} into
 */
async function openAll(lanes, bytes, signal, { runners, refusals }) {
  for (const lane of lanes) {
    const { tier, threads } = lane;
    const variant = /** @type {import('../src/index.js').Variant} */ (
      threads > 1 ? `${tier}-mt` : tier
    );
    try {
      const detector = await Detector.open(new Blob([bytes]), { variant, threads, signal });
      runners.push({ lane, detector, turns: [] });
    } catch (thrown) {
      signal.throwIfAborted();
      refusals.push({ lane, why: /** @type {Error} */ (thrown).message });
    }
  }
}

/**
 * @param {Runner[]} runners
 * @param {Refusal[]} refusals
 * @param {Plan} plan
 * @param {import('../src/index.js').PictureSource} scene
 * @param {AbortSignal} signal
 * @param {Listener} listener
 */
async function takeTurns(runners, refusals, { warmup, rounds }, scene, signal, listener) {
  const all = warmup + rounds;
  for (let round = 0; round < all; round++) {
    const what = round < warmup ? 'Warming up' : `Round ${round - warmup + 1} of ${rounds}`;
    listener.onStep(what, PREPARING + ((1 - PREPARING) * round) / all);
    for (const { detector, turns } of runners) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      signal.throwIfAborted();
      const started = performance.now();
      const { times } = await detector.detect(scene, { signal });
      const total = performance.now() - started;
      const turn = {
        total,
        before: times.pixels + times.prep,
        network: times.run,
        after: times.post,
      };
      if (round >= warmup) turns.push(turn);
    }
    if (round >= warmup) listener.onRound(runners, refusals);
  }
}
