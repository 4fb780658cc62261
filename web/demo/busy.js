// busy.js - says what the page waits for and how far it is, and lets the visitor give up.
import { block, button, element } from './elements.js';

export class Busy {
  #place;
  #text;
  #bar;
  #onError;
  /** @type {AbortController | null} */
  #task = null;

  /** @param {string} id of the place on the page @param {(error: unknown) => void} onError */
  constructor(id, onError) {
    this.#place = block(id);
    this.#text = block(`${id}-text`);
    this.#bar = element(`${id}-bar`, HTMLProgressElement);
    this.#onError = onError;
    button(`${id}-cancel`).addEventListener('click', () => this.giveUp());
  }

  /**
   * Shows `text` while `work` goes on; whatever was going on before is given up.
   * @param {string} text
   * @param {(signal: AbortSignal) => Promise<void>} work
   */
  async during(text, work) {
    this.#task?.abort();
    const task = new AbortController();
    this.#task = task;
    this.say(text);
    this.#place.hidden = false;
    try {
      await work(task.signal);
    } catch (error) {
      if (!task.signal.aborted) this.#onError(error);
    }
    if (this.#task === task) this.#end();
  }

  /** Whether something is waited for. */
  get isBusy() {
    return this.#task !== null;
  }

  /** At once, even if the browser still asks for its permission. */
  giveUp() {
    this.#task?.abort();
    this.#end();
  }

  #end() {
    this.#task = null;
    this.#place.hidden = true;
  }

  /** @param {string} text @param {number} [share] 0 … 1; unknown without it */
  say(text, share) {
    if (this.#text.textContent !== text) this.#text.textContent = text;
    if (share === undefined) this.#bar.removeAttribute('value');
    else this.#bar.value = share;
  }
}
