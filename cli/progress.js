// A progress bar on stderr, where somebody looks at it; warnings above it.

import { SingleBar } from 'cli-progress';

export class Progress {
  /** @type {SingleBar | null} */
  #bar = null;

  /** @param {string} what is done @param {number} total */
  constructor(what, total) {
    if (!process.stderr.isTTY) return;
    const far = total === 1 ? '{percentage} %' : '{value}/{total}';
    this.#bar = new SingleBar({
      stream: process.stderr,
      format: `${what} {bar} ${far}, {eta_formatted} left`,
      barCompleteChar: '━',
      barIncompleteChar: '─',
      barsize: 30,
      linewrap: true, // else the terminal stays changed after Ctrl-C
      clearOnComplete: true,
      stopOnComplete: true,
    });
    this.#bar.start(total, 0);
  }

  step() {
    this.#bar?.increment();
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
