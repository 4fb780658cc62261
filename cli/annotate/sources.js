// What --source means: pictures, films, or what never ends, such as a camera or a stream.

import { existsSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileKind } from '../../web/src/bytes/file-kind.js';
import { WispError } from '../../web/src/index.js';
import { findPictures, isMany, isPicture, requireThere } from '../files.js';

/**
 * @typedef {object} Place
 * @property {'picture' | 'film' | 'live' | 'address'} kind 'address': ffprobe will tell whether it ends
 * @property {string} place a path or an address
 * @property {string} shown the same without a password
 * @property {string} name of what is made of it, without an ending
 * @property {string[]} [input] what ffmpeg needs to know of it before its -i
 */

const FILM = /\.(mp4|m4v|mov|mkv|webm|avi|mpe?g|m?ts|wmv|flv|ogv|3gp)$/i;
const isWanted = (/** @type {string} */ file) => isPicture(file) || FILM.test(file);

/** @param {string} source @returns {Promise<Place[]>} */
export async function placesOf(source) {
  if (/^\d+$/.test(source) && !existsSync(source)) return [camera(Number(source))];
  if (/^file:/i.test(source)) return [await fileOf(fileURLToPath(source))];
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(source)) return [addressed(source)];
  if (!isMany(source)) return [await fileOf(source)];
  const files = await findPictures([source], isWanted);
  if (files.length > 0) return files.map(byName);
  const sentence = `${source}: there are no pictures or films in it.`;
  throw new WispError('WISP_ERR_SOURCE', sentence);
}

/** @param {string} file @returns {Place} */
const byName = (file) => ({
  kind: isPicture(file) ? 'picture' : 'film',
  place: file,
  shown: file,
  name: path.parse(file).name,
});

const HEAD = 4096; // bytes

/** By its first bytes; what is neither, ffprobe judges. @param {string} file @returns {Promise<Place>} */
async function fileOf(file) {
  requireThere(file);
  if (statSync(file).isCharacterDevice())
    return { ...byName(file), kind: 'live', input: inputOf('v4l2') };
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(HEAD), 0, HEAD, 0);
    const { sort } = fileKind(buffer.subarray(0, bytesRead));
    const isFilm = sort === 'video' || (sort === 'other' && FILM.test(file));
    return { ...byName(file), kind: isFilm ? 'film' : 'picture' };
  } finally {
    await handle.close();
  }
}

/** @param {string} address @returns {Place} */
function addressed(address) {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url) throw new WispError('WISP_ERR_ARGUMENT', `${address} is no address.`);
  const isWeb = /^https?:$/.test(url.protocol);
  const shown = url.password || url.username ? address.replace(/\/\/[^@/]*@/, '//') : address;
  const last = path.posix.parse(url.pathname).name;
  const name = /^\w[\w.-]*$/.test(last) ? last : 'stream';
  if (isWeb && isPicture(url.pathname)) return { kind: 'picture', place: address, shown, name };
  if (isWeb) return { kind: 'address', place: address, shown, name };
  const input = /^rtsps?:$/.test(url.protocol) ? ['-rtsp_transport', 'tcp'] : [];
  return { kind: 'live', place: address, shown, name, input };
}

/** How ffmpeg calls cameras. @type {Record<string, {format: string, place: (index: number) => string}>} */
const CAMERAS = {
  linux: { format: 'v4l2', place: (index) => `/dev/video${index}` },
  darwin: { format: 'avfoundation', place: (index) => `${index}:none` },
};

/** @param {string} format */
const inputOf = (format) => [
  '-f',
  format,
  ...(format === 'avfoundation' ? ['-framerate', '30'] : []),
];

/** @param {number} index @returns {Place} */
function camera(index) {
  const known = CAMERAS[process.platform];
  if (!known) {
    const sentence = `How cameras are numbered on ${process.platform} is unknown here: name a stream such as rtsp://….`;
    throw new WispError('WISP_ERR_UNSUPPORTED', sentence);
  }
  const place = known.place(index);
  if (process.platform === 'linux' && !existsSync(place)) {
    const sentence = `There is no camera ${index}: this machine has no ${place}.`;
    throw new WispError('WISP_ERR_SOURCE', sentence);
  }
  const input = inputOf(known.format);
  return { kind: 'live', place, shown: `Camera ${index}`, name: `camera-${index}`, input };
}
