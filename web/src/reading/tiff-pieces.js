// Strips and tiles of a TIFF file that are packed by LZW or deflate → plain ones: bounded, which UTIF's are not.

import { inflateSync } from 'node:zlib';
import { DamagedError } from './codec.js';

const CLEAR = 256; // codes of LZW
const END = 257;
const MOST_CODES = 4096;

/**
 * TIFF 6.0, section 13: codes of 9 to 12 bits, the first bit on top; a code grows one early.
 * @param {Uint8Array} bytes
 * @param {number} most bytes that come out
 */
export function unpackLzw(bytes, most) {
  const out = new Uint8Array(most);
  const starts = new Uint32Array(MOST_CODES + 1); // of a code's string in what is out already
  const lengths = new Uint32Array(MOST_CODES + 1);
  let [codes, width, length, bits, held] = [END + 1, 9, 0, 0, 0];
  for (let at = 0; length < most; ) {
    for (; bits < width && at < bytes.length; bits += 8)
      held = ((held << 8) | bytes[at++]) & 0xffffff;
    if (bits < width) break;
    bits -= width;
    const code = (held >> bits) & ((1 << width) - 1);
    if (code === END) break;
    if (code === CLEAR) {
      [codes, width] = [END + 1, 9];
      continue;
    }
    if (code >= codes || codes > MOST_CODES) throw new DamagedError('a code has no meaning');
    const start = length;
    if (code < CLEAR) out[length++] = code;
    else
      for (let i = 0; i < lengths[code] && length < most; i++)
        out[length++] = out[starts[code] + i];
    starts[codes] = start; // and the first byte of what follows
    lengths[codes++] = length - start + 1;
    width = codes < 512 ? 9 : codes < 1024 ? 10 : codes < 2048 ? 11 : 12;
  }
  return out.subarray(0, length);
}

/** @param {Uint8Array} bytes @param {number} most */
export function unpackDeflate(bytes, most) {
  try {
    return inflateSync(bytes, { maxOutputLength: most });
  } catch (cause) {
    throw new DamagedError('it does not unpack', { cause });
  }
}
