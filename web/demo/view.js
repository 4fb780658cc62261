// view.js - shows the picture as large as it fits, and the boxes over it, crisp on any screen.
import { draw } from 'wisp-yolo/draw';
import { block, element } from './elements.js';
import { labelOf } from './sentences.js';

/** @typedef {import('../src/index.js').Box} Box */
/** @typedef {import('./sources.js').Source} Source */

const LARGEST_UPSCALE = 2.5; // small pictures stay recognisably small

/** @param {import('./codes.js').Seen} box */
const isUnread = ({ why }) => why !== undefined;

export class View {
  #stage = block('stage');
  #area = block('fit');
  #frame = block('frame');
  #canvas = element('overlay', HTMLCanvasElement);
  /** @type {Source | null} */
  #source = null;
  /** @type {Box[]} */
  #boxes = [];
  #highlight = -1;

  constructor() {
    new ResizeObserver(() => this.#layout()).observe(this.#area);
    this.#watchDensity();
  }

  /** Puts a picture or video on the stage; null empties it. @param {Source | null} source */
  show(source) {
    this.#source?.element.remove();
    this.#source = source;
    this.#boxes = [];
    this.#highlight = -1;
    this.#stage.classList.toggle('filled', source !== null);
    this.#frame.hidden = !source;
    if (!source) return;
    this.#frame.prepend(source.element);
    // A phone that is turned, or a camera that is changed, changes the size of the running video.
    source.element.addEventListener('resize', () => this.#layout());
    this.mirror(source.mirrored);
    this.#layout();
  }

  /** @param {boolean} mirrored */
  mirror(mirrored) {
    if (!this.#source) return;
    this.#source.mirrored = mirrored;
    this.#source.element.classList.toggle('mirrored', mirrored);
    this.#draw();
  }

  /** @param {Box[]} boxes in source pixels, best first */
  draw(boxes) {
    this.#boxes = boxes;
    if (this.#highlight >= boxes.length) this.#highlight = -1;
    this.#draw();
  }

  /** Brings one box out; -1 for none. @param {number} index */
  highlight(index) {
    if (index === this.#highlight) return;
    this.#highlight = index;
    this.#draw();
  }

  /** @param {Box | null} box in the place of one of those drawn last; null for none */
  highlightBox(box) {
    const isThere = (/** @type {Box} */ { x, y, width, height }) =>
      x === box?.x && y === box.y && width === box.width && height === box.height;
    this.highlight(this.#boxes.findIndex(isThere));
  }

  #layout() {
    const { width, height } = this.#source?.size() ?? { width: 0, height: 0 };
    if (!width || !height) return;
    this.#stage.style.setProperty('--aspect', String(width / height));
    const fit = Math.min(this.#area.clientWidth / width, this.#area.clientHeight / height);
    const scale = Math.min(fit, LARGEST_UPSCALE);
    this.#frame.style.width = `${Math.round(width * scale)}px`;
    this.#frame.style.height = `${Math.round(height * scale)}px`;
    this.#canvas.width = Math.round(Math.round(width * scale) * devicePixelRatio);
    this.#canvas.height = Math.round(Math.round(height * scale) * devicePixelRatio);
    this.#draw();
  }

  #draw() {
    const context = this.#canvas.getContext('2d');
    if (!context || !this.#source) return;
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    draw(
      context,
      { boxes: this.#boxes, ...this.#source.size() },
      {
        unit: devicePixelRatio,
        mirrored: this.#source.mirrored,
        highlight: this.#highlight,
        name: labelOf,
        dimmed: isUnread,
      },
    );
  }

  /** The pixel density changes with the zoom and with the screen the window is dragged to. */
  #watchDensity() {
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener(
      'change',
      () => {
        this.#layout();
        this.#watchDensity();
      },
      { once: true },
    );
  }
}
