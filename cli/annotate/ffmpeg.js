// The system's ffmpeg: whether it is there, what it says of a film, its processes and their complaints.

import { spawn, spawnSync } from 'node:child_process';
import { WispError } from '../../web/src/index.js';

/**
 * @typedef {object} Film
 * @property {string} rate frames a second, as a fraction
 * @property {boolean} isSteady all frames take equally long, as only a file says that counts them
 * @property {number} frames about so many; 0 where nobody knows
 * @property {number} seconds 0 where it doesn't end
 * @property {boolean} hasSound
 * @property {string} [aspect] of a pixel, upright, if it is not square
 *
 * @typedef {import('node:child_process').ChildProcess} Child
 */

/**
 * The options that have changed their name.
 * @returns {{asTheyCome: string[]}}
 */
export function requireFfmpeg() {
  const texts = ['ffmpeg', 'ffprobe'].map((program) => {
    const { stdout, status } = spawnSync(program, ['-version'], {
      encoding: 'utf8',
      windowsHide: true,
    });
    if (status === 0) return stdout;
    const sentence =
      `Films, streams and cameras need ${program}, which can't be run here: "apt install ffmpeg", ` +
      '"brew install ffmpeg" or "winget install ffmpeg" brings it.';
    throw new WispError('WISP_ERR_UNSUPPORTED', sentence);
  });
  const [, major, minor] = /^ffmpeg version n?(\d+)\.(\d+)/.exec(texts[0]) ?? [];
  const isOld = major !== undefined && Number(major) + Number(minor) / 100 < 5.01;
  return { asTheyCome: isOld ? ['-vsync', 'passthrough'] : ['-fps_mode', 'passthrough'] };
}

/**
 * @param {string} place
 * @param {string} shown
 * @returns {Promise<Film>}
 */
export async function probe(place, shown) {
  const entries =
    'format=duration:stream=codec_type,avg_frame_rate,r_frame_rate,nb_frames,sample_aspect_ratio' +
    ':stream_side_data=rotation:stream_disposition=attached_pic';
  const words = ['-v', 'error', '-show_entries', entries, '-of', 'json', ...fileWords(place)];
  const child = start('ffprobe', words);
  child.stdin?.end();
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part) => (text += part));
  await child.ended.catch((cause) => {
    throw new WispError(
      'WISP_ERR_SOURCE',
      `${shown} is no film that ffmpeg reads: ${cause.message}.`,
    );
  });
  const { streams = [], format = {} } = JSON.parse(text);
  const moving = streams.find(isMoving);
  if (!moving) throw new WispError('WISP_ERR_SOURCE', `${shown} has no moving pictures in it.`);
  const [average, usual] = [moving.avg_frame_rate, moving.r_frame_rate];
  const rate = valueOf(average) > 0 ? average : usual;
  const seconds = Number(format.duration) || 0;
  return {
    rate,
    isSteady: moving.nb_frames && Math.abs(valueOf(average) / valueOf(usual) - 1) < 0.001,
    frames: Number(moving.nb_frames) || Math.round(seconds * valueOf(rate)),
    seconds,
    hasSound: streams.some((/** @type {any} */ one) => one.codec_type === 'audio'),
    aspect: aspectOf(moving),
  };
}

/** No picture of a sleeve. @param {any} stream */
const isMoving = ({ codec_type: type, disposition }) =>
  type === 'video' && !disposition?.attached_pic;

/** A name that begins with - is no option, and one with a colon no protocol. @param {string} place */
export const fileWords = (place) => [
  '-i',
  /^[a-z][a-z\d+.-]+:\/\//i.test(place) ? place : `file:${place}`,
];

/** @param {string} fraction */
export function valueOf(fraction) {
  const [above, below = 1] = String(fraction).split('/').map(Number);
  return above / below || 0;
}

/** @param {{sample_aspect_ratio?: string, side_data_list?: {rotation?: number}[]}} stream */
function aspectOf({ sample_aspect_ratio: ratio, side_data_list: sides = [] }) {
  const [wide, high] = (ratio ?? '').split(':').map(Number);
  if (!(wide > 0 && high > 0) || wide === high) return undefined;
  const turned = sides.some(({ rotation = 0 }) => Math.abs(rotation) % 180 === 90);
  return turned ? `${high}/${wide}` : `${wide}/${high}`;
}

const COMPLAINTS = 4000; // letters at the end of what it says

/**
 * A process outside of the terminal's group: Ctrl-C is for wisp, which lets it finish what it writes. `ended` rejects
 * with its last complaint.
 * @param {string} program
 * @param {string[]} words
 * @returns {Child & {ended: Promise<void>, said: () => string}}
 */
export function start(program, words) {
  const child = spawn(program, ['-hide_banner', ...words], { detached: true, windowsHide: true });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said = (said + text).slice(-COMPLAINTS);
  });
  child.stdin.on('error', () => {}); // it has ended, and says why
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(undefined);
      else reject(new Error(complaintIn(said) || `${program} ended with ${code}`));
    });
  });
  ended.catch(() => {}); // not everybody waits for it
  return Object.assign(child, { ended, said: () => said });
}

/** The last line that says what is wrong, without where in ffmpeg. @param {string} said */
function complaintIn(said) {
  const lines = said.split('\n').filter((line) => line.trim());
  const wrong = lines.filter((line) => /\[(error|fatal)\]/.test(line));
  const last = (wrong.length > 0 ? wrong : lines).at(-1) ?? '';
  return last
    .replace(/\[[^\]]*\] */g, '')
    .replace(/\/\/[^@/ ]*@/, '//')
    .trim()
    .replace(/\.$/, '');
}
