// Boxes, their labels and masks, drawn on any 2D canvas: on screen, for a saved picture, in a worker or under Node.

import { classColour, INK } from './drawing/colours.js';
import { placeLabels } from './drawing/labels.js';
import { maskRects } from './drawing/masks.js';
import { naming, WispError } from './error.js';

export { classColour };

/**
 * @typedef {import('./wasm/boxes.js').Box} Box
 * @typedef {import('./drawing/labels.js').Rect} Rect
 *
 * @typedef {object} Drawn what is drawn; a Result of `detect` is one
 * @property {(Box & {id?: number | null})[]} boxes best first, in pixels of the source; a Tracker's have numbers
 * @property {number} width of the source
 * @property {number} height of the source
 *
 * @typedef {object} DrawOptions
 * @property {number} [unit] canvas pixels in which lines (2 units) and letters (12 units) are measured; default: 1 for
 *   canvases of up to 900 pixels, in proportion for larger ones; for a canvas on screen devicePixelRatio
 * @property {boolean} [mirrored] left and right swapped, as before a webcam (the boxes, never the letters)
 * @property {number} [highlight] index of the box to bring out; the others are dimmed
 * @property {(box: Box) => boolean} [dimmed] which boxes are dimmed while none is brought out; default none
 * @property {(box: Box & {id?: number | null}) => string} [name] what a label says before the score; default: the name
 *   of the class, and the number that a Tracker gave the box
 *
 * @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Pen
 */

const DESIGN_SIDE = 900; // pixels of a canvas's longer side on which a unit is one pixel
const DIMMED = 0.35; // opacity of all boxes but the one that is brought out
const VEIL = 0.45; // opacity of masks
const FONT =
  '"SF Pro Text", "Segoe UI", Roboto, Inter, "Helvetica Neue", "Noto Sans", system-ui, sans-serif';

/**
 * Draws the boxes over what is on the canvas, which shows the whole source at any size. A class has the same colour
 * wherever it is drawn.
 * @param {Pen} context
 * @param {Drawn} result
 * @param {DrawOptions} [options]
 * @throws {WispError} WISP_ERR_ARGUMENT where that is no context or no result
 */
export function draw(context, result, options = {}) {
  requireSound(context, result);
  const { boxes } = result;
  const { width, height } = context.canvas;
  const { highlight = -1, name = nameOf, mirrored = false, dimmed = () => false } = options;
  const isDimmed = (/** @type {number} */ i) =>
    highlight >= 0 ? i !== highlight : dimmed(boxes[i]);
  const unit = options.unit ?? Math.max(1, Math.max(width, height) / DESIGN_SIDE);
  const scale = { x: width / result.width, y: height / result.height };
  const rects = boxes.map((box) => onCanvas(box, scale, mirrored ? width : 0));
  const style = styleOf(unit, name);
  context.save();
  context.lineJoin = 'round';
  for (let i = boxes.length - 1; i >= 0; i--) {
    drawMask(context, boxes[i], scale, mirrored ? width : 0, isDimmed(i));
    drawBox(context, rects[i], classColour(boxes[i].label), unit, i === highlight, isDimmed(i));
  }
  drawLabels(context, boxes, rects, style, { highlight, isDimmed });
  context.restore();
}

/** @param {{name: string, id?: number | null}} box */
const nameOf = ({ name, id }) => (id ? `${name} ${id}` : name);

/** @param {unknown} context @param {Drawn} result */
function requireSound(context, result) {
  if (typeof Reflect.get(Object(context), 'fillText') !== 'function')
    throw new WispError(
      'WISP_ERR_ARGUMENT',
      `draw takes the 2D context of a canvas, canvas.getContext('2d'), not ${naming(context)}.`,
    );
  const { boxes, width, height } = Object(result);
  if (!Array.isArray(boxes) || !(width > 0) || !(height > 0))
    throw new WispError(
      'WISP_ERR_ARGUMENT',
      `draw takes a result of detect: {boxes, width, height}, not ${naming(result)}.`,
    );
}

/**
 * @param {Box} box
 * @param {{x: number, y: number}} scale canvas pixels per source pixel
 * @param {number} mirrorAt width to mirror in, 0 for none
 * @returns {Rect}
 */
function onCanvas(box, scale, mirrorAt) {
  const x = mirrorAt ? mirrorAt - (box.x + box.width) * scale.x : box.x * scale.x;
  const left = Math.round(x);
  const top = Math.round(box.y * scale.y);
  return {
    x: left,
    y: top,
    width: Math.max(1, Math.round(x + box.width * scale.x) - left),
    height: Math.max(1, Math.round((box.y + box.height) * scale.y) - top),
  };
}

/**
 * All of a mask is one path, so that no seams show where its rectangles meet.
 * @param {Pen} context
 * @param {Box} box
 * @param {{x: number, y: number}} scale canvas pixels per source pixel
 * @param {number} mirrorAt width to mirror in, 0 for none
 * @param {boolean} dimmed
 */
function drawMask(context, { mask, label }, scale, mirrorAt, dimmed) {
  if (!mask) return;
  context.globalAlpha = VEIL * (dimmed ? DIMMED : 1);
  context.beginPath();
  for (const { x, y, width, height } of maskRects(mask)) {
    const left = mirrorAt ? mirrorAt - (x + width) * scale.x : x * scale.x;
    context.rect(left, y * scale.y, width * scale.x, height * scale.y);
  }
  context.fillStyle = classColour(label);
  context.fill();
}

/**
 * A dark line under the coloured one keeps the box visible on any picture.
 * @param {Pen} context
 * @param {Rect} rect
 * @param {string} colour
 * @param {number} unit
 * @param {boolean} strong
 * @param {boolean} dimmed
 */
function drawBox(context, rect, colour, unit, strong, dimmed) {
  const line = Math.max(1, Math.round((strong ? 3 : 2) * unit));
  const half = line / 2;
  context.globalAlpha = dimmed ? DIMMED : 1;
  context.beginPath();
  const w = Math.max(1, rect.width - line);
  const h = Math.max(1, rect.height - line);
  context.roundRect(rect.x + half, rect.y + half, w, h, 2 * unit);
  if (strong) {
    context.fillStyle = `${colour}33`;
    context.fill();
  }
  context.lineWidth = line + 2 * Math.max(1, Math.round(unit * 0.75));
  context.strokeStyle = 'rgb(0 0 0 / 45%)';
  context.stroke();
  context.lineWidth = line;
  context.strokeStyle = colour;
  context.stroke();
}

/**
 * The brought out box gets its place first, then the best; what overlaps nevertheless lies below.
 * @param {Pen} context
 * @param {Box[]} boxes
 * @param {Rect[]} rects
 * @param {Style} style
 * @param {{highlight: number, isDimmed: (i: number) => boolean}} look
 */
function drawLabels(context, boxes, rects, style, { highlight, isDimmed }) {
  const first = (/** @type {number} */ i) => Number(i === highlight);
  const order = [...boxes.keys()].sort((a, b) => first(b) - first(a));
  const labels = order.map((i) => measure(context, boxes[i], style));
  const { width, height } = context.canvas;
  const places = placeLabels(
    order.map((i) => rects[i]),
    labels,
    { width, height },
  );
  context.textBaseline = 'middle';
  for (let i = order.length - 1; i >= 0; i--) {
    const place = places[i];
    if (!place) continue;
    context.globalAlpha = isDimmed(order[i]) ? DIMMED : 1;
    drawLabel(context, boxes[order[i]], place, labels[i].score, style);
  }
}

/** @typedef {ReturnType<typeof styleOf>} Style */

/** @param {number} unit @param {(box: Box) => string} name */
function styleOf(unit, name) {
  return {
    name,
    nameFont: `600 ${12.5 * unit}px ${FONT}`,
    scoreFont: `500 ${11.5 * unit}px ${FONT}`,
    height: Math.round(20 * unit),
    padding: 6 * unit,
    gap: 5 * unit,
    radius: 3 * unit,
    middle: 10.5 * unit,
  };
}

/** The size of a label, and where its score begins. @param {Pen} context @param {Box} box @param {Style} style */
function measure(context, box, style) {
  context.font = style.nameFont;
  const score = style.padding + context.measureText(style.name(box)).width + style.gap;
  context.font = style.scoreFont;
  const width = Math.ceil(score + context.measureText(percent(box)).width + style.padding);
  return { score, width, height: style.height };
}

/**
 * @param {Pen} context
 * @param {Box} box
 * @param {Rect} place
 * @param {number} score where it begins
 * @param {Style} style
 */
function drawLabel(context, box, place, score, style) {
  const x = Math.round(place.x);
  const y = Math.round(place.y);
  context.beginPath();
  context.roundRect(x, y, place.width, place.height, style.radius);
  context.fillStyle = classColour(box.label);
  context.fill();
  context.fillStyle = INK;
  context.font = style.nameFont;
  context.fillText(style.name(box), x + style.padding, y + style.middle);
  context.font = style.scoreFont;
  context.fillText(percent(box), x + score, y + style.middle);
}

/** @param {Box} box */
const percent = ({ score }) => `${Math.round(score * 100)}%`;
