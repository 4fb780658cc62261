// Whether a file is a PyTorch checkpoint: by the first name in its zip archive, or by the first pickle of an old one.

/** An integer of ten bytes, which is the first pickle of what torch.save wrote before PyTorch 1.6. */
const OLD = '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.';

const ZIP = 'PK\x03\x04';
const PICKLE = 'data.pkl';

/** A file's name in the header before it. */
const HEADER = 512;

/** Where a zip archive lists its files again, should another tool have packed it in another order. */
const LIST = 1 << 16;

/** TorchScript has a pickle too, but code in place of what the network is made of. */
const SCRIPT = /\/(constants\.pkl|code\/__torch__)/;

/** @param {Uint8Array} bytes the first of a file; all of them tell more */
export function beginsAsPt(bytes) {
  const head = letters(bytes.subarray(0, HEADER));
  if (!head.startsWith(ZIP)) return isLegacy(bytes);
  const all = head + letters(bytes.subarray(-LIST));
  return all.includes(PICKLE) && !SCRIPT.test(all);
}

/** @param {Uint8Array} bytes */
export const isLegacy = (bytes) => letters(bytes.subarray(0, OLD.length)) === OLD;

/** @param {Uint8Array} bytes */
const letters = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
