// YOLOv5's letterbox for the peers, which have none: RGBA → a tensor, bilinear, 114 grey around.

/**
 * @typedef {{data: Uint8Array | Uint8ClampedArray, width: number, height: number}} Frame RGBA
 * @typedef {{scale: number, left: number, top: number, width: number, height: number}} Placing
 *   of the picture in the input
 *
 * @typedef {object} Layout of the tensor
 * @property {Float32Array | Uint8Array | Int8Array} data of one picture
 * @property {number} plane elements from one colour to the next
 * @property {number} pixel elements from one pixel to the next
 * @property {number} gain of a byte
 * @property {number} shift added after the gain
 */

const GREY = 114;

/** @param {{width: number, height: number}} frame @param {{width: number, height: number}} input @returns {Placing} */
export function placeFrame(frame, input) {
  const scale = Math.min(input.width / frame.width, input.height / frame.height);
  const width = Math.round(frame.width * scale);
  const height = Math.round(frame.height * scale);
  const left = Math.max(0, Math.round((input.width - width) / 2 - 0.1));
  const top = Math.max(0, Math.round((input.height - height) / 2 - 0.1));
  return { scale, left, top, width, height };
}

/**
 * @param {Frame} frame
 * @param {{width: number, height: number}} input
 * @param {Layout} layout
 * @returns {Placing}
 */
export function letterbox(frame, input, layout) {
  const placing = placeFrame(frame, input);
  layout.data.fill(GREY * layout.gain + layout.shift);
  const columns = taps(frame.width, placing.width);
  const rows = taps(frame.height, placing.height);
  for (let y = 0; y < placing.height; y++) {
    drawRow(
      frame,
      columns,
      rows,
      y,
      ((placing.top + y) * input.width + placing.left) * layout.pixel,
      layout,
    );
  }
  return placing;
}

/** @typedef {{first: Int32Array, second: Int32Array, weight: Float32Array}} Taps `weight` is the second's */

/**
 * Two neighbours in the source and their weights for each place.
 * @param {number} from
 * @param {number} to
 * @returns {Taps}
 */
function taps(from, to) {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const weight = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    first[i] = Math.min(from - 1, Math.floor(at));
    second[i] = Math.min(from - 1, first[i] + 1);
    weight[i] = at - first[i];
  }
  return { first, second, weight };
}

/**
 * @param {Frame} frame
 * @param {Taps} columns
 * @param {Taps} rows
 * @param {number} y
 * @param {number} at element of the row's first pixel
 * @param {Layout} layout
 */
function drawRow({ data, width }, columns, rows, y, at, { data: out, plane, pixel, gain, shift }) {
  const { first, second, weight } = columns;
  const upper = rows.first[y] * width;
  const lower = rows.second[y] * width;
  const v = rows.weight[y];
  for (let x = 0; x < first.length; x++, at += pixel) {
    const a = (upper + first[x]) * 4;
    const b = (upper + second[x]) * 4;
    const c = (lower + first[x]) * 4;
    const d = (lower + second[x]) * 4;
    const u = weight[x];
    for (let colour = 0; colour < 3; colour++) {
      const above = data[a + colour] + (data[b + colour] - data[a + colour]) * u;
      const below = data[c + colour] + (data[d + colour] - data[c + colour]) * u;
      out[at + colour * plane] = (above + (below - above) * v) * gain + shift;
    }
  }
}
