// Edits of files: what a fuzzer does to them, kept as where, how many bytes go, and which come.

/**
 * @typedef {[at: number, removed: number, inserted: string]} Edit `inserted` in hexadecimal digits
 * @typedef {{seed: string, edits: Edit[]}} Edited
 */

/** @param {Uint8Array} bytes @param {Edit[]} edits one after the other @returns {Uint8Array} */
export function edited(bytes, edits) {
  return edits.reduce((file, [at, removed, inserted]) => {
    const come = Buffer.from(inserted, 'hex');
    return new Uint8Array(Buffer.concat([file.subarray(0, at), come, file.subarray(at + removed)]));
  }, bytes);
}

/** What is put into files: ends of number ranges, and what the format has words for. @type {string[]} */
const ENDS = ['00', 'ff', '7f', '80', 'ffffffff', 'ffffff7f', '00000000', 'ffffffffffffffff'];

/**
 * @param {Uint8Array} bytes
 * @param {Uint8Array} other to take pieces of
 * @param {string[]} words of the format, in hexadecimal digits
 * @param {(below: number) => number} draw a whole number
 * @returns {Edit}
 */
export function drawEdit(bytes, other, words, draw) {
  const at = draw(bytes.length);
  const n = 1 + draw(1 << draw(8));
  const hex = (/** @type {Uint8Array} */ piece) => Buffer.from(piece).toString('hex');
  const piece = (/** @type {Uint8Array} */ from) => {
    const start = draw(from.length);
    return hex(from.subarray(start, start + n));
  };
  const word = [...ENDS, ...words][draw(ENDS.length + words.length)];
  /** @type {(() => Edit)[]} */
  const kinds = [
    () => [at, 1, hex(Uint8Array.of(bytes[at] ^ (1 << draw(8))))],
    () => [at, 1, hex(Uint8Array.of(draw(256)))],
    () => [at, word.length / 2, word],
    () => [at, 0, word],
    () => [at, n, ''],
    () => [at, n, piece(bytes)],
    () => [at, 0, piece(bytes)],
    () => [at, draw(n + 1), piece(other)],
    () => [at, bytes.length, ''],
  ];
  return kinds[draw(kinds.length)]();
}
