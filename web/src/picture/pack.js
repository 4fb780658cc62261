// Any picture that a page or a Node process has → one that can be sent to the worker.

import { kindOf, naming, saying, WispError } from '../error.js';
import { absolute, isNode, pathOf } from '../host.js';
import { AS_STORED } from './picture.js';
import { Spares } from './spares.js';

/**
 * @typedef {import('./picture.js').Picture} Picture
 * @typedef {import('./picture.js').PictureSource} PictureSource
 * @typedef {import('./picture.js').Unnamed} Unnamed
 * @typedef {import('./picture.js').Raw} Raw
 */

/**
 * Takes hold of the picture as it is at this moment; what is the caller's stays the caller's.
 * @param {PictureSource} source
 * @param {Spares} [spares]
 * @param {string} [name] what sentences call it
 * @returns {Promise<Picture>}
 */
export async function pack(source, spares = new Spares(), name = nameOf(source)) {
  try {
    return { ...(await packAny(source, spares)), name };
  } catch (thrown) {
    const refusal = explainRefusal(thrown);
    const isNamed =
      name === NAMELESS || !(refusal instanceof WispError) || refusal.message.includes(name);
    throw isNamed
      ? refusal
      : new WispError(refusal.code, `${name}: ${refusal.message}`, { cause: thrown });
  }
}

const NAMELESS = 'The picture';
const LONGEST = 200; // letters of an address in a sentence

/**
 * @param {PictureSource} source
 * @param {number} [index] in a batch
 * @param {number} [count]
 * @returns {string} what sentences call it
 */
export function nameOf(source, index = 0, count = 1) {
  const any = /** @type {any} */ (source);
  if (typeof source === 'string' && /^data:/i.test(source)) return 'The data: address';
  if (typeof source === 'string') return source.slice(0, LONGEST);
  if (source instanceof URL)
    return (isNode() && source.protocol === 'file:' ? pathOf(source) : source.href).slice(
      0,
      LONGEST,
    );
  const address = kindOf(source) === 'HTMLImageElement' ? any.currentSrc || any.src : '';
  if (address) return `The image ${nameOf(address)}`;
  if (kindOf(source) === 'File' && any.name) return any.name;
  return count > 1 ? `Picture ${index + 1} of ${count}` : NAMELESS;
}

/**
 * @param {PictureSource} source
 * @param {Spares} spares
 * @returns {Promise<import('./picture.js').Unnamed>}
 */
async function packAny(source, spares) {
  if (typeof source === 'string' || source instanceof URL) return packAddress(source);
  if (ArrayBuffer.isView(source)) return { kind: 'file', bytes: bytesOf(source) };
  const any = /** @type {any} */ (source);
  switch (kindOf(source)) {
    case 'HTMLImageElement':
      return packImage(any);
    case 'HTMLVideoElement':
      return packVideo(any);
    case 'SVGImageElement':
    case 'HTMLCanvasElement':
    case 'OffscreenCanvas':
    case 'ImageBitmap':
      return packBitmap(any);
    case 'VideoFrame':
      if (any.format === null)
        throw new WispError('WISP_ERR_SOURCE', 'The VideoFrame has been closed before.');
      return { kind: 'frame', image: any.clone() };
    case 'Blob':
    case 'File':
      return isNode() ? packBlob(any) : { kind: 'blob', blob: any };
    case 'ArrayBuffer':
      return { kind: 'file', bytes: new Uint8Array(any.slice(0)) };
  }
  if (source && typeof source === 'object' && 'data' in source) return packRaw(any, spares);
  throw new WispError('WISP_ERR_SOURCE', `A picture is ${KINDS()}, not ${naming(source)}.`);
}

const KINDS = () =>
  isNode()
    ? 'a path, an address, the bytes of a picture file, a Blob or {data, width, height}'
    : 'an image, video or canvas element, an OffscreenCanvas, ImageBitmap, ImageData, VideoFrame, Blob, an address, ' +
      'the bytes of a picture file or {data, width, height}';

/** Node can't hand a Blob that lies in a file to a worker. @param {Blob} blob @returns {Promise<Unnamed>} */
async function packBlob(blob) {
  try {
    return { kind: 'file', bytes: new Uint8Array(await blob.arrayBuffer()) };
  } catch (cause) {
    const sentence = `The ${kindOf(blob)} can't be read: ${saying(cause)}.`;
    throw new WispError('WISP_ERR_SOURCE', sentence, { cause });
  }
}

/** A copy. @param {ArrayBufferView} view */
function bytesOf({ buffer, byteOffset, byteLength }) {
  return new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength));
}

/** @param {string | URL} text @returns {Unnamed} */
function packAddress(text) {
  try {
    return { kind: 'address', address: absolute(text).href };
  } catch (cause) {
    throw new WispError('WISP_ERR_SOURCE', `${naming(text)} is no address of a picture.`, {
      cause,
    });
  }
}

/** @param {HTMLImageElement} image @returns {Promise<Unnamed>} */
async function packImage(image) {
  if (!image.complete) await image.decode().catch(() => {});
  if (image.naturalWidth === 0)
    throw new WispError('WISP_ERR_SOURCE', `${nameOf(image)} has not loaded.`);
  try {
    return await packBitmap(image, AS_STORED);
  } catch (refusal) {
    return await packDrawn(image).catch(() => Promise.reject(refusal));
  }
}

/** As the page shows it, such as a file that breaks off. @param {HTMLImageElement} image */
async function packDrawn(image) {
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  canvas.getContext('2d')?.drawImage(image, 0, 0);
  return packBitmap(canvas);
}

/** @param {HTMLVideoElement} video @returns {Promise<Unnamed>} */
async function packVideo(video) {
  if (video.readyState < 2) {
    const sentence = `The video has no frame yet (readyState is ${video.readyState})`;
    throw new WispError('WISP_ERR_SOURCE', `${sentence}: wait for its "loadeddata" event.`);
  }
  const image = frameOf(video);
  const { videoWidth, videoHeight } = video;
  if (image?.displayWidth === videoWidth && image.displayHeight === videoHeight) {
    return { kind: 'frame', image }; // costs this thread nothing, a bitmap all its pixels
  }
  image?.close(); // an engine that forgets how a film is turned
  return packBitmap(video);
}

/** @param {HTMLVideoElement} video */
function frameOf(video) {
  try {
    return typeof VideoFrame === 'function' ? new VideoFrame(video) : undefined;
  } catch (thrown) {
    const refusal = explainRefusal(thrown);
    if (refusal !== thrown) throw refusal;
  }
}

/**
 * @param {Exclude<ImageBitmapSource, Blob | ImageData>} image
 * @param {ImageBitmapOptions} [options] left out, a canvas costs the page's thread next to nothing
 * @returns {Promise<Unnamed>}
 */
async function packBitmap(image, options) {
  try {
    const bitmap = await createImageBitmap(image, options);
    return { kind: 'bitmap', image: bitmap, asStored: options === AS_STORED };
  } catch (cause) {
    const { width, height } = /** @type {HTMLCanvasElement} */ (image);
    const what = `the ${kindOf(image)} (${Number(width)} × ${Number(height)})`;
    throw new WispError(
      'WISP_ERR_SOURCE',
      `No pixels could be had from ${what}: ${saying(cause)}.`,
      { cause },
    );
  }
}

/** @param {Raw} raw @param {Spares} spares @returns {Unnamed} */
function packRaw({ data, width, height }, spares) {
  if (kindOf(data) !== 'Uint8Array' && kindOf(data) !== 'Uint8ClampedArray') {
    throw new WispError(
      'WISP_ERR_SOURCE',
      `{data, width, height} holds bytes in a Uint8Array, not ${naming(data)}.`,
    );
  }
  const fits = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!fits || data.length !== width * height * 4) {
    const want = 'RGBA needs width · height · 4';
    throw new WispError(
      'WISP_ERR_SOURCE',
      `${data.length} bytes are no ${width} × ${height} picture: ${want}.`,
    );
  }
  return spares.pack({ data, width, height });
}

/** What of it moves to the worker instead of being copied. @param {Picture} picture @returns {Transferable[]} */
export function movable(picture) {
  if (picture.kind === 'bitmap' || picture.kind === 'frame') return [picture.image];
  if (picture.kind === 'raw') return [picture.data.buffer];
  return picture.kind === 'file' ? [picture.bytes.buffer] : [];
}

const CORS =
  'it comes from another origin without CORS: set crossOrigin = "anonymous" before src, and let that server ' +
  'send Access-Control-Allow-Origin';

/** The sentence for a picture that the browser won't let go. @param {unknown} thrown */
export function explainRefusal(thrown) {
  const name = thrown instanceof DOMException ? thrown.name : '';
  if (name !== 'DataCloneError' && name !== 'SecurityError') return thrown;
  return new WispError('WISP_ERR_SOURCE', `The picture can't be read: ${CORS}.`, { cause: thrown });
}
