// A source that never ends by itself: read as it comes, taken up again where it breaks.

import { setTimeout as sleep } from 'node:timers/promises';
import { WispError } from '../../web/src/index.js';
import { fileWords } from './ffmpeg.js';
import { decode } from './frames.js';

/**
 * @typedef {import('./frames.js').Frame} Frame
 *
 * @typedef {object} LiveOptions
 * @property {string[]} output words for ffmpeg
 * @property {import('./frames.js').Spares} spares
 * @property {number} retries attempts in a row that bring no frame, before it is given up
 * @property {AbortSignal} signal ends it
 * @property {(why: string, seconds: number) => void} onBreak how long it waits now
 * @property {(said: string) => void} onStart with the first frame: what ffmpeg says of the source
 */

const FIRST_WAIT = 0.5; // seconds, twice as long each time
const LONGEST_WAIT = 30;
const SILENCE_MS = 10_000; // without a frame: it has broken without saying so

/**
 * @param {import('./sources.js').Place} place
 * @param {LiveOptions} options
 * @returns {AsyncGenerator<Frame>}
 */
export async function* live({ place, shown, input = [] }, options) {
  const { output, spares, retries, signal, onBreak, onStart } = options;
  const eager = [
    '-analyzeduration',
    '1000000',
    '-flags',
    'low_delay',
    ...input,
    ...fileWords(place),
  ];
  /** @type {string[]} */
  let sized = []; // a camera that comes back with another size fills the film that there is
  for (let failures = 0; ; ) {
    const decoder = decode(eager, [...output, ...sized], spares);
    const why = yield* attempt(decoder, signal, (frame) => {
      if (sized.length === 0) onStart(decoder.said());
      sized = ['-s', `${frame.width}x${frame.height}`];
      failures = 0;
    });
    if (signal.aborted) return;
    if (sized.length === 0) throw new WispError('WISP_ERR_SOURCE', `${shown}: ${why}.`);
    if (++failures > retries) {
      const sentence = `${shown} has broken off (${why}) and did not come back in ${retries} attempts.`;
      throw new WispError('WISP_ERR_SOURCE', sentence);
    }
    const seconds = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - 1));
    onBreak(why, seconds);
    await sleep(seconds * 1000, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
  }
}

/**
 * @param {import('./frames.js').Decoder} decoder
 * @param {AbortSignal} signal
 * @param {(frame: Frame) => void} onFrame
 * @returns {AsyncGenerator<Frame, string>} why there are no more
 */
async function* attempt(decoder, signal, onFrame) {
  let silent = false;
  const watch = setTimeout(() => {
    silent = true;
    decoder.stop();
  }, SILENCE_MS);
  signal.addEventListener('abort', decoder.stop, { once: true });
  if (signal.aborted) decoder.stop();
  try {
    for await (const frame of decoder.frames) {
      watch.refresh();
      onFrame(frame);
      yield frame;
    }
    return silent ? `no frame in ${SILENCE_MS / 1000} seconds` : 'it ended';
  } catch (thrown) {
    return /** @type {Error} */ (thrown).message;
  } finally {
    clearTimeout(watch);
    signal.removeEventListener('abort', decoder.stop);
  }
}
