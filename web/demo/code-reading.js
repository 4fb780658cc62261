// code-reading.js - reads the code in a box: which part of the picture the decoder gets, which of its answers count.

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Rect in pixels of the picture
 * @typedef {{data: Uint8ClampedArray, width: number, height: number, colorSpace?: string}} Pixels RGBA
 * @typedef {(pixels: any, options: import('zxing-wasm/reader').ReaderOptions) =>
 *   Promise<import('zxing-wasm/reader').ReadResult[]>} Decode
 * @typedef {{text: string, format: string, binary: boolean}} Code `text` of a binary one is its bytes in hexadecimal
 */

const MARGIN = 0.25; // of the box's longer side: the quiet zone, and what the box may miss
const WIDE_MARGIN = 1; // where that was not enough
const LEAST_MARGIN = 8; // pixels
const LONGEST = 1200; // pixels: more only takes longer, a code has 177 modules at most
const SMALL = 600; // pixels: what is smaller gets a second try, twice as large
const SLACK = 0.1; // of the box: how far outside of it the middle of its code may lie

/**
 * A box with a margin, in whole pixels.
 * @param {Rect} box
 * @param {{width: number, height: number}} picture
 * @param {number} [share] of the box's longer side
 * @returns {Rect}
 */
export function regionOf(box, picture, share = MARGIN) {
  const margin = Math.max(LEAST_MARGIN, share * Math.max(box.width, box.height));
  const x = Math.max(0, Math.floor(box.x - margin));
  const y = Math.max(0, Math.floor(box.y - margin));
  const right = Math.min(picture.width, Math.ceil(box.x + box.width + margin));
  const bottom = Math.min(picture.height, Math.ceil(box.y + box.height + margin));
  return { x, y, width: Math.max(1, right - x), height: Math.max(1, bottom - y) };
}

/** All of the picture that may be asked for. @param {Rect} box @param {{width: number, height: number}} picture */
export const reachOf = (box, picture) => regionOf(box, picture, WIDE_MARGIN);

/**
 * What is shown to the decoder, one after the other until it reads something.
 * @param {Rect} box
 * @param {{width: number, height: number}} picture
 * @returns {{region: Rect, scale: number, tryDenoise: boolean}[]}
 */
export function attemptsAt(box, picture) {
  return [regionOf(box, picture), reachOf(box, picture)].flatMap((region) => {
    const longer = Math.max(region.width, region.height);
    const plain = { region, scale: Math.min(1, LONGEST / longer), tryDenoise: false };
    return longer > SMALL ? [plain] : [plain, { region, scale: 2, tryDenoise: true }];
  });
}

/**
 * @param {Decode} decode
 * @param {Rect} box
 * @param {{width: number, height: number}} picture
 * @param {(region: Rect, scale: number) => Pixels} show a part of the picture, scaled
 * @returns {Promise<Code | null>} null: nothing could be read
 */
export async function readCode(decode, box, picture, show) {
  for (const { region, scale, tryDenoise } of attemptsAt(box, picture)) {
    const results = await decode(show(region, scale), { tryDenoise, textMode: 'Plain' });
    const own = results
      .filter(({ isValid }) => isValid)
      .map((result) => ({ result, distance: distanceFrom(box, middleOf(result, region, scale)) }))
      .filter(({ distance }) => distance <= 0.5 + SLACK)
      .sort((a, b) => a.distance - b.distance);
    if (own.length > 0) return codeOf(own[0].result);
  }
  return null;
}

/**
 * The middle of what was read, in pixels of the picture.
 * @param {import('zxing-wasm/reader').ReadResult} result
 * @param {Rect} region
 * @param {number} scale
 */
function middleOf({ position }, region, scale) {
  const corners = [position.topLeft, position.topRight, position.bottomLeft, position.bottomRight];
  const mean = (/** @type {'x' | 'y'} */ axis) =>
    corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length / scale;
  return { x: region.x + mean('x'), y: region.y + mean('y') };
}

/** In sides of the box: half of one is its edge. @param {Rect} box @param {{x: number, y: number}} point */
function distanceFrom(box, { x, y }) {
  const across = Math.abs(x - box.x - box.width / 2) / box.width;
  const down = Math.abs(y - box.y - box.height / 2) / box.height;
  return Math.max(across, down);
}

/** @param {import('zxing-wasm/reader').ReadResult} result @returns {Code} */
function codeOf({ text, bytes, contentType, format }) {
  const binary = contentType === 'Binary';
  const hex = () => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return { text: binary ? hex() : text, format: FORMATS[format] ?? format, binary };
}

/** Formats of zxing-wasm, as people write them where that is not the same. @type {Record<string, string>} */
const FORMATS = {
  QRCode: 'QR code',
  MicroQRCode: 'Micro QR',
  RMQRCode: 'rMQR',
  DataMatrix: 'Data Matrix',
  EAN13: 'EAN-13',
  EAN8: 'EAN-8',
  UPCA: 'UPC-A',
  UPCE: 'UPC-E',
  Code39: 'Code 39',
  Code93: 'Code 93',
  Code128: 'Code 128',
};

/** Where a text leads, if it is an address of the web and nothing else. @param {Code} code @returns {string | null} */
export function linkOf({ text, binary }) {
  if (binary || !/^https?:\/\/\S+$/i.test(text)) return null;
  try {
    return new URL(text).href;
  } catch {
    return null;
  }
}

/** A text with its control characters made visible. @param {string} text */
export const visible = (text) =>
  text.replaceAll(/[\0-\x1f]/g, (sign) =>
    sign === '\n' ? sign : String.fromCharCode(0x2400 + sign.charCodeAt(0)),
  );
