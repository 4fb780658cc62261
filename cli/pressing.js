// The long parts of a press, with their progress on the terminal.

import { observeAll } from '../web/src/press.js';
import { Progress } from './progress.js';

/**
 * @param {import('../web/src/press.js').Press} press
 * @param {import('../web/src/press.js').PictureSource[]} pictures
 * @param {import('../web/src/press.js').ReadOptions} [reads]
 * @returns {Promise<number>} how many could be read
 */
export async function observe(press, pictures, reads) {
  const progress = new Progress('observing', pictures.length);
  try {
    return await observeAll(press, pictures, {
      ...reads,
      onSkip: ({ message }) => progress.warn(`${message} It is left out.`),
      onPicture: () => progress.step(),
    });
  } finally {
    progress.end();
  }
}

/**
 * @param {import('../web/src/press.js').Press} press
 * @param {import('../web/src/press.js').QuantiseOptions} settings
 */
export async function quantise(press, settings) {
  const progress = new Progress('pressing', 1);
  try {
    return await press.quantise(settings, ({ done = 0 }) => progress.reach(done));
  } finally {
    progress.end();
  }
}
