// annotate.js - makes a PNG of a frame with its boxes drawn in, at the size of the source.
import { draw } from 'wisp-yolo/draw';
import { labelOf } from './sentences.js';

/** @typedef {import('../src/index.js').Box} Box */
/** @typedef {import('./sources.js').Source} Source */

const KEPT = 60_000; // ms: the browser may still be asking where to save

/**
 * The present frame of a source, which a running video would otherwise leave behind.
 * @param {Source} source
 */
export function freeze(source) {
  const { width, height } = source.size();
  const canvas = new OffscreenCanvas(width, height);
  pen(canvas).drawImage(source.element, 0, 0, width, height);
  return canvas;
}

/**
 * @param {OffscreenCanvas} frame
 * @param {Box[]} boxes
 * @param {boolean} mirrored
 * @returns {Promise<Blob>}
 */
export async function annotated(frame, boxes, mirrored) {
  const canvas = new OffscreenCanvas(frame.width, frame.height);
  const context = pen(canvas);
  if (mirrored) context.setTransform(-1, 0, 0, 1, frame.width, 0);
  context.drawImage(frame, 0, 0);
  context.resetTransform();
  const { width, height } = frame;
  draw(context, { boxes, width, height }, { mirrored, name: labelOf });
  return canvas.convertToBlob({ type: 'image/png' });
}

/** Hands a file to the reader. @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT);
}

/** @param {OffscreenCanvas} canvas */
function pen(canvas) {
  const context = canvas.getContext('2d');
  if (!context)
    throw new Error(`A picture of ${canvas.width} × ${canvas.height} is too large to draw on.`);
  return context;
}
