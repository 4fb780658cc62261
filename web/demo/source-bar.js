// source-bar.js - the bar below the picture: camera choice and mirror, play and seek.

import { block, button, input, make, select } from './elements.js';

/** @typedef {import('./sources.js').Source} Source */

export class SourceBar {
  #camera = button('camera');
  #choice = select('camera-choice');
  #mirror = input('mirror');
  #play = button('play');
  #seek = input('seek');
  #clock = block('clock');
  #onRecord;
  /** Comes with the first picture. @type {Promise<import('./over.js').Over> | undefined} */
  #over;
  /** @type {HTMLVideoElement | null} */
  #video = null;
  #on = false; // the camera

  /**
   * @param {object} callbacks
   * @param {(deviceId?: string) => void} callbacks.onCamera start, or change to another camera
   * @param {() => void} callbacks.onStop the camera
   * @param {(mirrored: boolean) => void} callbacks.onMirror
   * @param {() => void} callbacks.onRecord start recording, or stop
   */
  constructor({ onCamera, onStop, onMirror, onRecord }) {
    for (const start of document.querySelectorAll('[data-camera]')) {
      start.addEventListener('click', () => (this.#on ? onStop() : onCamera()));
    }
    this.#choice.addEventListener('change', () => onCamera(this.#choice.value));
    this.#mirror.addEventListener('change', () => onMirror(this.#mirror.checked));
    this.#play.addEventListener('click', () => this.#togglePlay());
    this.#onRecord = onRecord;
    this.#seek.addEventListener('input', () => {
      if (this.#video)
        this.#video.currentTime = this.#seek.valueAsNumber * (this.#video.duration || 0);
    });
  }

  /** @param {Source | null} source */
  show(source) {
    this.#on = source?.kind === 'camera';
    this.#camera.classList.toggle('on', this.#on);
    block('camera-text').textContent = this.#on ? 'Stop webcam' : 'Webcam';
    block('camera-bar').hidden = !this.#on;
    block('video-bar').hidden = source?.kind !== 'video';
    if (source) this.#over ??= import('./over.js').then(({ Over }) => new Over(this.#onRecord));
    void this.#over?.then((over) => over.show(source));
    this.#mirror.checked = source?.mirrored ?? false;
    const video = source?.element;
    this.#video = source?.kind === 'video' && video instanceof HTMLVideoElement ? video : null;
    if (this.#video) this.#followVideo(this.#video);
    if (this.#on && video instanceof HTMLVideoElement) void this.#offerCameras(video);
  }

  /** @param {boolean} isOn whether a recording goes on */
  recording(isOn) {
    void this.#over?.then((over) => over.recording(isOn));
  }

  /** Names are known once a camera was allowed. @param {HTMLVideoElement} video */
  async #offerCameras(video) {
    const { listCameras } = await import('./sources.js');
    const cameras = await listCameras();
    const stream = video.srcObject instanceof MediaStream ? video.srcObject : null;
    const current = stream?.getVideoTracks()[0]?.getSettings().deviceId ?? '';
    this.#choice.replaceChildren(
      ...cameras.map(({ id, name }) => {
        const option = make('option', '', name);
        option.value = id;
        option.selected = id === current;
        return option;
      }),
    );
    this.#choice.hidden = cameras.length < 2;
  }

  /** @param {HTMLVideoElement} video */
  #followVideo(video) {
    const say = () => {
      if (this.#video !== video) return;
      const share = video.duration ? video.currentTime / video.duration : 0;
      this.#seek.valueAsNumber = share;
      this.#seek.style.setProperty('--fill', `${share * 100}%`);
      this.#seek.disabled = !Number.isFinite(video.duration);
      this.#clock.textContent = clock(video.currentTime);
      this.#play.setAttribute('aria-label', video.paused ? 'Play' : 'Pause');
      this.#play.querySelector('use')?.setAttribute('href', video.paused ? '#i-play' : '#i-pause');
    };
    for (const event of ['timeupdate', 'seeking', 'play', 'pause'])
      video.addEventListener(event, say);
    say();
  }

  #togglePlay() {
    if (this.#video?.paused) void this.#video.play();
    else this.#video?.pause();
  }
}

/** @param {number} seconds */
const clock = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
