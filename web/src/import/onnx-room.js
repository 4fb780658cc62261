// How much may be computed with what a file says: a few bytes can ask for gigabytes, or for hours.

import { malformed } from '../graph/graph-error.js';

/** Numbers that one result may have in any file, and for each of its bytes: boxes have as many as the heads' logits. */
const ANY = 1 << 22;
const A_BYTE = 32;

/** How often as much may be there at once, and be computed in all. */
const AT_ONCE = 4;
const IN_ALL = 24;

/** @typedef {import('./onnx-feature.js').Value} Value */

export class Room {
  /** Numbers that a result may have. */
  most;
  #live = 0;
  #left;

  /** @param {number} bytes of the file, and of those beside it */
  constructor(bytes) {
    this.most = ANY + A_BYTE * bytes;
    this.#left = IN_ALL * this.most;
  }

  /** What a node gave. @param {import('./onnx-proto.js').OnnxNode} node @param {Value[]} values */
  take({ name, op }, values) {
    const numbers = sizeOf(values);
    this.#live += numbers;
    this.#left -= numbers;
    if (this.#live <= AT_ONCE * this.most && this.#left >= 0) return;
    malformed(
      `The constants up to node "${name}" (${op}) are more than a network of this size has.`,
    );
  }

  /** A value that nobody reads any more. @param {Value} value */
  drop(value) {
    this.#live -= value && 'id' in value ? 0 : sizeOf([value]);
  }
}

/** Of a feature map, which the graph keeps: as many as its channels. @param {Value[]} values */
function sizeOf(values) {
  return values.reduce((sum, value) => {
    if (!value) return sum;
    return sum + ('id' in value ? value.dims[1] : value.data.length);
  }, 0);
}
