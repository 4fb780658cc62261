// One printed line for each step of set-up, build, test and check: what, how it went, how long it took.

const NAME_WIDTH = 34;
const CLEAR = '\x1b[2K'; // the line
/** Between two lines of one step where lines can't be written over, such as in a log. */
const QUIET_MS = 10_000;

/**
 * @param {number} since performance.now() at the start
 * @returns {string} seconds, e.g. "12.3 s"
 */
export function elapsed(since) {
  return `${((performance.now() - since) / 1000).toFixed(1).padStart(6)} s`;
}

/** The line of what is done. @param {string} name @param {number} since @param {string} [words] */
export function tell(name, since, words = '') {
  if (process.stdout.isTTY) process.stdout.write(CLEAR);
  console.log(`  ${name.padEnd(NAME_WIDTH)}${elapsed(since)}  ${words}`.trimEnd());
}

/** Shows how far a step is. @typedef {(words: string) => void} Say */

/**
 * Runs `work` and prints its line when it is done.
 * @template T
 * @param {string} name
 * @param {(say: Say) => T | Promise<T>} work may return a few words for the line, or an object that has some
 * @returns {Promise<T>}
 */
export async function step(name, work) {
  const start = performance.now();
  const say = saying(name.padEnd(NAME_WIDTH));
  if (process.stdout.isTTY) say('…');
  try {
    const outcome = await work(say);
    tell(
      name,
      start,
      typeof outcome === 'string' ? outcome : Reflect.get(Object(outcome), 'words'),
    );
    return outcome;
  } catch (error) {
    tell(name, start, 'failed');
    throw error;
  }
}

/** On a terminal always the same line; elsewhere a line now and then. @param {string} label @returns {Say} */
function saying(label) {
  let last = -Infinity;
  return (words) => {
    const width = process.stdout.columns || Infinity;
    if (process.stdout.isTTY)
      return void process.stdout.write(`${CLEAR}${`  ${label} ${words}`.slice(0, width - 1)}\r`);
    if (performance.now() - last < QUIET_MS) return;
    last = performance.now();
    console.log(`  ${label} ${words}`);
  };
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
