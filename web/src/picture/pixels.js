// Any picture a page has → RGBA bytes: packed where the picture is, unpacked where the engine is.

import { fetchFile } from '../bytes/download.js';
import { kindOf, naming, saying, WispError } from '../error.js';
import { absolute, isNode } from '../host.js';

/**
 * @typedef {{data: Uint8Array | Uint8ClampedArray, width: number, height: number}} Raw RGBA, rows without gaps
 *
 * @typedef {HTMLImageElement | SVGImageElement | HTMLVideoElement | HTMLCanvasElement | OffscreenCanvas | ImageBitmap |
 *   ImageData | VideoFrame | Blob | ArrayBuffer | Uint8Array | URL | string | Raw} PictureSource
 *   bytes are those of a picture file; a string is an address in a page, an address or a path in Node
 *
 * @typedef {{kind: 'raw', data: Uint8Array<ArrayBuffer>, width: number, height: number, returnsLanding?: boolean} |
 *   {kind: 'landed', width: number, height: number} |
 *   {kind: 'bitmap', image: ImageBitmap} | {kind: 'frame', image: VideoFrame} | {kind: 'blob', blob: Blob} |
 *   {kind: 'file', bytes: Uint8Array<ArrayBuffer>} | {kind: 'address', address: string}} Picture a picture on its way
 *
 * @typedef {(width: number, height: number) => Uint8ClampedArray} Room
 *   where the RGBA bytes go; asked for once a picture
 */

const CORS =
  'it comes from another origin without CORS: set crossOrigin = "anonymous" before src, and let that server ' +
  'send Access-Control-Allow-Origin';

/**
 * Memory that came from the worker, for the next pictures: buffers, since fresh ones cost more than the copy into
 * them, and where memory is shared the landing, the room of one picture in the engine's own. Only who has the landing
 * writes there; it goes back with a picture, in it or not.
 */
export class Spares {
  /** @type {ArrayBuffer[]} */
  #buffers = [];
  /** @type {Uint8Array<SharedArrayBuffer> | undefined} */
  #landing;
  #hasLanding = false;

  /**
   * @param {ArrayBuffer[]} buffers in place of those before
   * @param {Uint8Array<SharedArrayBuffer> | undefined} landing
   */
  keep(buffers, landing) {
    this.#buffers = buffers;
    if (!landing) return;
    this.#landing = landing;
    this.#hasLanding = true;
  }

  /** These won't go to the worker. @param {Picture[]} pictures */
  takeBack(pictures) {
    this.#hasLanding ||= pictures.some(bringsLanding);
  }

  /** @param {Raw} raw @returns {Picture} a copy */
  pack({ data, width, height }) {
    const returnsLanding = this.#hasLanding;
    this.#hasLanding = false;
    if (returnsLanding && this.#landing && this.#landing.length >= data.length) {
      this.#landing.set(data);
      return { kind: 'landed', width, height };
    }
    return { kind: 'raw', data: this.#copy(data), width, height, returnsLanding };
  }

  /** @param {Uint8Array | Uint8ClampedArray} data @returns {Uint8Array<ArrayBuffer>} */
  #copy(data) {
    const at = this.#buffers.findIndex((buffer) => buffer.byteLength === data.length);
    if (at < 0) return new Uint8Array(data);
    const bytes = new Uint8Array(this.#buffers.splice(at, 1)[0]);
    bytes.set(data);
    return bytes;
  }
}

/**
 * Takes hold of the picture as it is at this moment; what is the caller's stays the caller's.
 * @param {PictureSource} source
 * @param {Spares} [spares]
 * @returns {Promise<Picture>}
 */
export async function pack(source, spares = new Spares()) {
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
      return { kind: 'blob', blob: any };
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

/** A copy. @param {ArrayBufferView} view */
function bytesOf({ buffer, byteOffset, byteLength }) {
  return new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength));
}

/** @param {string | URL} text @returns {Picture} */
function packAddress(text) {
  try {
    return { kind: 'address', address: absolute(text).href };
  } catch (cause) {
    throw new WispError('WISP_ERR_SOURCE', `${naming(text)} is no address of a picture.`, {
      cause,
    });
  }
}

/** @param {HTMLImageElement} image */
async function packImage(image) {
  const address = image.currentSrc || image.src;
  const name = `The image ${address.slice(0, 200) || 'without an address'}`;
  if (!image.complete) await image.decode().catch(() => {});
  if (image.naturalWidth === 0) throw new WispError('WISP_ERR_SOURCE', `${name} has not loaded.`);
  return packBitmap(image, AS_STORED);
}

/** @param {HTMLVideoElement} video @returns {Promise<Picture>} */
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
 * @returns {Promise<Picture>}
 */
async function packBitmap(image, options) {
  try {
    return { kind: 'bitmap', image: await createImageBitmap(image, options) };
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

/** The numbers in the file, turned as EXIF says (every engine's default). @type {ImageBitmapOptions} */
const AS_STORED = { premultiplyAlpha: 'none', colorSpaceConversion: 'none' };

/** @param {Raw} raw @param {Spares} spares @returns {Picture} */
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

/** Whether the landing goes with it. @param {Picture} picture */
export function bringsLanding(picture) {
  return picture.kind === 'landed' || (picture.kind === 'raw' && picture.returnsLanding === true);
}

/** What of it moves to the worker instead of being copied. @param {Picture} picture @returns {Transferable[]} */
export function movable(picture) {
  if (picture.kind === 'bitmap' || picture.kind === 'frame') return [picture.image];
  if (picture.kind === 'raw') return [picture.data.buffer];
  return picture.kind === 'file' ? [picture.bytes.buffer] : [];
}

/** Gives back what the picture holds; again does nothing. @param {Picture} picture */
export function release(picture) {
  if (picture.kind === 'bitmap' || picture.kind === 'frame') picture.image.close();
}

/** The sentence for a picture that the browser won't let go. @param {unknown} thrown */
export function explainRefusal(thrown) {
  const name = thrown instanceof DOMException ? thrown.name : '';
  if (name !== 'DataCloneError' && name !== 'SecurityError') return thrown;
  return new WispError('WISP_ERR_SOURCE', `The picture can't be read: ${CORS}.`, { cause: thrown });
}

const MOST_SIDE = 32768; // of a frame, as core/src/check.c has it

/**
 * Reads a picture and gives it back. Whatever goes wrong is the picture's fault, and only its.
 * @param {{read: (picture: Picture, room: Room, signal?: AbortSignal) => Promise<void>}} reader
 * @param {Picture} picture
 * @param {Room} room
 * @param {AbortSignal} [signal] nobody waits for it any more
 */
export async function readPicture(reader, picture, room, signal) {
  try {
    const checked = (/** @type {number} */ width, /** @type {number} */ height) => {
      if (width <= MOST_SIDE && height <= MOST_SIDE) return room(width, height);
      const sentence = `The picture has ${width} × ${height} pixels; sides up to ${MOST_SIDE} are possible.`;
      throw new WispError('WISP_ERR_SOURCE', sentence);
    };
    await reader.read(picture, checked, signal);
  } catch (cause) {
    if (cause instanceof WispError) throw cause;
    const sentence = `The picture can't be read: ${saying(cause)}.`;
    throw new WispError('WISP_ERR_SOURCE', sentence, { cause });
  } finally {
    release(picture);
  }
}

const STRIP = 1 << 22; // pixels read back at once: phones limit the size of a canvas

/** The worker's side, for a browser. */
export class Reader {
  /** @type {OffscreenCanvas | undefined} */
  #canvas;

  /**
   * @param {Picture} picture stays the caller's to release
   * @param {Room} room
   * @param {AbortSignal} [signal]
   */
  async read(picture, room, signal) {
    switch (picture.kind) {
      case 'raw':
        return room(picture.width, picture.height).set(picture.data);
      case 'bitmap':
        return this.#draw(picture.image, picture.image.width, picture.image.height, room);
      case 'frame':
        return this.#readFrame(picture.image, room);
      case 'file':
        return this.#decode(new Blob([picture.bytes]), 'The picture', room);
      case 'blob':
        return this.#decode(
          picture.blob,
          `The picture ${Reflect.get(picture.blob, 'name') ?? ''}`.trim(),
          room,
        );
      case 'address':
        return this.#decode(
          await fetchPicture(picture.address, signal),
          picture.address.slice(0, 200),
          room,
        );
    }
  }

  /** @param {Blob} blob @param {string} name @param {Room} room */
  async #decode(blob, name, room) {
    let image;
    try {
      image = await createImageBitmap(blob, AS_STORED);
    } catch (cause) {
      const what = `${blob.type || 'no type'}, ${blob.size} bytes`;
      throw new WispError(
        'WISP_ERR_SOURCE',
        `${name} (${what}) is no picture this browser can decode.`,
        { cause },
      );
    }
    try {
      this.#draw(image, image.width, image.height, room);
    } finally {
      image.close();
    }
  }

  /** @param {VideoFrame} frame @param {Room} room */
  async #readFrame(frame, room) {
    const { displayWidth: width, displayHeight: height } = frame;
    if (!copiesAsRgba(frame)) return this.#draw(frame, width, height, room);
    await frame.copyTo(room(width, height), { format: 'RGBA' });
  }

  /** @param {ImageBitmap | VideoFrame} image @param {number} width @param {number} height @param {Room} room */
  #draw(image, width, height, room) {
    const bytes = room(width, height);
    const rows = Math.min(height, Math.max(1, Math.floor(STRIP / width)));
    const context = this.#context(width, rows);
    context.globalCompositeOperation = 'copy';
    for (let y = 0; y < height; y += rows) {
      const count = Math.min(rows, height - y);
      context.drawImage(image, 0, -y);
      bytes.set(context.getImageData(0, 0, width, count).data, y * width * 4);
    }
  }

  /** @param {number} width @param {number} height */
  #context(width, height) {
    if (this.#canvas?.width !== width || this.#canvas.height !== height) {
      this.#canvas = new OffscreenCanvas(width, height);
    }
    const context = this.#canvas.getContext('2d', { willReadFrequently: true });
    if (!context)
      throw new WispError('WISP_ERR_SOURCE', `There is no canvas of ${width} × ${height} pixels.`);
    return context;
  }
}

/** @param {string} address @param {AbortSignal} [signal] */
async function fetchPicture(address, signal) {
  const response = await fetchFile(address, signal);
  const name = address.slice(0, 200);
  if (response.headers.get('content-type')?.startsWith('text/html')) {
    throw new WispError('WISP_ERR_SOURCE', `${name} is a web page, not a picture.`);
  }
  try {
    return await response.blob();
  } catch (cause) {
    throw new WispError('WISP_ERR_FETCH', `${name} broke off: ${saying(cause)}.`, { cause });
  }
}

/**
 * Whether copyTo gives what drawing would: square pixels, known to be upright, in an engine that
 * knows the option. (Firefox does not tell, and draws faster than it copies.)
 * @param {VideoFrame} frame
 */
function copiesAsRgba(frame) {
  const { visibleRect, displayWidth, displayHeight, format } = frame;
  if (Reflect.get(frame, 'rotation') !== 0 || Reflect.get(frame, 'flip')) return false;
  if (visibleRect?.width !== displayWidth || visibleRect.height !== displayHeight) return false;
  if (format === 'RGBA' || format === 'RGBX') return true;
  try {
    const plain = frame.allocationSize();
    const rgba = frame.allocationSize({ format: 'RGBA' });
    return rgba === displayWidth * displayHeight * 4 && rgba !== plain; // equal: BGRA, or the option was ignored
  } catch {
    return false;
  }
}
