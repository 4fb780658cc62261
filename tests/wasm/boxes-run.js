// Prints this Node's processor and what builds (VARIANT or VARIANT:KERNELS on the command line) find there.

import { Detector } from '../../web/src/index.js';
import { makeModel, makePicture } from '../support/fixtures.js';

/** @typedef {import('../../web/src/index.js').Variant} Variant */

const pictures = [1, 2].map((seed) => makePicture({ seed, width: 70 * seed }));
const found = [];
for (const name of process.argv.slice(2)) {
  const [variant, kernels] = /** @type {[Variant, any]} */ (name.split(':'));
  const threads = variant.endsWith('-mt') ? 2 : 1;
  const detector = await Detector.open(makeModel({ density: 0.7 }), { variant, threads, kernels });
  const results = await detector.detect(pictures, { confidence: 0.02 });
  const { signedBytes } = detector.info;
  found.push({
    variant: name,
    kernels: detector.info.kernels,
    signedBytes,
    boxes: results.map(({ boxes }) => boxes),
  });
  await detector.close();
}
console.log(JSON.stringify({ processor: process.arch, found }));
