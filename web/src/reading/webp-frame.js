// The first frame of an animated WebP as a WebP file of its own, for decoders that know still pictures only.

/** @typedef {{type: string, body: Uint8Array}} Chunk */

/**
 * @param {Uint8Array} bytes of a WebP file
 * @returns {{file: Uint8Array, x: number, y: number} | undefined} the frame, and where on the canvas its upper left
 *   pixel lies; nothing if it is no animation
 */
export function firstFrame(bytes) {
  const frame = chunksOf(bytes.subarray(12)).find(({ type }) => type === 'ANMF')?.body;
  if (!frame) return undefined;
  const pictures = chunksOf(frame.subarray(16)).filter(({ type }) => /^(ALPH|VP8[ L])$/.test(type));
  const hasAlpha = pictures.some(({ type }) => type === 'ALPH');
  const size = frame.subarray(6, 12); // width and height, less one
  const extension = { type: 'VP8X', body: Uint8Array.of(0x10, 0, 0, 0, ...size) };
  const file = fileOf(hasAlpha ? [extension, ...pictures] : pictures);
  return { file, x: u24(frame, 0) * 2, y: u24(frame, 3) * 2 };
}

/** @param {Uint8Array} bytes @param {number} at */
const u24 = (bytes, at) => bytes[at] + bytes[at + 1] * 256 + bytes[at + 2] * 65536;

/** @param {Uint8Array} bytes @returns {Chunk[]} those that begin in it */
function chunksOf(bytes) {
  const chunks = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    const type = String.fromCharCode(...bytes.subarray(at, at + 4));
    chunks.push({ type, body: bytes.subarray(at + 8, at + 8 + length) });
    at += 8 + length + (length % 2);
  }
  return chunks;
}

/** @param {Chunk[]} chunks */
function fileOf(chunks) {
  const lengths = chunks.map(({ body }) => 8 + body.length + (body.length % 2));
  const file = new Uint8Array(12 + lengths.reduce((sum, length) => sum + length, 0));
  const write = (
    /** @type {number} */ at,
    /** @type {string} */ type,
    /** @type {number} */ length,
  ) => {
    file.set(
      [...type].map((letter) => letter.charCodeAt(0)),
      at,
    );
    new DataView(file.buffer).setUint32(at + 4, length, true);
  };
  write(0, 'RIFF', file.length - 8);
  file.set([0x57, 0x45, 0x42, 0x50], 8); // WEBP
  let at = 12;
  chunks.forEach(({ type, body }, i) => {
    write(at, type, body.length);
    file.set(body, at + 8);
    at += lengths[i];
  });
  return file;
}
