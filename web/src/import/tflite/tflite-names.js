// The names of the classes in the zip archive behind a TFLite file, where exporters put what they know of a network.

import { unzipSync } from 'fflate';

/** The files that YOLOv5's export and Ultralytics' write there, of at most a megabyte. */
const METADATA = /(^|\/)(temp_meta\.txt|meta\.txt|metadata\.json)$/;
const LONGEST = 1 << 20;

/** A dict or a list behind the word names. */
const NAMES = /["']names["']\s*:\s*(\{[^}]*\}|\[[^\]]*\])/;

/** @param {Uint8Array} bytes @returns {string | undefined} as they stand there */
export function namesBehind(bytes) {
  /** @type {Record<string, Uint8Array>} */
  let files = {};
  try {
    let left = 1;
    files = unzipSync(bytes, {
      filter: ({ name, originalSize }) =>
        METADATA.test(name) && originalSize <= Math.min(LONGEST, bytes.length) && left-- > 0,
    });
  } catch {
    return undefined; // no archive, which is usual
  }
  const [text] = Object.values(files);
  return text && new TextDecoder().decode(text).match(NAMES)?.[1];
}
