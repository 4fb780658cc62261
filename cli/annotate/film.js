// A film or a live source → a copy with boxes drawn in: decoding, detecting, drawing and encoding overlap.

import { WispError } from '../../web/src/index.js';
import { Progress } from '../progress.js';
import { lineOf } from '../singles.js';
import { Encoder } from './encoder.js';
import { fileWords, probe, valueOf } from './ffmpeg.js';
import { Ahead, decode, Spares } from './frames.js';
import { live } from './live.js';
import { Overlay } from './painter.js';
import { Lines } from './results.js';

/**
 * @typedef {import('./sources.js').Place} Place
 * @typedef {import('./frames.js').Frame} Frame
 * @typedef {import('./annotation.js').Annotation} Annotation
 *
 * @typedef {object} Source
 * @property {AsyncIterable<Frame>} frames
 * @property {Spares} spares
 * @property {boolean} isLive
 * @property {number} total frames, 0 where nobody knows
 * @property {() => string} rate frames a second, as a fraction, once there was a frame
 * @property {string} [aspect] of a pixel
 * @property {string} [sound] the film that has it
 */

/** Frames that wait to be looked at; that the engine has, of which it works on one; that wait to be encoded. */
const READ_AHEAD = 4;
const IN_ENGINE = 2;
const IN_ENCODER = 3;

/** @param {Place} place @param {Annotation} to */
export async function annotateFilm(place, to) {
  const over = new AbortController();
  const signal = AbortSignal.any([to.signal, over.signal]);
  const source = await openSource(place, { ...to, signal });
  const { isLive, total, spares } = source;
  const ahead = new Ahead(
    source.frames,
    isLive ? 1 : READ_AHEAD,
    isLive ? (late) => spares.giveBack(late) : undefined,
  );
  const copy = new Copy(place, source, to);
  const progress = new Progress(place.shown, total, 'frames');
  const started = performance.now();
  /** @type {{frame: Frame, time: number, found: Promise<import('../../web/src/index.js').Result>}[]} */
  const working = [];
  /** @type {Promise<void>[]} */
  const writing = [];
  const finish = async () => {
    const { frame, time, found } = /** @type {typeof working[0]} */ (working.shift());
    const written = copy.add(frame, time, await found).then(() => spares.giveBack(frame));
    written.catch(() => {}); // it is asked for below
    writing.push(written);
    if (writing.length >= IN_ENCODER) await writing.shift();
    progress.step();
  };
  try {
    for (let frame = await ahead.next(); frame; frame = await ahead.next()) {
      const found = to.detector.detect(frame, to.options);
      found.catch(() => {}); // it is asked for below
      working.push({ frame, time: (performance.now() - started) / 1000, found });
      if (working.length >= IN_ENGINE) await finish();
    }
    while (working.length > 0) await finish();
    await Promise.all(writing);
  } finally {
    ahead.close();
    over.abort();
    progress.end();
    await copy.close();
    if (copy.frames > 0) {
      const pace = ((copy.frames * 1000) / (performance.now() - started)).toFixed(1);
      const late = ahead.dropped > 0 ? `, ${ahead.dropped} dropped to keep up` : '';
      console.error(`${copy.file ?? place.shown}: ${copy.frames} frames, ${pace} a second${late}`);
    }
  }
  if (copy.frames > 0 || to.signal.aborted) return;
  const sentence = `${place.shown} has no frame that ffmpeg can decode.`;
  throw new WispError('WISP_ERR_SOURCE', sentence);
}

/** @param {Place} place @param {Annotation} to @returns {Promise<Source>} */
async function openSource(place, to) {
  if (place.kind === 'live') return liveSource(place, to);
  const film = await probe(place.place, place.shown);
  if (place.kind === 'address' && film.seconds === 0) return liveSource(place, to);
  const { targetFps = Number.POSITIVE_INFINITY, signal, asTheyCome } = to;
  const isFewer = targetFps < valueOf(film.rate);
  const rate = isFewer ? String(targetFps) : film.rate;
  const output = isFewer || !film.isSteady ? ['-vf', `fps=${rate}`] : asTheyCome;
  const spares = new Spares();
  const decoder = decode(fileWords(place.place), output, spares);
  signal.addEventListener('abort', decoder.stop, { once: true });
  return {
    ...{ frames: decoder.frames, spares, isLive: false, rate: () => rate, aspect: film.aspect },
    total: isFewer ? Math.round(film.seconds * targetFps) : film.frames,
    sound: film.hasSound ? place.place : undefined,
  };
}

const USUAL_RATE = '30';

/** @param {Place} place @param {Annotation} to @returns {Source} */
function liveSource(place, { targetFps, asTheyCome, retries, signal }) {
  const output = targetFps ? ['-vf', `fps=${targetFps}`] : asTheyCome;
  let rate = targetFps ? String(targetFps) : USUAL_RATE;
  const spares = new Spares();
  const frames = live(place, {
    ...{ output, spares, retries, signal },
    onBreak: (why, seconds) =>
      console.error(`wisp: ${place.shown} has broken off (${why}); again in ${seconds} s.`),
    onStart: (said) => {
      const [, own] = /Video:.* (\d+(?:\.\d+)?) fps\b/.exec(said) ?? [];
      if (own && !targetFps) rate = own;
    },
  });
  return { frames, spares, isLive: true, total: 0, rate: () => rate };
}

/** What is written of a film: the film, and lines of boxes beside it; or lines on standard output. */
class Copy {
  #place;
  #source;
  #overlay;
  #lines;
  /** @type {Encoder | undefined} */
  #encoder;
  frames = 0;

  /** @param {Place} place @param {Source} source @param {Annotation} to */
  constructor(place, source, { results, library, lines }) {
    this.#place = place;
    this.#source = source;
    this.#overlay = library && new Overlay(library);
    this.file = results?.file(place.name, '.mp4');
    this.#lines = this.file ? new Lines(this.file.replace(/mp4$/, 'jsonl')) : lines;
  }

  /**
   * @param {Frame} frame is drawn into
   * @param {number} arrived seconds after the first, of a live source
   * @param {import('../../web/src/index.js').Result} result
   */
  async add(frame, arrived, result) {
    const { isLive, rate, aspect, sound } = this.#source;
    const index = this.frames++;
    const time = isLive ? arrived : index / valueOf(rate());
    const head = { file: this.#place.shown, frame: index, time: Number(time.toFixed(3)) };
    await this.#lines.write(lineOf(head, result));
    if (!this.file || !this.#overlay) return;
    const { width, height } = frame;
    this.#encoder ??= new Encoder(this.file, {
      width,
      height,
      rate: rate(),
      isLive,
      aspect,
      sound,
    });
    this.#overlay.paint(frame, result);
    await this.#encoder.write(frame.data);
  }

  async close() {
    await this.#encoder?.close();
    if (this.file) this.#lines.close();
  }
}
