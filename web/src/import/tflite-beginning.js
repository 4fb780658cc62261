// Whether a file is TensorFlow Lite's: the identifier behind the place of a flat buffer's first table.

const IDENTIFIER = 'TFL3';
const PLACE = 4;

/** @param {Uint8Array} bytes the first of a file */
export const beginsAsTflite = (bytes) =>
  Array.from(IDENTIFIER).every((letter, i) => bytes[PLACE + i] === letter.charCodeAt(0));
