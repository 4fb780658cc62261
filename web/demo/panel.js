// panel.js - the thresholds and switches of the detection; every change acts at once.
import { button, input } from './elements.js';

/**
 * @typedef {Required<Pick<import('../src/index.js').DetectOptions,
 *   'confidence' | 'iou' | 'maxDetections' | 'classAgnostic' | 'multiLabel' | 'tiles'>>} Options
 */

/** As YOLOv5's detect. @type {Options} */
const DEFAULTS = {
  confidence: 0.25,
  iou: 0.45,
  maxDetections: 300,
  classAgnostic: false,
  multiLabel: false,
  tiles: 'none',
};

export class Panel {
  #confidence = input('confidence');
  #iou = input('iou');
  #max = input('max');
  #agnostic = input('agnostic');
  #multi = input('multi');
  #tiles = input('tiles');
  #count = input('count');
  #defaults = DEFAULTS;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#set(DEFAULTS);
    const sliders = [this.#confidence, this.#iou, this.#max];
    for (const control of [...sliders, this.#agnostic, this.#multi, this.#tiles, this.#count]) {
      control.addEventListener('input', () => {
        this.#say();
        onChange();
      });
    }
    button('defaults').addEventListener('click', () => {
      this.#set(this.#defaults);
      this.#count.checked = false;
      onChange();
    });
  }

  /** What is best for the open model; takes the place of the last model's. @param {Partial<Options>} options */
  suggest(options) {
    this.#defaults = { ...DEFAULTS, ...options };
    this.#agnostic.checked = this.#agnostic.defaultChecked = this.#defaults.classAgnostic;
  }

  /** Whether things are followed through a video. */
  get counting() {
    return this.#count.checked;
  }

  /** The options that are not what `detect` takes without any. @returns {Partial<Options>} */
  get changed() {
    const entries = Object.entries(this.options);
    return Object.fromEntries(
      entries.filter(([name, value]) => value !== Reflect.get(DEFAULTS, name)),
    );
  }

  /** @returns {Options} */
  get options() {
    return {
      confidence: this.#confidence.valueAsNumber,
      iou: this.#iou.valueAsNumber,
      maxDetections: this.#max.valueAsNumber,
      classAgnostic: this.#agnostic.checked,
      multiLabel: this.#multi.checked,
      tiles: this.#tiles.checked ? 'auto' : 'none',
    };
  }

  /** @param {Options} options */
  #set(options) {
    this.#confidence.valueAsNumber = options.confidence;
    this.#iou.valueAsNumber = options.iou;
    this.#max.valueAsNumber = options.maxDetections;
    this.#agnostic.checked = options.classAgnostic;
    this.#multi.checked = options.multiLabel;
    this.#tiles.checked = options.tiles !== 'none';
    this.#say();
  }

  #say() {
    for (const [slider, digits] of /** @type {const} */ ([
      [this.#confidence, 2],
      [this.#iou, 2],
      [this.#max, 0],
    ])) {
      const share =
        (slider.valueAsNumber - Number(slider.min)) / (Number(slider.max) - Number(slider.min));
      slider.style.setProperty('--fill', `${share * 100}%`);
      const output = slider.nextElementSibling;
      if (output) output.textContent = slider.valueAsNumber.toFixed(digits);
    }
  }
}
