// Prints the boxes that the Detector finds: node engines-run.js VARIANT THREADS SIZE MODEL PICTURE.ppm…

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Detector } from '../../web/src/index.js';
import { decodePpm } from '../support/netpbm.js';

/** @typedef {import('../../web/src/index.js').Variant} Variant */

/** Of every engine's detection: low enough for many boxes. */
export const CONFIDENCE = 0.02;

/**
 * @param {Variant} variant
 * @param {number} threads
 * @param {number} size
 * @param {string} model a file
 * @param {string[]} pictures PPM files
 */
export async function detectAll(variant, threads, size, model, pictures) {
  const detector = await Detector.open(readFileSync(model), { variant, threads, size });
  const found = [];
  for (const picture of pictures) {
    const source = decodePpm(readFileSync(picture));
    found.push((await detector.detect(source, { confidence: CONFIDENCE })).boxes);
  }
  await detector.close();
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [variant, threads, size, model, ...pictures] = process.argv.slice(2);
  const named = /** @type {Variant} */ (variant);
  const found = await detectAll(named, Number(threads), Number(size), model, pictures);
  console.log(JSON.stringify(found));
}
