// One printed line for each step of set-up, build, test and check: what, how it went, how long it took.

const NAME_WIDTH = 34;

/**
 * @param {number} since performance.now() at the start
 * @returns {string} seconds, e.g. "12.3 s"
 */
export function elapsed(since) {
  return `${((performance.now() - since) / 1000).toFixed(1).padStart(6)} s`;
}

/**
 * Runs `work` and prints its line when it is done.
 * @template T
 * @param {string} name
 * @param {() => T | Promise<T>} work may return a few words for the line, or an object that has some
 * @returns {Promise<T>}
 */
export async function step(name, work) {
  const start = performance.now();
  const label = name.padEnd(NAME_WIDTH);
  if (process.stdout.isTTY) process.stdout.write(`  ${label} …\r`);
  try {
    const outcome = await work();
    const words = typeof outcome === 'string' ? outcome : Reflect.get(Object(outcome), 'words');
    console.log(`  ${label}${elapsed(start)}  ${words ?? ''}`.trimEnd());
    return outcome;
  } catch (error) {
    console.log(`  ${label}${elapsed(start)}  failed`);
    throw error;
  }
}

/**
 * Ends the process the way every tool here does: the sentence, what the failed program wrote, status 1.
 * @param {unknown} error
 * @returns {never}
 */
export function fail(error) {
  const { message, output, name } = /** @type {Error & {output?: string}} */ (error);
  if (output) console.error(`\n${output.trimEnd()}\n`);
  console.error(
    output !== undefined || name === 'Refusal' ? message : /** @type {Error} */ (error).stack,
  );
  process.exit(1);
}

/** Something the user has to mend; its message says what to do. */
export class Refusal extends Error {
  name = 'Refusal';
}
