// A progress bar on stderr, where somebody looks at it; warnings above it.

import { SingleBar } from 'cli-progress';

export class Progress {
  /** @type {SingleBar | null} */
  #bar = null;

  #started = performance.now();
  #steps = 0;

  /**
   * @param {string} what is done
   * @param {number} total 0 where nobody knows
   * @param {string} [unit] of what the pace is shown in, such as frames
   */
  constructor(what, total, unit) {
    if (!process.stderr.isTTY) return;
    const far = total === 1 ? '{percentage} %' : '{value}/{total}';
    const bar = total > 0 ? `{bar} ${far}, {eta_formatted} left` : '{value}';
    this.#bar = new SingleBar({
      stream: process.stderr,
      format: `${what} ${bar}${unit ? `, {pace} ${unit}/s` : ''}`,
      barCompleteChar: '━',
      barIncompleteChar: '─',
      barsize: 30,
      linewrap: true, // else the terminal stays changed after Ctrl-C
      clearOnComplete: true,
      stopOnComplete: true,
    });
    this.#bar.start(total, 0, { pace: '' });
  }

  step() {
    const seconds = (performance.now() - this.#started) / 1000;
    this.#bar?.increment(1, { pace: (++this.#steps / seconds).toFixed(1) });
  }

  /** @param {number} value */
  reach(value) {
    this.#bar?.update(value);
  }

  /** @param {string} sentence */
  warn(sentence) {
    if (this.#bar) process.stderr.write('\r\x1b[K');
    console.error(`wisp: ${sentence}`);
    this.#bar?.render();
  }

  end() {
    this.#bar?.stop();
  }
}
