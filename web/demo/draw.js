// draw.js - paints boxes with their labels on any 2D canvas, on screen or for a saved picture.
import { classColour, INK } from './colours.js';
import { placeLabels } from './labels.js';
import { nameOfClass } from './sentences.js';

/**
 * @typedef {import('../src/index.js').Box} Box
 * @typedef {import('./labels.js').Rect} Rect
 * @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Pen
 *
 * @typedef {object} Drawing
 * @property {number} scale canvas pixels per source pixel
 * @property {number} unit canvas pixels per pixel of design, in which lines and letters are given
 * @property {boolean} [mirrored] left and right swapped (the boxes, never the letters)
 * @property {number} [highlight] index of the box to bring out, -1 for none
 */

const DIMMED = 0.35; // opacity of all boxes but the one that is brought out
const FONT =
  '"SF Pro Text", "Segoe UI", Roboto, Inter, "Helvetica Neue", "Noto Sans", system-ui, sans-serif';

/**
 * Draws `boxes` over what is on the canvas.
 * @param {Pen} context
 * @param {Box[]} boxes best first
 * @param {Drawing} drawing
 */
export function drawBoxes(context, boxes, { scale, unit, mirrored = false, highlight = -1 }) {
  const mirrorAt = mirrored ? context.canvas.width : 0;
  const rects = boxes.map((box) => onCanvas(box, scale, mirrorAt));
  context.lineJoin = 'round';
  for (let i = boxes.length - 1; i >= 0; i--) {
    const dimmed = highlight >= 0 && i !== highlight;
    drawBox(context, rects[i], classColour(boxes[i].label), unit, i === highlight, dimmed);
  }
  drawLabels(context, boxes, rects, unit, highlight);
  context.globalAlpha = 1;
}

/**
 * @param {Box} box
 * @param {number} scale
 * @param {number} mirrorAt width to mirror in, 0 for none
 */
function onCanvas(box, scale, mirrorAt) {
  const x = mirrorAt ? mirrorAt - (box.x + box.width) * scale : box.x * scale;
  const left = Math.round(x);
  const top = Math.round(box.y * scale);
  return {
    x: left,
    y: top,
    width: Math.max(1, Math.round(x + box.width * scale) - left),
    height: Math.max(1, Math.round((box.y + box.height) * scale) - top),
  };
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
 * @param {number} unit
 * @param {number} highlight
 */
function drawLabels(context, boxes, rects, unit, highlight) {
  const style = styleOf(unit);
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
    context.globalAlpha = highlight >= 0 && order[i] !== highlight ? DIMMED : 1;
    drawLabel(context, boxes[order[i]], place, labels[i].name, style);
  }
}

/** @typedef {ReturnType<typeof styleOf>} Style */

/** @param {number} unit */
function styleOf(unit) {
  return {
    nameFont: `600 ${12.5 * unit}px ${FONT}`,
    scoreFont: `500 ${11.5 * unit}px ${FONT}`,
    height: Math.round(20 * unit),
    padding: 6 * unit,
    gap: 5 * unit,
    radius: 3 * unit,
    middle: 10.5 * unit,
  };
}

/** @param {Pen} context @param {Box} box @param {Style} style */
function measure(context, box, style) {
  context.font = style.nameFont;
  const name = context.measureText(nameOfClass(box.name)).width;
  context.font = style.scoreFont;
  const score = context.measureText(percent(box)).width;
  return {
    name,
    width: Math.ceil(name + score + style.gap + 2 * style.padding),
    height: style.height,
  };
}

/**
 * @param {Pen} context
 * @param {Box} box
 * @param {Rect} place
 * @param {number} nameWidth
 * @param {Style} style
 */
function drawLabel(context, box, place, nameWidth, style) {
  const x = Math.round(place.x);
  const y = Math.round(place.y);
  context.beginPath();
  context.roundRect(x, y, place.width, place.height, style.radius);
  context.fillStyle = classColour(box.label);
  context.fill();
  context.fillStyle = INK;
  context.font = style.nameFont;
  context.fillText(nameOfClass(box.name), x + style.padding, y + style.middle);
  context.font = style.scoreFont;
  context.fillText(percent(box), x + style.padding + nameWidth + style.gap, y + style.middle);
}

/** @param {Box} box */
const percent = ({ score }) => `${Math.round(score * 100)}%`;
