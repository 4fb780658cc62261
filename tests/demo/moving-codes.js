// Drawn codes that move before a camera, as films for browsers' fake one.

import bwip from 'bwip-js/node';
import { decodeImage } from '../../web/src/reading/read-node.js';

/**
 * @typedef {object} Drawn a code on white paper
 * @property {string} bcid as bwip-js calls it
 * @property {string} text
 * @property {number} x
 * @property {number} y
 * @property {number} [sway] pixels to the right and back again
 * @property {object} [more] for bwip-js
 */

export const FILM = { width: 640, height: 360, frames: 8, rate: 2 };

/**
 * @param {Drawn[]} codes what lies outside of the film is cut off
 * @returns {Promise<Buffer>} Y4M: it begins again without a jump, and is always as long
 */
export async function film(codes) {
  const { width, height, frames, rate } = FILM;
  const drawn = await Promise.all(
    codes.map(async ({ bcid, text, more, ...place }) => {
      const png = await bwip.toBuffer({ bcid, text, backgroundcolor: 'ffffff', ...more });
      return { ...place, ...(await decodeImage(new Uint8Array(png))) };
    }),
  );
  const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F${rate}:1 Ip A1:1 C420jpeg\n`);
  const colours = Buffer.alloc((width * height) / 2, 128);
  const parts = Array.from({ length: frames }, (_, i) => {
    const share = 1 - Math.abs(1 - (2 * i) / frames); // 0 … 1 … 0
    const luma = Buffer.alloc(width * height, 235);
    for (const code of drawn) place(luma, code, Math.round((code.sway ?? 0) * share));
    return [Buffer.from('FRAME\n'), luma, colours];
  });
  return Buffer.concat([head, ...parts.flat()]);
}

/**
 * @param {Buffer} luma
 * @param {{data: Uint8Array | Uint8ClampedArray, width: number, height: number, x: number, y: number}} code
 * @param {number} moved
 */
function place(luma, { data, width, height, x, y }, moved) {
  const visible = Math.min(width, FILM.width - x - moved);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < visible; column++)
      luma[(y + row) * FILM.width + x + moved + column] =
        16 + (219 * data[(row * width + column) * 4]) / 255;
}
