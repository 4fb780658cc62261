// What a picture is: as the caller has it, and on its way from the page to the worker.

/**
 * @typedef {{data: Uint8Array | Uint8ClampedArray, width: number, height: number}} Raw RGBA, rows without gaps, colours
 *   not multiplied by A
 *
 * @typedef {HTMLImageElement | SVGImageElement | HTMLVideoElement | HTMLCanvasElement | OffscreenCanvas | ImageBitmap |
 *   ImageData | VideoFrame | Blob | ArrayBuffer | Uint8Array | URL | string | Raw} PictureSource
 *   bytes are those of a picture file; a string is an address in a page, an address or a path in Node
 *
 * @typedef {{kind: 'raw', data: Uint8Array<ArrayBuffer>, width: number, height: number, returnsLanding?: boolean} |
 *   {kind: 'landed', width: number, height: number} |
 *   {kind: 'bitmap', image: ImageBitmap, asStored: boolean} | {kind: 'frame', image: VideoFrame} |
 *   {kind: 'blob', blob: Blob} | {kind: 'file', bytes: Uint8Array<ArrayBuffer>} |
 *   {kind: 'address', address: string}} Unnamed
 * @typedef {Unnamed & {name: string}} Picture a picture on its way, and what sentences call it
 *
 * @typedef {object} ReadOptions
 * @property {string} [background] what shows through where a picture is transparent, as "#rrggbb"; default white
 * @property {number} [maxPixels] of a picture, else it is refused before it is decoded; default 100 million
 *
 * @typedef {(width: number, height: number) => Uint8ClampedArray} Room
 *   where the RGBA bytes go; asked for once a picture
 *
 * @typedef {{maxPixels: number, signal?: AbortSignal}} Limits the signal: nobody waits for it any more
 *
 * @typedef {object} Reader of the worker; the picture stays the caller's to release
 * @property {(picture: Picture, room: Room, limits: Limits) => Promise<boolean>} read whether it may be transparent
 *   somewhere
 */

/** The numbers in the file, turned as EXIF says (every engine's default). @type {ImageBitmapOptions} */
export const AS_STORED = { premultiplyAlpha: 'none', colorSpaceConversion: 'none' };

/** Whether the landing goes with it. @param {Unnamed} picture */
export function bringsLanding(picture) {
  return picture.kind === 'landed' || (picture.kind === 'raw' && picture.returnsLanding === true);
}

/** Gives back what the picture holds; again does nothing. @param {Picture} picture */
export function release(picture) {
  if (picture.kind === 'bitmap' || picture.kind === 'frame') picture.image.close();
}
