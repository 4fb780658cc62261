// Frames → a film, by ffmpeg: H.264 where it can, sound as it was.

import { spawnSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { WispError } from '../../web/src/index.js';
import { fileWords, start, valueOf } from './ffmpeg.js';

/**
 * @typedef {object} FilmOptions
 * @property {number} width
 * @property {number} height
 * @property {string} rate frames a second, as a fraction
 * @property {boolean} isLive frames come when they come: each stays until the next does
 * @property {string} [aspect] of a pixel, if it is not square
 * @property {string} [sound] the film whose sound it gets
 */

/** The first that this ffmpeg has. */
const ENCODERS = [
  { name: 'libx264', words: ['-preset', 'ultrafast', '-crf', '23'] },
  { name: 'libopenh264', words: ['-b:v', '4M'] },
  { name: 'h264_videotoolbox', words: ['-q:v', '60'] },
  { name: 'mpeg4', words: ['-q:v', '4'] },
];

function chooseEncoder() {
  const { stdout } = spawnSync('ffmpeg', ['-hide_banner', '-encoders'], { encoding: 'utf8' });
  const found = ENCODERS.find(({ name }) => new RegExp(`^ V\\S* ${name} `, 'm').test(stdout));
  if (found) return ['-c:v', found.name, ...found.words];
  const names = ENCODERS.map(({ name }) => name).join(', ');
  throw new WispError(
    'WISP_ERR_UNSUPPORTED',
    `This ffmpeg writes no films: it has none of ${names}.`,
  );
}

/** Of a stream whose frames come with the time at which they do. */
const MILLISECONDS = '1000';
/** The colours of all films since HD, said in the file too. */
const COLOURS = ['colorspace', 'color_primaries', 'color_trc'].flatMap((name) => [
  `-${name}`,
  'bt709',
]);

export class Encoder {
  #child;
  #file;
  #rate;
  #sound;
  frames = 0;

  /** @param {string} file .mp4 @param {FilmOptions} options */
  constructor(file, { width, height, rate, isLive, aspect, sound }) {
    this.#file = file;
    this.#rate = rate;
    this.#sound = sound;
    const timing = isLive
      ? ['-use_wallclock_as_timestamps', '1', '-framerate', MILLISECONDS]
      : ['-framerate', rate];
    const size = ['-video_size', `${width}x${height}`];
    const filters = [
      ...(isLive ? [`fps=${rate}`] : []),
      ...(width % 2 || height % 2 ? ['pad=ceil(iw/2)*2:ceil(ih/2)*2'] : []),
      'scale=out_color_matrix=bt709:out_range=tv',
      'format=yuv420p', // what every player takes; it needs even sides
      ...(aspect ? [`setsar=${aspect}`] : []),
    ];
    this.#child = start('ffmpeg', [
      ...['-y', '-nostats', '-loglevel', 'level+error', '-f', 'rawvideo', '-pix_fmt', 'rgba'],
      ...[...size, ...timing, '-i', 'pipe:0', '-vf', filters.join(','), ...chooseEncoder()],
      ...[...COLOURS, this.#silent],
    ]);
  }

  /** @returns {string} the film without its sound */
  get #silent() {
    return this.#sound ? this.#file.replace(/\.mp4$/, '.silent.mp4') : this.#file;
  }

  /**
   * @param {Uint8Array | Uint8ClampedArray} pixels RGBA, left alone until this resolves
   * @returns {Promise<void>}
   */
  async write(pixels) {
    this.frames++;
    const { stdin } = this.#child;
    const written = new Promise((resolve, reject) => {
      stdin?.write(pixels, (error) => (error ? reject(error) : resolve(undefined)));
    });
    await Promise.race([written, this.#child.ended.then(() => written)]).catch(() => this.#fail());
  }

  /** Says what ffmpeg complains of. @returns {Promise<never>} */
  async #fail() {
    this.#child.stdin?.destroy();
    const why = await this.#child.ended.then(
      () => 'it ended early',
      (error) => error.message,
    );
    throw new WispError('WISP_ERR_FETCH', `${this.#file} can't be written: ffmpeg says "${why}".`);
  }

  /** Ends the file, so that it plays; again does nothing. */
  async close() {
    this.#child.stdin?.end();
    await this.#child.ended.catch(() => this.#fail());
    if (this.#sound) await this.#addSound(this.#sound);
    this.#sound = undefined;
  }

  /** Of the film's length: no more than was looked at. @param {string} sound */
  async #addSound(sound) {
    const inputs = [...fileWords(this.#silent), ...fileWords(sound)];
    const seconds = String(this.frames / valueOf(this.#rate));
    const both = ['-map', '0:v', '-map', '1:a', '-c:v', 'copy', '-t', seconds];
    for (const codec of ['copy', 'aac']) {
      const words = [
        '-y',
        '-nostdin',
        '-v',
        'error',
        ...inputs,
        ...both,
        '-c:a',
        codec,
        this.#file,
      ];
      const { ended, stdin } = start('ffmpeg', words);
      stdin?.end();
      const isDone = await ended.then(
        () => true,
        () => false,
      );
      if (isDone) return rmSync(this.#silent);
    }
    renameSync(this.#silent, this.#file);
    console.error(
      `warning: ${this.#file} has no sound: that of ${sound} doesn't go into an .mp4 file.`,
    );
  }
}
