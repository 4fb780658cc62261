// bench-run.js - makes networks, opens them in every way asked for, and lets them take turns.
import { Detector } from '../src/index.js';
import { openPeer } from './bench-peers.js';

/**
 * @typedef {import('./bench-peers.js').Peer} Peer
 * @typedef {import('./bench-worker.js').Scene} Scene
 * @typedef {'wisp' | 'wisp-relaxed'} Tier
 *
 * @typedef {object} Plan
 * @property {string} network
 * @property {number} size
 * @property {Tier[]} tiers
 * @property {Peer[]} peers
 * @property {number[]} sparsities of wisp; peers gain nothing from zeros
 * @property {number[]} threads
 * @property {number} warmup rounds that don't count
 * @property {number} rounds
 *
 * @typedef {object} Lane
 * @property {Tier | Peer} engine
 * @property {number} sparsity
 * @property {number} threads
 *
 * @typedef {{before: number, network: number, after: number}} Parts milliseconds
 * @typedef {Parts & {total: number}} Turn
 *
 * @typedef {object} Engine
 * @property {(scene: Scene, signal: AbortSignal) => Promise<Parts>} detect
 * @property {() => Promise<void>} close
 *
 * @typedef {{lane: Lane, engine: Engine, turns: Turn[]}} Runner
 * @typedef {{lane: Lane, why: string}} Refusal
 *
 * @typedef {object} Field what takes part
 * @property {Runner[]} runners
 * @property {Refusal[]} refusals
 * @property {{variant: string, threads: number, reason: string} | null} choice what wisp takes by itself here
 *
 * @typedef {object} Listener
 * @property {(what: string, share: number) => void} onStep share of all work that is done
 * @property {(field: Field) => void} onRound
 */

const PAUSE_MS = 10; // between turns, for the threads of the last one to sleep
const PREPARING = 0.25; // share of the bar

/**
 * @param {Plan} plan
 * @param {AbortSignal} signal
 * @param {Listener} listener
 * @returns {Promise<Field>}
 */
export async function measure(plan, signal, listener) {
  /** @type {Field} */
  const field = { runners: [], refusals: [], choice: null };
  try {
    const scene = await openAll(plan, field, signal, listener);
    await takeTurns(field, plan, scene, signal, listener);
    return field;
  } finally {
    for (const { engine } of field.runners) void engine.close();
  }
}

/**
 * @param {Plan} plan
 * @param {Field} field
 * @param {AbortSignal} signal
 * @param {Listener} listener
 * @returns {Promise<Scene>} the picture
 */
async function openAll(plan, field, signal, { onStep }) {
  const { network, size, sparsities, tiers } = plan;
  const steps = sparsities.length + plan.peers.length;
  /** @type {Scene | undefined} */
  let scene;
  for (const [i, sparsity] of sparsities.entries()) {
    onStep(`Making ${nameOf(plan, sparsity)}`, (PREPARING * i) / steps);
    const made = await make({ network, size, sparsity }, signal);
    scene = made.scene;
    field.choice ??= await choiceFor(made.bytes, signal);
    const lanes = lanesOf(tiers, sparsity, plan.threads);
    await enter(lanes, field, signal, (lane) => openWisp(made.bytes, lane, signal));
  }
  for (const [i, peer] of plan.peers.entries()) {
    onStep(`Opening ${peer.title}`, (PREPARING * (sparsities.length + i)) / steps);
    const lanes = lanesOf([peer], 0, plan.threads);
    await enter(lanes, field, signal, ({ threads }) => openPeer(peer, threads));
  }
  return /** @type {Scene} */ (scene);
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

/** @param {Lane['engine'][]} engines @param {number} sparsity @param {number[]} threads @returns {Lane[]} */
function lanesOf(engines, sparsity, threads) {
  return engines.flatMap((engine) =>
    threads.map((count) => ({ engine, sparsity, threads: count })),
  );
}

/** @param {Uint8Array<ArrayBuffer>} bytes of a .wisp file @param {AbortSignal} signal */
async function choiceFor(bytes, signal) {
  const detector = await Detector.open(new Blob([bytes]), { warmUp: false, signal });
  const { variant, threads, reason } = detector.info;
  await detector.close();
  return { variant, threads, reason };
}

/**
 * Opens lanes one after the other; what can't run is written down, and the others go on.
 * @param {Lane[]} lanes
 * @param {Field} field
 * @param {AbortSignal} signal
 * @param {(lane: Lane) => Promise<Engine>} open
 */
async function enter(lanes, { runners, refusals }, signal, open) {
  for (const lane of lanes) {
    signal.throwIfAborted();
    try {
      runners.push({ lane, engine: await open(lane), turns: [] });
    } catch (thrown) {
      signal.throwIfAborted();
      refusals.push({ lane, why: /** @type {Error} */ (thrown).message });
    }
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes of a .wisp file
 * @param {Lane} lane
 * @param {AbortSignal} signal
 * @returns {Promise<Engine>}
 */
async function openWisp(bytes, { engine, threads }, signal) {
  const variant = /** @type {import('../src/index.js').Variant} */ (
    threads > 1 ? `${engine}-mt` : engine
  );
  const detector = await Detector.open(new Blob([bytes]), { variant, threads, signal });
  return {
    async detect(scene, stop) {
      const { times } = await detector.detect(scene, { signal: stop });
      return { before: times.pixels + times.prep, network: times.run, after: times.post };
    },
    close: () => detector.close(),
  };
}

/**
 * @param {Field} field
 * @param {Plan} plan
 * @param {Scene} scene
 * @param {AbortSignal} signal
 * @param {Listener} listener
 */
async function takeTurns(field, { warmup, rounds }, scene, signal, listener) {
  const all = warmup + rounds;
  for (let round = 0; round < all; round++) {
    const what = round < warmup ? 'Warming up' : `Round ${round - warmup + 1} of ${rounds}`;
    listener.onStep(what, PREPARING + ((1 - PREPARING) * round) / all);
    for (const { engine, turns } of field.runners) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      signal.throwIfAborted();
      const started = performance.now();
      const parts = await engine.detect(scene, signal);
      if (round >= warmup) turns.push({ ...parts, total: performance.now() - started });
    }
    if (round >= warmup) listener.onRound(field);
  }
}
