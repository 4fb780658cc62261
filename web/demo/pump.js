// pump.js - moves frames from the source to the detector: one in flight, others are dropped.

/** @typedef {import('./sources.js').Source} Source */

/**
 * @template Result
 */
export class Pump {
  /** @type {(source: Source) => Promise<Result> | null} */
  #detect;
  /** @type {(result: Result, source: Source) => void} */
  #onResult;
  /** @type {(error: unknown) => void} */
  #onError;
  /** @type {Source | null} */
  #source = null;
  #busy = false;
  #again = false; // a frame was asked for while another was in flight
  #hidden = false;
  #resume = false; // the video was playing when the page was hidden

  /**
   * @param {(source: Source) => Promise<Result> | null} detect null: not possible now
   * @param {(result: Result, source: Source) => void} onResult
   * @param {(error: unknown) => void} onError
   */
  constructor(detect, onResult, onError) {
    this.#detect = detect;
    this.#onResult = onResult;
    this.#onError = onError;
    document.addEventListener('visibilitychange', () => this.#visibility(document.hidden));
  }

  /**
   * Turns to another source and takes its frames from now on; null stops.
   * @param {Source | null} source
   */
  turnTo(source) {
    this.#source = source;
    this.#again = false;
    if (source?.element instanceof HTMLVideoElement) this.#follow(source, source.element);
    else this.request();
  }

  /** Looks at the present frame, again if need be: a setting has changed. */
  request() {
    if (this.#busy) this.#again = true;
    else void this.#take();
  }

  /** @param {Source} source @param {HTMLVideoElement} video */
  #follow(source, video) {
    const next = () => {
      if (this.#source !== source) return;
      if (!this.#busy && !this.#hidden) void this.#take();
      onNextFrame(video, next);
    };
    onNextFrame(video, next);
    video.addEventListener('seeked', () => {
      if (this.#source === source && video.paused) this.request();
    });
  }

  async #take() {
    const source = this.#source;
    const pending = source && this.#detect(source);
    if (!pending) return;
    this.#busy = true;
    try {
      const result = await pending;
      if (this.#source === source) this.#onResult(result, source);
    } catch (error) {
      if (this.#source === source) this.#onError(error);
    }
    this.#busy = false;
    if (!this.#again) return;
    this.#again = false;
    void this.#take();
  }

  /** @param {boolean} hidden */
  #visibility(hidden) {
    this.#hidden = hidden;
    const video = this.#source?.kind === 'video' ? this.#source.element : null;
    if (!(video instanceof HTMLVideoElement)) return;
    if (hidden) {
      this.#resume = !video.paused;
      video.pause();
    } else if (this.#resume) void video.play();
  }
}

/** @param {HTMLVideoElement} video @param {() => void} callback */
function onNextFrame(video, callback) {
  if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(callback);
  else requestAnimationFrame(callback);
}
