// model-panel.js - names the open model, chooses its input size and threads, and says how it runs.
import { block, button, make, select } from './elements.js';
import { bytes, finds } from './sentences.js';

/** @typedef {import('./session.js').Model} Model */
/** @typedef {import('./session.js').Settings} Settings */
/** @typedef {import('../src/index.js').Detector} Detector */

const SIDES = [256, 320, 416, 512, 640, 960, 1280];
const WIDE = { width: 640, height: 384 }; // about 16:9, for video and webcams
const THREADS_MAX = 8;

export class ModelPanel {
  #size = select('size');
  #threads = select('threads');
  #download = button('download');
  #inForce = ['', '']; // what the menus said when the model was opened

  /**
   * @param {object} callbacks
   * @param {() => void} callbacks.onChange another size or number of threads was chosen
   * @param {() => void} callbacks.onDownload
   */
  constructor({ onChange, onDownload }) {
    this.#size.addEventListener('change', onChange);
    this.#threads.addEventListener('change', onChange);
    this.#download.addEventListener('click', onDownload);
    this.#offerThreads();
    this.#size.replaceChildren(option('', 'As the model says'));
  }

  /** @returns {Settings} */
  get settings() {
    const [width, height] = this.#size.value.split('×').map(Number);
    return {
      size: this.#size.value ? { width, height } : null,
      threads: Number(this.#threads.value) || null,
    };
  }

  /** The menus go back to what the open model runs with. */
  restore() {
    [this.#size.value, this.#threads.value] = this.#inForce;
  }

  /** @param {Model} model @param {Detector['info']} info */
  show(model, info) {
    this.#download.hidden = !model.pressed;
    this.#size.disabled = this.#threads.disabled = false;
    block('model-name').textContent = model.name;
    const facts = [`${info.classes.length} classes`, `${info.layers.length} layers`];
    if (model.bytes) facts.push(bytes(model.bytes));
    block('model-facts').textContent = facts.join(' · ');
    block('finds').textContent = finds(info.classes);
    this.#offerSizes(info);
    this.#inForce = [this.#size.value, this.#threads.value];
    this.#showTier(info);
    this.#showSteps(model.name);
  }

  #offerThreads() {
    const most = Math.min(THREADS_MAX, navigator.hardwareConcurrency || 1);
    const counts = Array.from({ length: most }, (_, i) => option(String(i + 1), String(i + 1)));
    this.#threads.replaceChildren(option('', 'Automatic'), ...counts);
    if (crossOriginIsolated) return;
    this.#threads.replaceChildren(option('', '1'));
    this.#threads.title = 'More threads need a page that is cross-origin isolated.';
  }

  /** @param {Detector['info']} info */
  #offerSizes({ inputWidth, inputHeight, stride }) {
    const chosen = this.#size.value;
    const own = `${inputWidth} × ${inputHeight}`;
    const squares = SIDES.filter((side) => side % stride === 0).map((side) => ({
      width: side,
      height: side,
    }));
    const sizes = [...squares, WIDE].map(({ width, height }) => [
      `${width}×${height}`,
      `${width} × ${height}`,
    ]);
    this.#size.replaceChildren(
      option('', own),
      ...sizes.filter(([, text]) => text !== own).map(([value, text]) => option(value, text)),
    );
    const isOffered = [...this.#size.options].some(({ value }) => value === chosen);
    if (!isOffered) this.#size.append(option(chosen, chosen.replace('×', ' × ')));
    this.#size.value = chosen;
  }

  /** @param {Detector['info']} info */
  #showTier(info) {
    const threads = info.threads === 1 ? '1 thread' : `${info.threads} threads`;
    const tier = info.variant.includes('relaxed') ? 'Relaxed SIMD' : 'Plain SIMD';
    button('tier').hidden = false;
    block('tier-text').replaceChildren(tier, make('span', '', ` · ${threads}`));
    block('tier-reason').textContent = `${info.reason[0].toUpperCase()}${info.reason.slice(1)}.`;
    const facts = [
      ['Build', info.variant],
      ['Kernels', info.kernels],
      ['Threads', String(info.threads)],
      ['Input', `${info.width} × ${info.height}`],
      ['Multiply-adds a frame', `${(info.macs / 1e9).toFixed(2)} G`],
      ['Memory', bytes(info.memory)],
      ['Cross-origin isolated', crossOriginIsolated ? 'yes' : 'no'],
    ];
    block('tier-facts').replaceChildren(
      ...facts.flatMap(([term, text]) => [make('dt', '', term), make('dd', '', text)]),
    );
  }

  /** The welcome then asks for a picture only. @param {string} name */
  #showSteps(name) {
    block('step-model').classList.add('done');
    block('step-model-text').textContent =
      `The model ${name} is ready. Drop another: .wisp, or a YOLOv5 as .pt, .onnx or .tflite.`;
  }
}

/** @param {string} value @param {string} text */
function option(value, text) {
  const made = make('option', '', text);
  made.value = value;
  return made;
}
