// press-panel.js - presses a .pt, .onnx or .tflite file on a visitor's own pictures, here in the page.
import { block, button, dialog, element, input, select } from './elements.js';
import { kindOf } from './intake.js';
import { Notices } from './notices.js';
import { isAbort, stem } from './sentences.js';

const ENOUGH = 32; // pictures; fewer cost accuracy
const MOST = 64; // more cost time only

/** @type {Record<string, string>} */
const PHASES = {
  load: 'Loading the press',
  import: 'Reading the model',
  fold: 'Folding batch norms',
  observe: 'Watching the model look at your pictures',
  quantise: 'Choosing zeros and rounding the weights',
  pack: 'Packing the file',
};

export class PressPanel {
  #dialog = dialog('press-dialog');
  #start = button('press-start');
  #notices = new Notices(block('press-notices'));
  #onPressed;
  #sample;
  /** @type {File | null} */
  #model = null;
  /** Which may hold its weights. @type {File[]} */
  #beside = [];
  /** @type {Blob[]} */
  #pictures = [];
  /** @type {AbortController | null} */
  #running = null;

  /**
   * @param {object} callbacks
   * @param {(file: File, remark: string) => void} callbacks.onPressed a sentence about pictures left out, or ''
   * @param {() => Promise<Blob | null>} callbacks.sample the picture on the stage, if there is one
   */
  constructor({ onPressed, sample }) {
    this.#onPressed = onPressed;
    this.#sample = sample;
    this.#start.addEventListener('click', () => void this.#press());
    button('press-cancel').addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => this.#running?.abort());
    for (const id of ['choose-calibration', 'choose-folder']) {
      const chooser = input(id);
      chooser.addEventListener('change', () => {
        void this.add([...(chooser.files ?? [])]);
        chooser.value = '';
      });
    }
  }

  /** Whether dropped pictures are meant for the press. */
  get isOpen() {
    return this.#dialog.open;
  }

  /** @param {File} model @param {File[]} files dropped together with it */
  async open(model, files) {
    this.#running?.abort();
    this.#model = model;
    this.#beside = files.filter((file) => file !== model);
    this.#notices.clear();
    block('press-lead').textContent =
      `${model.name} becomes a .wisp file of small integers. ` +
      'Pictures like those the model will see show it which numbers to expect.';
    const before = this.#dialog.open ? this.#pictures : []; // they stay, only the model is another
    const pictures = [...before, ...(await ofSort('picture', files))];
    const sample = pictures.length ? null : await this.#sample();
    this.#take(sample ? [sample] : pictures);
    this.#show(false);
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** @param {File[]} files pictures join the others, another model takes the place of the first */
  async add(files) {
    const [model] = await ofSort('network', files);
    if (model) return this.open(model, files);
    const pictures = await ofSort('picture', files);
    this.#notices.clear();
    if (!pictures.length) this.#notices.error('None of these files is a picture.');
    this.#take([...this.#pictures, ...pictures]);
  }

  /** @param {Blob[]} pictures all there are */
  #take(pictures) {
    this.#pictures = pictures;
    block('press-count').textContent = count(pictures.length);
    this.#start.disabled = pictures.length === 0;
  }

  async #press() {
    const model = this.#model;
    if (!model) return;
    const running = new AbortController();
    this.#running = running;
    this.#notices.clear();
    this.#show(true);
    try {
      const { press } = await import('wisp-yolo/press');
      const pictures = spread(this.#pictures, MOST);
      const { bytes, skipped, remarks } = await press(model, {
        pictures,
        beside: this.#beside,
        bits: Number(select('press-bits').value),
        sparsity: Number(select('press-sparsity').value),
        signal: running.signal,
        onProgress: (progress) => this.#progress(progress),
      });
      running.signal.throwIfAborted();
      this.#dialog.close();
      const file = new File([bytes], `${stem(model.name)}.wisp`);
      if (skipped.length) remarks.unshift(leftOut(skipped.length, pictures.length));
      this.#onPressed(file, remarks.join(' '));
    } catch (error) {
      if (!running.signal.aborted && !isAbort(error)) this.#notices.error(error);
    }
    if (this.#running === running) this.#show(false);
  }

  /** @param {boolean} running */
  #show(running) {
    block('press-pictures').hidden = block('press-settings').hidden = running;
    block('press-progress').hidden = !running;
    this.#start.hidden = running;
    if (running) this.#progress({ phase: 'load' });
  }

  /** @param {{phase: string, done?: number, total?: number}} progress */
  #progress({ phase, done = 0, total = 0 }) {
    const bar = element('press-bar', HTMLProgressElement);
    const counted = total > 1 ? ` (${done} of ${total})` : '';
    block('press-phase').textContent = `${PHASES[phase] ?? phase}${counted} …`;
    if (total > 1) bar.value = done / total;
    else bar.removeAttribute('value');
  }
}

/** @param {import('./intake.js').FileKind['sort']} sort @param {File[]} files */
async function ofSort(sort, files) {
  const kinds = await Promise.all(files.map(kindOf));
  return files.filter((_, i) => kinds[i].sort === sort);
}

/** @param {number} n @param {number} all */
const leftOut = (n, all) => `${n} of ${all} pictures could not be read.`;

/**
 * At most `most` of `all`, from everywhere in it.
 * @template T
 * @param {T[]} all
 * @param {number} most
 */
function spread(all, most) {
  const n = Math.min(all.length, most);
  return Array.from({ length: n }, (_, i) => all[Math.floor((i * all.length) / n)]);
}

/** @param {number} n pictures */
function count(n) {
  if (n === 0) return `No pictures yet. Drop some here: ${ENOUGH} or more are best.`;
  const pictures = n === 1 ? '1 picture' : `${n} pictures`;
  if (n < ENOUGH) return `${pictures}. ${ENOUGH} or more give better boxes.`;
  return n > MOST
    ? `${pictures}, of which ${MOST} are shown to the model.`
    : `${pictures}: plenty.`;
}
