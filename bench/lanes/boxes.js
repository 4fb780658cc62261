// Boxes from what an exported network gives, for the peers: threshold, NMS, back to the picture.

/**
 * @typedef {{x1: number, y1: number, x2: number, y2: number, score: number, label: number}} Box in pixels of the source
 *
 * @typedef {object} Rows of one picture
 * @property {'yolov5' | 'yolov8'} kind of its heads
 * @property {ArrayLike<number>} data of yolov5 [boxes, 5 + classes], of yolov8 [4 + classes, boxes]
 * @property {number} columns the second of these
 * @property {number} [masks] how many of the numbers behind the classes are coefficients of a mask, of yolov5
 * @property {number} gain of a number
 * @property {number} shift subtracted before the gain
 * @property {number} unit of coordinates: 1 for pixels of the input, else its side
 */

const CONFIDENCE = 0.25;
const IOU = 0.45;
const MOST = 300;

const ANCHORS = 3; // of a YOLOv5
/** Of the cells' distances, in pixels: as P5, P6 and P2 networks have them. */
const STRIDES = [
  [8, 16, 32],
  [8, 16, 32, 64],
  [4, 8, 16, 32],
];

/**
 * The kind of heads that an output comes from: with anchors there are three rows for each cell, without a column.
 * @param {readonly number[]} dims [batch, rows, columns]
 * @param {{height: number, width: number}} input
 * @returns {Rows['kind']}
 */
export function headKindOf([, rows, columns], { height, width }) {
  const counts = STRIDES.map((strides) =>
    strides.reduce((sum, stride) => sum + (height / stride) * (width / stride), 0),
  );
  if (counts.some((cells) => rows === ANCHORS * cells)) return 'yolov5';
  return counts.includes(columns) ? 'yolov8' : 'yolov5';
}

/**
 * @param {Rows} rows
 * @param {import('./letterbox.js').Placing} placing
 * @returns {Box[]} best first
 */
export function findBoxes(rows, placing) {
  const candidates = pickers[rows.kind](rows).sort((a, b) => b.score - a.score);
  /** @type {Box[]} */
  const kept = [];
  for (const box of candidates) {
    if (kept.length === MOST) break;
    if (kept.every((other) => other.label !== box.label || overlap(other, box) <= IOU)) {
      kept.push(box);
    }
  }
  return kept.map((box) => toSource(box, placing));
}

/** @type {Record<Rows['kind'], (rows: Rows) => Box[]>} */
const pickers = { yolov5: pickWithAnchors, yolov8: pickWithoutAnchors };

/** Rows whose best class passes the threshold; objectness first, for few do. @param {Rows} rows @returns {Box[]} */
function pickWithAnchors({ data, columns, masks = 0, gain, shift, unit }) {
  const boxes = [];
  const classes = columns - 5 - masks;
  const least = CONFIDENCE / gain + shift;
  for (let at = 0; at + columns <= data.length; at += columns) {
    if (data[at + 4] <= least) continue;
    let label = 0;
    for (let k = 1; k < classes; k++) {
      if (data[at + 5 + k] > data[at + 5 + label]) label = k;
    }
    const score = (data[at + 4] - shift) * gain * (data[at + 5 + label] - shift) * gain;
    if (score <= CONFIDENCE) continue;
    const sides = [0, 1, 2, 3].map((k) => (data[at + k] - shift) * gain * unit);
    boxes.push({ ...corners(sides), score, label });
  }
  return boxes;
}

/** Columns whose best class passes the threshold, read in the order they lie. @param {Rows} rows @returns {Box[]} */
function pickWithoutAnchors({ data, columns, gain, shift, unit }) {
  const best = new Float32Array(columns).fill(CONFIDENCE / gain + shift);
  const labels = new Int32Array(columns).fill(-1);
  for (let row = 4; (row + 1) * columns <= data.length; row++) {
    for (let i = 0; i < columns; i++) {
      const value = data[row * columns + i];
      if (value <= best[i]) continue;
      best[i] = value;
      labels[i] = row - 4;
    }
  }
  /** @type {Box[]} */
  const boxes = [];
  labels.forEach((label, i) => {
    if (label < 0) return;
    const sides = [0, 1, 2, 3].map((k) => (data[k * columns + i] - shift) * gain * unit);
    boxes.push({ ...corners(sides), score: (best[i] - shift) * gain, label });
  });
  return boxes;
}

/** @param {number[]} sides middle, width and height */
const corners = ([x, y, w, h]) => ({
  ...{ x1: x - w / 2, y1: y - h / 2 },
  ...{ x2: x + w / 2, y2: y + h / 2 },
});

/** Intersection over union. @param {Box} a @param {Box} b */
function overlap(a, b) {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (width <= 0 || height <= 0) return 0;
  const area = (/** @type {Box} */ { x1, y1, x2, y2 }) => (x2 - x1) * (y2 - y1);
  return (width * height) / (area(a) + area(b) - width * height);
}

/** @param {Box} box @param {import('./letterbox.js').Placing} placing @returns {Box} */
function toSource(box, { scale, left, top, width, height }) {
  const x = (/** @type {number} */ value) => Math.min(Math.max(value - left, 0), width) / scale;
  const y = (/** @type {number} */ value) => Math.min(Math.max(value - top, 0), height) / scale;
  return { ...box, x1: x(box.x1), y1: y(box.y1), x2: x(box.x2), y2: y(box.y2) };
}
