// A picture as a PPM file and back, and as a film for browsers' fake cameras.

/** @typedef {import('./fixtures.js').Picture} Picture */

/** @param {Picture} picture @returns {Uint8Array<ArrayBuffer>} a binary PPM file */
export function encodePpm({ data, width, height }) {
  const rgb = data.filter((_, i) => i % 4 !== 3);
  return Uint8Array.from([...new TextEncoder().encode(`P6\n${width} ${height}\n255\n`), ...rgb]);
}

/** @param {Uint8Array} bytes of a binary PPM file as encodePpm writes it @returns {Picture} */
export function decodePpm(bytes) {
  const [, width, height] =
    /^P6\n(\d+) (\d+)/.exec(String.fromCharCode(...bytes.subarray(0, 24))) ?? [];
  const count = Number(width) * Number(height);
  const rgb = bytes.subarray(bytes.length - count * 3);
  const data = new Uint8Array(count * 4).fill(255);
  for (let i = 0; i < count; i++) data.set(rgb.subarray(i * 3, i * 3 + 3), i * 4);
  return { data, width: Number(width), height: Number(height) };
}

/**
 * A film of one picture, for browsers' fake cameras (BT.601, limited range).
 * @param {Picture} picture of even sides
 * @param {number} [frames]
 */
export function encodeY4m({ data, width, height }, frames = 10) {
  const y = new Uint8Array(width * height);
  const u = new Uint8Array(y.length / 4);
  const v = new Uint8Array(y.length / 4);
  for (let i = 0; i < y.length; i++) {
    const [r, g, b] = data.subarray(i * 4);
    const at = ((Math.floor(i / width) >> 1) * width) / 2 + ((i % width) >> 1);
    y[i] = 16 + 0.257 * r + 0.504 * g + 0.098 * b;
    u[at] = 128 - 0.148 * r - 0.291 * g + 0.439 * b;
    v[at] = 128 + 0.439 * r - 0.368 * g - 0.071 * b;
  }
  const text = (/** @type {string} */ line) => Buffer.from(`${line}\n`);
  const head = text(`YUV4MPEG2 W${width} H${height} F15:1 Ip A1:1 C420jpeg`);
  const frame = Buffer.concat([text('FRAME'), y, u, v]);
  return Buffer.concat([head, ...new Array(frames).fill(frame)]);
}
