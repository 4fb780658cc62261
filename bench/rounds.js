// Lanes in turn, round after round, so that whatever slows the machine down slows all of them alike.

/**
 * @typedef {import('./lanes/lanes.js').TurnResult} TurnResult
 * @typedef {import('./plan.js').Lane} Lane
 *
 * @typedef {object} Course
 * @property {number} warmup rounds that don't count
 * @property {number} iterations rounds that do
 * @property {number} [seconds] instead of so many iterations: as many as fit
 * @property {number} pauseMs before each turn, so that threads of the last one have gone to sleep
 */

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @param {Lane[]} lanes
 * @param {(lane: Lane) => Promise<TurnResult>} turn
 * @param {Course} course
 * @param {(round: number, total: number) => void} onRound total is 0 where time decides
 * @returns {Promise<{results: Map<Lane, TurnResult[]>, failures: Map<Lane, string>}>}
 */
export async function runRounds(lanes, turn, { warmup, iterations, seconds, pauseMs }, onRound) {
  /** @type {Map<Lane, TurnResult[]>} */
  const results = new Map(lanes.map((lane) => [lane, []]));
  /** @type {Map<Lane, string>} */
  const failures = new Map();
  let end = Number.POSITIVE_INFINITY;
  for (let round = 0; ; round++) {
    if (round === warmup && seconds) end = performance.now() + seconds * 1000;
    const enough = seconds ? performance.now() >= end : round === warmup + iterations;
    if (enough && round > warmup) return { results, failures };
    onRound(round, seconds ? 0 : warmup + iterations);
    for (const lane of lanes.filter((candidate) => !failures.has(candidate))) {
      await sleep(pauseMs);
      try {
        const result = await turn(lane);
        if (round >= warmup) results.get(lane)?.push(result);
      } catch (thrown) {
        failures.set(lane, reasonOf(thrown));
      }
    }
  }
}

/** The first line of what was thrown, without what the drivers of browsers put around it. @param {unknown} thrown */
export function reasonOf(thrown) {
  const message = String(/** @type {Error} */ (thrown)?.message ?? thrown);
  return message.split('\n')[0].replace(/^page\.evaluate: (Error: )?/, '');
}
