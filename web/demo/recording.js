// recording.js - records what is looked at with its boxes drawn in, as a video file.
import { draw } from 'wisp-yolo/draw';
import { save } from './annotate.js';
import { make } from './elements.js';
import { labelOf, stem } from './sentences.js';

/** @typedef {import('./sources.js').Source} Source */

const MOST = 1920; // pixels of the longer side
const RATE = 30; // frames a second
const BITS = 6_000_000; // a second
/** What plays nearly everywhere first. */
const TYPES = [
  { type: 'video/mp4;codecs=avc1.42E01F', ending: 'mp4' },
  { type: 'video/webm;codecs=vp9', ending: 'webm' },
  { type: 'video/webm', ending: 'webm' },
];

export class Recording {
  #canvas = make('canvas');
  #source;
  #recorder;
  #ending;
  /** @type {Blob[]} */
  #parts = [];

  /**
   * Starts at once.
   * @param {Source} source
   * @throws {Error} where this browser can't record
   */
  constructor(source) {
    const kind = TYPES.find(({ type }) => globalThis.MediaRecorder?.isTypeSupported(type));
    if (!kind || !this.#canvas.captureStream)
      throw new Error('This browser cannot record videos. Save PNG keeps single pictures.');
    this.#source = source;
    this.#ending = kind.ending;
    const { width, height } = source.size();
    const scale = Math.min(1, MOST / Math.max(width, height));
    // encoders take even sides only
    [this.#canvas.width, this.#canvas.height] = [width, height].map(
      (side) => 2 * Math.round((side * scale) / 2),
    );
    this.add([]);
    const stream = this.#canvas.captureStream(RATE);
    this.#recorder = new MediaRecorder(stream, { mimeType: kind.type, videoBitsPerSecond: BITS });
    this.#recorder.addEventListener('dataavailable', ({ data }) => this.#parts.push(data));
    this.#recorder.start(1000);
  }

  /** The present frame with these boxes. @param {import('../src/index.js').Box[]} boxes */
  add(boxes) {
    const context = this.#canvas.getContext('2d');
    if (!context) return;
    const { width, height } = this.#canvas;
    const { mirrored, element } = this.#source;
    if (mirrored) context.setTransform(-1, 0, 0, 1, width, 0);
    context.drawImage(element, 0, 0, width, height);
    context.resetTransform();
    draw(context, { boxes, ...this.#source.size() }, { mirrored, name: labelOf });
  }

  /** Ends it and hands the file to the visitor. @returns {Promise<void>} */
  async stop() {
    const ended = new Promise((resolve) => {
      this.#recorder.addEventListener('stop', resolve, { once: true });
    });
    this.#recorder.stop();
    await ended;
    const file = new Blob(this.#parts, { type: this.#recorder.mimeType.split(';')[0] });
    if (file.size) save(file, `${stem(this.#source.name)}-wisp.${this.#ending}`);
  }
}
