// A JPEG without its end marker: whether all of its pixels are there all the same, in a browser, which won't tell.

const MARKER = 0xff;
const END = 0xd9;
const SCAN = 0xda;
const TAIL = 512; // bytes

/** @param {Uint8Array} bytes of a JPEG file */
export function lacksEnd(bytes) {
  if (bytes.at(-2) === MARKER && bytes.at(-1) === END) return false;
  let inScan = false;
  for (let at = 2; at + 1 < bytes.length; ) {
    if (inScan) at = bytes.indexOf(MARKER, at);
    if (at < 0 || bytes[at] !== MARKER) return true;
    const marker = bytes[at + 1];
    if (marker === END) return false;
    const isData = marker === 0 || (marker >= 0xd0 && marker <= 0xd7);
    if (isData || marker === MARKER) at += isData ? 2 : 1;
    else {
      inScan = marker === SCAN;
      at += 2 + (bytes[at + 2] << 8) + bytes[at + 3];
    }
  }
  return true;
}

/**
 * The file with arbitrary bits behind it, and with their opposites. Pixels that differ between the two are not in it.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Blob[]}
 */
export function lengthened(bytes) {
  const end = bytes.at(-1) === MARKER ? bytes.length - 1 : bytes.length;
  return [0, 0xff].map((opposite) => {
    let random = 1;
    const tail = Uint8Array.from({ length: TAIL }, () => {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      return ((random >>> 24) ^ opposite) & 0xfe; // 0xff would begin a marker
    });
    return new Blob([bytes.subarray(0, end), tail, Uint8Array.of(MARKER, END)]);
  });
}

/**
 * @param {Uint8ClampedArray} a RGBA
 * @param {Uint8ClampedArray} b
 * @param {number} width
 * @returns {number} share of the rows from the first that differs, 0 … 1
 */
export function lacking(a, b, width) {
  const differs = a.findIndex((byte, i) => byte !== b[i]);
  return differs < 0 ? 0 : 1 - Math.floor(differs / (width * 4)) / (a.length / (width * 4));
}
