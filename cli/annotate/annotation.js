// What all sources of a run share.

/**
 * @typedef {object} Annotation
 * @property {import('../../web/src/index.js').Detector} detector
 * @property {import('../../web/src/index.js').DetectOptions} options
 * @property {import('./painter.js').Library} [library] to draw with
 * @property {import('./results.js').Results} [results] where copies go; without, nothing is written
 * @property {{write: (line: string) => void | Promise<void>, close: () => void}} lines of pictures, and of all that
 *   is not written
 * @property {number} [targetFps]
 * @property {number} retries
 * @property {AbortSignal} signal somebody has asked to stop
 * @property {string[]} asTheyCome words for ffmpeg: each frame once
 */

export {};
