// draw.js - paints boxes with their labels on any 2D canvas, on screen or for a saved picture.
import { classColour, INK } from './colours.js';
import { placeLabels } from './labels.js';

/**
 * @typedef {import('../src/index.js').Box} Box
 * @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Pen
 *
 * @typedef {object} Drawing
 * @property {number} scale canvas pixels per source pixel
 * @property {number} unit canvas pixels per pixel of design, in which lines and letters are given
 * @property {boolean} [mirrored] left and right swapped (the boxes, never the letters)
 * @property {number} [highlight] index of the box to bring out, -1 for none
 */

const FONT =
  '"SF Pro Text", "Segoe UI", Roboto, Inter, "Helvetica Neue", "Noto Sans", system-ui, sans-serif';

/**
 * Draws `boxes` over what is on the canvas.
 * @param {Pen} context
 * @param {Box[]} boxes best first
 * @param {Drawing} drawing
 */
export function drawBoxes(context, boxes, { scale, unit, mirrored = false, highlight = -1 }) {
  const { width, height } = context.canvas;
  const rects = boxes.map((box) => onCanvas(box, scale, mirrored ? width : 0));
  context.lineJoin = 'round';
  for (let i = boxes.length - 1; i >= 0; i--) {
    const dimmed = highlight >= 0 && i !== highlight;
    drawBox(context, rects[i], classColour(boxes[i].label), unit, i === highlight, dimmed);
  }
  drawLabels(context, boxes, rects, unit, highlight, { width, height });
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

/** A dark line under the coloured one keeps the box visible on any picture.
 * @param {Pen} context @param {import('./labels.js').Rect} rect @param {string} colour
 * @param {number} unit @param {boolean} strong @param {boolean} dimmed */
function drawBox(context, rect, colour, unit, strong, dimmed) {
  const line = Math.max(1, Math.round((strong ? 3 : 2) * unit));
  const half = line / 2;
  context.globalAlpha = dimmed ? 0.35 : 1;
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

/** @param {Pen} context @param {Box[]} boxes @param {import('./labels.js').Rect[]} rects
 * @param {number} unit @param {number} highlight @param {{width: number, height: number}} area */
function drawLabels(context, boxes, rects, unit, highlight, area) {
  const size = 12.5 * unit;
  const padding = 6 * unit;
  const gap = 5 * unit;
  const nameFont = `600 ${size}px ${FONT}`;
  const scoreFont = `500 ${size * 0.92}px ${FONT}`;
  const order = boxes
    .map((_, i) => i)
    .sort((a, b) => Number(b === highlight) - Number(a === highlight));
  const texts = order.map((i) => measure(context, boxes[i], nameFont, scoreFont));
  const sizes = texts.map((text) => ({
    width: Math.ceil(text.name + text.score + 2 * padding + gap),
    height: Math.round(20 * unit),
  }));
  const places = placeLabels(
    order.map((i) => rects[i]),
    sizes,
    area,
  );
  context.textBaseline = 'middle';
  order.forEach((index, i) => {
    const place = places[i];
    if (!place) return;
    context.globalAlpha = highlight >= 0 && index !== highlight ? 0.35 : 1;
    context.beginPath();
    context.roundRect(
      Math.round(place.x),
      Math.round(place.y),
      place.width,
      place.height,
      3 * unit,
    );
    context.fillStyle = classColour(boxes[index].label);
    context.fill();
    context.fillStyle = INK;
    const middle = Math.round(place.y) + place.height / 2 + 0.5 * unit;
    context.font = nameFont;
    context.fillText(boxes[index].name, Math.round(place.x) + padding, middle);
    context.font = scoreFont;
    context.fillText(
      percent(boxes[index].score),
      Math.round(place.x) + padding + texts[i].name + gap,
      middle,
    );
  });
}

/** @param {Pen} context @param {Box} box @param {string} nameFont @param {string} scoreFont */
function measure(context, box, nameFont, scoreFont) {
  context.font = nameFont;
  const name = context.measureText(box.name).width;
  context.font = scoreFont;
  return { name, score: context.measureText(percent(box.score)).width };
}

/** @param {number} score */
const percent = (score) => `${Math.round(score * 100)}%`;
