// A picture that has come to the worker → RGBA bytes, by whichever reader the worker has, or a sentence.

import { saying, WispError } from '../error.js';
import { release } from './picture.js';

/**
 * @typedef {import('./picture.js').Picture} Picture
 * @typedef {import('./picture.js').Reader} Reader
 * @typedef {import('./picture.js').Room} Room
 */

const MOST_SIDE = 32768; // of a frame, as core/src/check.c has it

/**
 * Reads a picture and gives it back. Whatever goes wrong is the picture's fault, and only its.
 * @param {Reader} reader
 * @param {Picture} picture
 * @param {Room} room
 * @param {AbortSignal} [signal] nobody waits for it any more
 */
export async function readPicture(reader, picture, room, signal) {
  try {
    const checked = (/** @type {number} */ width, /** @type {number} */ height) => {
      if (width <= MOST_SIDE && height <= MOST_SIDE) return room(width, height);
      const sentence = `The picture has ${width} × ${height} pixels; sides up to ${MOST_SIDE} are possible.`;
      throw new WispError('WISP_ERR_SOURCE', sentence);
    };
    await reader.read(picture, checked, signal);
  } catch (cause) {
    if (cause instanceof WispError) throw cause;
    const sentence = `The picture can't be read: ${saying(cause)}.`;
    throw new WispError('WISP_ERR_SOURCE', sentence, { cause });
  } finally {
    release(picture);
  }
}
