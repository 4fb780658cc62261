// `BarcodeDetector` in the platform's shape (Shape Detection API), for pages and workers of browsers that have none.

import { CodeReader } from './code-reader.js';
import { kindOf, saying, WispError } from './error.js';

/**
 * @typedef {import('./code-reader.js').ReaderOptions} ReaderOptions
 *
 * @typedef {keyof typeof FORMATS} BarcodeFormat the platform's names; databar, maxi_code, micro_qr_code and rm_qr_code
 *   are not among them
 *
 * @typedef {object} DetectedBarcode
 * @property {DOMRectReadOnly} boundingBox around the corners, in pixels of the source
 * @property {string} rawValue what it says
 * @property {BarcodeFormat | 'unknown'} format
 * @property {{x: number, y: number}[]} cornerPoints four: upper left, upper right, lower right and lower left of the
 *   code itself, however it is turned
 *
 * @typedef {Exclude<ImageBitmapSource, Blob> | SVGImageElement | VideoFrame | Blob} BarcodeSource
 */

/** Each as zxing-wasm calls it, or as the names of its kinds begin there. */
const FORMATS = {
  aztec: 'Aztec',
  codabar: 'Codabar',
  code_128: 'Code128',
  code_39: 'Code39',
  code_93: 'Code93',
  data_matrix: 'DataMatrix',
  databar: 'DataBar',
  ean_13: 'EAN13',
  ean_8: 'EAN8',
  itf: 'ITF',
  maxi_code: 'MaxiCode',
  micro_qr_code: 'MicroQRCode',
  pdf417: 'PDF417',
  qr_code: 'QRCode',
  rm_qr_code: 'RMQRCode',
  upc_a: 'UPCA',
  upc_e: 'UPCE',
};
const NAMES = /** @type {BarcodeFormat[]} */ (Object.keys(FORMATS));

/** What `detect` takes, by class. */
const SOURCES = [
  ...['Blob', 'File', 'HTMLCanvasElement', 'HTMLImageElement', 'HTMLVideoElement', 'ImageBitmap'],
  ...['ImageData', 'OffscreenCanvas', 'SVGImageElement', 'VideoFrame'],
];

/** @type {ReaderOptions} */
let options = {};
/** One for all detectors. @type {Promise<CodeReader> | undefined} */
let opening;

/**
 * Says once, before the first `detect`, where zxing-wasm is, and what else `CodeReader.open` is to know.
 * @param {ReaderOptions} of `zxingWasm` is the address of zxing_reader.wasm
 * @returns {void}
 */
export function prepare(of) {
  const before = opening;
  [options, opening] = [of, undefined];
  before?.then((reader) => reader.close()).catch(() => {}); // that it did not open was said
}

export class BarcodeDetector {
  /** @type {string[] | undefined} */
  #formats;

  /**
   * @param {{formats?: Iterable<BarcodeFormat>} | null} [barcodeDetectorOptions] `formats`: no others are looked for;
   *   default all
   * @throws {TypeError} for no format at all, or one that is none
   */
  constructor(barcodeDetectorOptions = {}) {
    const formats = formatsOf(barcodeDetectorOptions);
    this.#formats = formats?.map((format) => FORMATS[format]);
  }

  /** @returns {Promise<BarcodeFormat[]>} in the order of the alphabet */
  static async getSupportedFormats() {
    return [...NAMES];
  }

  /**
   * @param {BarcodeSource} image
   * @returns {Promise<DetectedBarcode[]>} what was read, best first
   * @throws {TypeError | DOMException} TypeError for what is no picture; SecurityError for one of another origin;
   *   InvalidStateError for one that is closed, broken or not there yet; NotSupportedError where nothing can be read
   */
  async detect(image) {
    if (!SOURCES.includes(kindOf(image)))
      throw new TypeError(`detect takes one of ${SOURCES.join(', ')}, not ${kindOf(image)}.`);
    if (await isEmpty(image)) return [];
    try {
      opening ??= CodeReader.open(options).catch((thrown) => {
        opening = undefined;
        throw thrown;
      });
      const reader = await opening;
      const { codes } = await reader.read(rightly(image), { formats: this.#formats });
      return codes.filter(({ readable }) => readable).map(detected);
    } catch (thrown) {
      throw exceptionOf(thrown);
    }
  }

  get [Symbol.toStringTag]() {
    return 'BarcodeDetector';
  }
}

// as the platform's operations are
Object.defineProperty(BarcodeDetector.prototype, 'detect', { enumerable: true });
Object.defineProperty(BarcodeDetector, 'getSupportedFormats', { enumerable: true });
Object.defineProperty(BarcodeDetector, 'name', { value: 'BarcodeDetector' }); // also where names are made short

/** @param {{formats?: Iterable<BarcodeFormat>} | null} options @returns {BarcodeFormat[] | undefined} */
function formatsOf(options) {
  const wrong = (/** @type {string} */ why) =>
    new TypeError(`Failed to construct 'BarcodeDetector': ${why}.`);
  if (options !== null && typeof options !== 'object' && typeof options !== 'function')
    throw wrong('its options are no object');
  if (options?.formats === undefined) return undefined;
  if (Object(options.formats) !== options.formats) throw wrong('formats is no list');
  const formats = Array.from(options.formats, String);
  if (formats.length === 0) throw wrong('formats is empty');
  const strange = formats.find((format) => !Object.hasOwn(FORMATS, format));
  if (strange !== undefined)
    throw wrong(`'${strange}' is no format that can be looked for; there is ${NAMES.join(', ')}`);
  return /** @type {BarcodeFormat[]} */ (formats);
}

/**
 * Whether there is nothing to look at, although nothing is wrong with it.
 * @param {any} image
 * @returns {Promise<boolean>}
 * @throws {DOMException} InvalidStateError
 */
async function isEmpty(image) {
  const kind = kindOf(image);
  if (kind === 'HTMLImageElement') {
    await image.decode().catch(() => Promise.reject(invalid('The image did not load')));
    return image.naturalWidth === 0 || image.naturalHeight === 0;
  }
  if (kind === 'HTMLVideoElement' && image.readyState < image.HAVE_CURRENT_DATA)
    throw invalid('The video has no frame yet');
  if (kind === 'ImageBitmap' && image.width === 0) throw invalid('The ImageBitmap was closed');
  if (kind === 'ImageData' && image.data.byteLength === 0)
    throw invalid('The pixels of the ImageData are elsewhere');
  return /Canvas/.test(kind) && (image.width === 0 || image.height === 0);
}

/** Pixels of more than eight bits become such of eight. @param {any} image */
function rightly(image) {
  if (kindOf(image) !== 'ImageData' || kindOf(image.data) === 'Uint8ClampedArray') return image;
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas;
}

/** @param {import('./code-reader.js').Code} code @returns {DetectedBarcode} */
function detected({ text, format, corners }) {
  const points = (corners ?? []).map(({ x, y }) => ({ x, y }));
  const [across, down] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [left, top] = [Math.min(...across), Math.min(...down)];
  const [width, height] = [Math.max(...across) - left, Math.max(...down) - top];
  return {
    boundingBox: new DOMRectReadOnly(left, top, width, height),
    rawValue: text ?? '',
    format: NAMES.find((name) => format?.startsWith(FORMATS[name])) ?? 'unknown',
    cornerPoints: points,
  };
}

/** @param {unknown} thrown what the platform throws instead */
function exceptionOf(thrown) {
  for (let one = thrown; one instanceof Error || one instanceof DOMException; one = one.cause)
    if (one.name === 'SecurityError' || one.name === 'DataCloneError')
      return new DOMException(`${saying(thrown)}.`, 'SecurityError');
  const isOfPicture = thrown instanceof WispError && thrown.code === 'WISP_ERR_SOURCE';
  return isOfPicture
    ? invalid(saying(thrown))
    : new DOMException(`${saying(thrown)}.`, 'NotSupportedError');
}

/** @param {string} why */
const invalid = (why) => new DOMException(`${why}.`, 'InvalidStateError');
