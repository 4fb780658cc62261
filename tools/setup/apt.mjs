// apt-get, and how far it is: it tells that on a channel of its own.
import { run } from '../command.mjs';

/** Where `run` hands over what a program writes there. */
const CHANNEL = '3';

/**
 * @param {string[]} words
 * @param {{env: NodeJS.ProcessEnv, cwd?: string, say: import('../step.mjs').Say, what: string}} how what: is fetched
 * @returns {Promise<string>} what it wrote
 */
export function aptGet(words, { env, cwd, say, what }) {
  say(`fetching ${what}`);
  const patient = ['-q', '-o', 'DPkg::Lock::Timeout=600', '-o', `APT::Status-Fd=${CHANNEL}`];
  const onStatus = (/** @type {string} */ line) => {
    const [, kind, share] = /^(dl|pm)status:[^:]*:([\d.]+):/.exec(line) ?? [];
    if (!kind) return;
    const verb = kind === 'dl' ? 'fetching' : 'installing';
    say(`${verb} ${what}: ${Math.round(Number(share))} %`);
  };
  return run('apt-get', [...patient, ...words], { env, cwd, onStatus });
}
