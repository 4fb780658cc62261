// over.js - the buttons over the picture: the camera's light, recording, full screen.
import { block, make, withSheet } from './elements.js';

/** @typedef {import('./sources.js').Source} Source */

const SVG = 'http://www.w3.org/2000/svg';
const ICONS = {
  torch: 'M11 2 4.5 11.5H9L8.5 18l7-10H11Z',
  record: 'M10 3.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M10 8a2 2 0 1 0 0 4a2 2 0 0 0 0-4',
  full: 'M3.5 7.5v-4h4M12.5 3.5h4v4M16.5 12.5v4h-4M7.5 16.5h-4v-4',
};

export class Over {
  #place = make('div', 'over');
  #torch = toggle('torch', 'Turn the light on');
  #record = toggle('record', 'Record');
  #full = toggle('full', 'Full screen');

  /** @param {() => void} onRecord start recording, or stop */
  constructor(onRecord) {
    this.#place.append(this.#torch, this.#record, this.#full);
    this.#record.addEventListener('click', onRecord);
    this.#listenForFullScreen();
    void withSheet('extras.css').then(() => block('area').append(this.#place));
  }

  /** @param {Source | null} source */
  show(source) {
    this.#place.hidden = source === null;
    this.#record.hidden = source === null || source.kind === 'picture';
    this.#torch.hidden = true;
    const { element } = source ?? {};
    const stream = element instanceof HTMLVideoElement && element.srcObject;
    const track = stream instanceof MediaStream && stream.getVideoTracks()[0];
    if (track && Reflect.get(track.getCapabilities?.() ?? {}, 'torch')) this.#offerTorch(track);
  }

  /** @param {boolean} isOn */
  recording(isOn) {
    turn(this.#record, isOn, isOn ? 'Stop recording' : 'Record');
  }

  /** Safari on telephones has no full screen for elements. */
  #listenForFullScreen() {
    const stage = block('stage');
    this.#full.hidden = !document.fullscreenEnabled;
    this.#full.addEventListener('click', () => {
      const isOn = document.fullscreenElement === stage;
      const done = isOn ? document.exitFullscreen() : stage.requestFullscreen();
      done.catch(() => {}); // the browser has said why
    });
    document.addEventListener('fullscreenchange', () => {
      const isOn = document.fullscreenElement === stage;
      turn(this.#full, isOn, isOn ? 'Leave full screen' : 'Full screen');
    });
  }

  /** The light of a telephone's camera, where the browser may turn it on. @param {MediaStreamTrack} track */
  #offerTorch(track) {
    let isOn = false;
    const say = () => turn(this.#torch, isOn, `Turn the light ${isOn ? 'off' : 'on'}`);
    this.#torch.hidden = false;
    say();
    this.#torch.onclick = async () => {
      const light = /** @type {MediaTrackConstraintSet} */ ({ torch: !isOn });
      const applied = track.applyConstraints({ advanced: [light] });
      isOn = await applied.then(() => !isOn).catch(() => isOn);
      say();
    };
  }
}

/** @param {keyof typeof ICONS} name @param {string} label */
function toggle(name, label) {
  const button = make('button', `icon-button ${name}`);
  button.type = 'button';
  const icon = document.createElementNS(SVG, 'svg');
  icon.setAttribute('class', 'icon');
  icon.setAttribute('viewBox', '0 0 20 20');
  icon.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  icon.append(path);
  button.append(icon);
  turn(button, false, label);
  return button;
}

/** @param {HTMLButtonElement} button @param {boolean} isOn @param {string} label what it does next */
function turn(button, isOn, label) {
  button.classList.toggle('on', isOn);
  button.setAttribute('aria-label', label);
  button.title = label;
}
