// Runs other programs: quietly, with what they said in the error if they fail.
// Only node: builtins here and in everything set-up uses: it runs before there is a node_modules.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

const PIPE = /** @type {const} */ ('pipe');

/** A program that ended with something else than 0, or could not be started. */
export class CommandError extends Error {
  name = 'CommandError';

  /**
   * @param {string} sentence what went wrong
   * @param {string} output what the program had written
   */
  constructor(sentence, output) {
    super(sentence);
    this.output = output;
  }
}

/**
 * Waits for a program. Its output is kept, and shown only by whoever catches the error.
 * @param {string} program
 * @param {string[]} parameters
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {boolean} [options.show] let it write to the terminal instead
 * @param {number} [options.timeoutMs] after which it is told to end
 * @param {(line: string) => void} [options.onLine] hears what it writes to stderr
 * @param {(line: string) => void} [options.onStatus] hears what it writes to file descriptor 3
 * @returns {Promise<string>} what it wrote to stdout and stderr
 */
export function run(program, parameters, options = {}) {
  const { cwd, env, show = false, timeoutMs, onLine, onStatus } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, {
      cwd,
      env,
      timeout: timeoutMs,
      stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe', ...(onStatus ? [PIPE] : [])],
    });
    const pieces = /** @type {string[]} */ ([]);
    child.stdout?.on('data', (piece) => pieces.push(String(piece)));
    child.stderr?.on('data', (piece) => pieces.push(String(piece)));
    if (onLine && child.stderr) createInterface(child.stderr).on('line', onLine);
    const status = /** @type {import('node:stream').Readable | undefined} */ (child.stdio[3]);
    if (onStatus && status) createInterface(status).on('line', onStatus);
    child.on('error', (error) =>
      reject(new CommandError(`${program} can't be started: ${error.message}`, '')),
    );
    child.on('close', (code, signal) => {
      const output = pieces.join('');
      if (code === 0) resolve(output);
      else reject(new CommandError(`${program} ended with ${signal ?? `status ${code}`}.`, output));
    });
  });
}

/**
 * The file that a command name means, as the shell would find it.
 * @param {...string} names in the order of preference
 * @returns {string | undefined}
 */
export function which(...names) {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return names
    .flatMap((name) => folders.map((folder) => path.join(folder, name)))
    .find(isExecutable);
}

/** @param {string} file */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
