// Frames out of ffmpeg: RGBA, upright, each with its size before it (PAM, Netpbm's format of any depth).

import { WispError } from '../../web/src/index.js';
import { start } from './ffmpeg.js';

/**
 * @typedef {{data: Uint8ClampedArray<ArrayBuffer>, width: number, height: number}} Frame RGBA
 *
 * @typedef {object} Decoder
 * @property {AsyncGenerator<Frame>} frames as fast as they are asked for; rejects with what ffmpeg complains of
 * @property {() => string} said what ffmpeg has said of its input
 * @property {() => void} stop the frames end
 */

/** Memory of frames that are done with, for those to come: fresh memory costs more than what is written into it. */
export class Spares {
  /** @type {Uint8ClampedArray<ArrayBuffer>[]} */
  #free = [];

  /** @param {number} bytes */
  take(bytes) {
    const at = this.#free.findIndex(({ length }) => length === bytes);
    return at < 0 ? new Uint8ClampedArray(bytes) : this.#free.splice(at, 1)[0];
  }

  /** @param {Frame} frame */
  giveBack({ data }) {
    this.#free.push(data);
  }
}

/**
 * @param {string[]} input ffmpeg's words, its -i among them
 * @param {string[]} output words
 * @param {Spares} spares
 * @returns {Decoder}
 */
export function decode(input, output, spares) {
  const frames = [
    '-map',
    '0:V:0',
    ...output,
    '-f',
    'image2pipe',
    '-c:v',
    'pam',
    '-pix_fmt',
    'rgba',
  ];
  const words = ['-nostdin', '-nostats', '-loglevel', 'level+info', ...input, ...frames, 'pipe:1'];
  const child = start('ffmpeg', words);
  child.stdin?.end();
  let stopped = false;
  const stop = () => {
    stopped = true;
    child.kill('SIGKILL');
  };
  async function* all() {
    try {
      yield* framesIn(/** @type {AsyncIterable<Buffer>} */ (child.stdout), spares);
      if (!stopped) await child.ended;
    } finally {
      stop();
    }
  }
  return { frames: all(), said: child.said, stop };
}

const END = 'ENDHDR\n';
const LONGEST = 1000; // letters of a header

/**
 * @param {AsyncIterable<Buffer>} pieces
 * @param {Spares} spares
 * @returns {AsyncGenerator<Frame>}
 */
export async function* framesIn(pieces, spares) {
  let head = Buffer.alloc(0);
  /** @type {Frame | undefined} */
  let frame;
  let filled = 0;
  for await (const piece of pieces) {
    let rest = piece;
    while (rest.length > 0) {
      if (!frame) {
        head = Buffer.concat([head, rest]);
        const end = head.indexOf(END);
        if (end < 0 && head.length > LONGEST)
          throw new WispError('WISP_ERR_SOURCE', 'ffmpeg writes no frames that wisp reads.');
        if (end < 0) break;
        frame = newFrame(head.toString('latin1', 0, end), spares);
        rest = head.subarray(end + END.length);
        head = Buffer.alloc(0);
        filled = 0;
      }
      const part = rest.subarray(0, frame.data.length - filled);
      frame.data.set(part, filled);
      filled += part.length;
      rest = rest.subarray(part.length);
      if (filled < frame.data.length) continue;
      yield frame;
      frame = undefined;
    }
  }
}

/** @param {string} header @param {Spares} spares @returns {Frame} */
function newFrame(header, spares) {
  const [width, height] = ['WIDTH', 'HEIGHT'].map((key) =>
    Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(header)?.[1]),
  );
  return { data: spares.take(width * height * 4), width, height };
}

/** Frames that are read before they are asked for; what is live drops those that nobody asked for in time. */
export class Ahead {
  /** @type {Frame[]} */
  #queue = [];
  /** @type {(() => void)[]} who waits for the queue to change */
  #waiting = [];
  #done = false;
  /** @type {unknown} what ended it, if it wasn't the source's end */
  #broken;
  #room;
  #drop;
  dropped = 0;

  /**
   * @param {AsyncIterable<Frame>} frames
   * @param {number} room for so many
   * @param {(frame: Frame) => void} [drop] of a live source: what becomes of a frame that was asked for too late
   */
  constructor(frames, room, drop) {
    this.#room = room;
    this.#drop = drop;
    this.#pump(frames);
  }

  /** @param {AsyncIterable<Frame>} frames */
  async #pump(frames) {
    try {
      for await (const frame of frames) {
        while (this.#queue.length >= this.#room && !this.#done) await this.#makeRoom();
        if (this.#done) break;
        this.#queue.push(frame);
        this.#changed();
      }
    } catch (thrown) {
      this.#broken = thrown;
    }
    this.#done = true;
    this.#changed();
  }

  async #makeRoom() {
    if (!this.#drop) return this.#change();
    this.#drop(/** @type {Frame} */ (this.#queue.shift()));
    this.dropped++;
  }

  /** @returns {Promise<void>} */
  #change() {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #changed() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** @returns {Promise<Frame | undefined>} undefined: that was the last */
  async next() {
    while (this.#queue.length === 0 && !this.#done) await this.#change();
    const frame = this.#queue.shift();
    this.#changed();
    if (!frame && this.#broken) throw this.#broken;
    return frame;
  }

  /** Nobody asks any more. */
  close() {
    this.#done = true;
    this.#changed();
  }
}
