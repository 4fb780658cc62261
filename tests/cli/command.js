// Runs the `wisp` command as a process of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const wisp = fileURLToPath(new URL('../../cli/wisp.js', import.meta.url));

/**
 * @typedef {{code: number | null, signal: string | null, stdout: string, stderr: string}} Outcome
 * @typedef {(child: import('node:child_process').ChildProcess) => void} OnStart
 */

/**
 * @param {string[]} words
 * @param {{cwd?: string, input?: Uint8Array, onStart?: OnStart, blocks?: number, env?: Record<string, string>}}
 *   [options] `blocks`: the command may write no file of more blocks of 512 or 1024 bytes; `env`: besides its own
 * @returns {Promise<Outcome>}
 */
export function runWisp(words, { cwd, input, onStart, blocks, env } = {}) {
  return new Promise((resolve, reject) => {
    const limited = ['sh', '-c', `ulimit -f ${blocks}; exec "$@"`, 'sh'];
    const all = [...(blocks === undefined ? [] : limited), process.execPath, wisp, ...words];
    const child = spawn(all[0], all.slice(1), { cwd, env: { ...process.env, ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    onStart?.(child);
  });
}

/**
 * `wisp serve` with one model.
 * @param {string[]} words behind `serve`
 * @param {string} cwd
 * @returns {Promise<{url: string, close: () => Promise<Outcome>}>}
 */
export async function serveWisp(words, cwd) {
  /** @type {any} */
  let child;
  const onStart = (/** @type {unknown} */ started) => {
    child = started;
  };
  const ended = runWisp(['serve', ...words, '--port', '0', '--quiet'], { cwd, onStart });
  const early = ended.then(({ stderr }) => Promise.reject(new Error(stderr)));
  const [line] = await Promise.race([once(child.stdout, 'data'), early]);
  early.catch(() => {});
  const close = () => {
    child.kill();
    return ended;
  };
  return { url: /^(http:\S+) serves /.exec(line)?.[1] ?? '', close };
}
