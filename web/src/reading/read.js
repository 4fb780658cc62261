// A picture that has come to the worker → RGBA bytes, by whichever reader the worker has, or a sentence that names it.

import { saying, WispError } from '../error.js';
import { release } from '../picture/picture.js';

/**
 * @typedef {import('../picture/picture.js').Picture} Picture
 * @typedef {import('../picture/picture.js').Reader} Reader
 * @typedef {import('../picture/picture.js').Room} Room
 */

const MOST_SIDE = 32768; // of a frame, as core/wisp.h has it

/** @param {number} width @param {number} height @param {number} maxPixels */
export function requireSize(width, height, maxPixels) {
  const sentence = `Its ${width} × ${height} pixels are too many`;
  if (width > MOST_SIDE || height > MOST_SIDE) {
    const why = `sides up to ${MOST_SIDE} are possible`;
    throw new WispError('WISP_ERR_SOURCE', `${sentence}: ${why}.`);
  }
  if (width * height > maxPixels)
    throw new WispError('WISP_ERR_SOURCE', `${sentence}: maxPixels is ${maxPixels}.`);
}

/**
 * Reads a picture and gives it back. Whatever goes wrong is the picture's fault, and only its.
 * @param {Reader} reader
 * @param {Picture} picture
 * @param {Room} room of one that has landed: where that is
 * @param {import('../picture/picture.js').Limits} limits
 * @returns {Promise<boolean>} whether it may be transparent somewhere
 */
export async function readPicture(reader, picture, room, limits) {
  const checked = (/** @type {number} */ width, /** @type {number} */ height) => {
    if (!width || !height) throw new WispError('WISP_ERR_SOURCE', 'It has no pixels.');
    requireSize(width, height, limits.maxPixels);
    return room(width, height);
  };
  try {
    if (picture.kind !== 'landed' && picture.kind !== 'raw')
      return await reader.read(picture, checked, limits);
    const bytes = checked(picture.width, picture.height);
    if (picture.kind === 'raw') bytes.set(picture.data);
    return true;
  } catch (cause) {
    throw named(picture.name, cause);
  } finally {
    release(picture);
  }
}

/** What is the picture's fault, in a sentence that begins with its name. @param {string} name @param {unknown} cause */
function named(name, cause) {
  const known = cause instanceof WispError;
  if (known && !OF_THE_PICTURE.includes(cause.code)) return cause;
  const words = known ? cause.message : `It can't be read: ${saying(cause)}.`;
  return new WispError(known ? cause.code : 'WISP_ERR_SOURCE', `${name}: ${words}`, { cause });
}

/** Sentences of a download name it themselves. */
const OF_THE_PICTURE = ['WISP_ERR_SOURCE', 'WISP_ERR_MEMORY'];
