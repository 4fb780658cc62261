// A node of the float graph as the press module takes it, and the lists that one points to.

import { naming, WispError } from '../error.js';

/** @typedef {import('../graph/float-graph.js').GraphNode} GraphNode */

/** What the module calls otherwise. @type {{[op: string]: (node: any) => {[field: string]: any}}} */
const OTHERWISE = {
  conv: ({ channels: [, channels], bias, ...same }) => ({ ...same, channels, bias: bias ?? [] }),
  affine: ({ scale, ...same }) => ({ ...same, weight: scale }),
  upsample: ({ factor, ...same }) => ({ ...same, stride: factor }),
  select: ({ channels, ...same }) => ({ ...same, picks: channels }),
};

/**
 * @param {GraphNode} node
 * @param {number[]} inputs tensors of the press
 * @param {string[]} activations that the module knows
 * @returns {{[field: string]: any}}
 */
export function nodeValues({ op, name, output, range, ...own }, inputs, activations) {
  const kind = activations.includes(op) ? { kind: 'activation', activation: op } : { kind: op };
  return { ...(OTHERWISE[op]?.(own) ?? own), ...kind, ...range, inputs };
}

const isNumber = (/** @type {unknown} */ value) => typeof value === 'number';

/** What a pointer points to. @type {{[kind: string]: {List: any, is: string, fits: (value: unknown) => boolean}}} */
const LISTS = {
  'i32*': { List: Int32Array, is: 'whole numbers', fits: Number.isInteger },
  'f32*': { List: Float32Array, is: 'numbers', fits: isNumber },
};

/**
 * The numbers of a list, rows one after the other, as they stand in memory.
 * @param {import('../wasm/record.js').Field} field
 * @param {any} value
 * @returns {Uint8Array}
 */
export function bytesOf({ name, kind }, value) {
  const { List, is, fits } = LISTS[kind];
  const numbers = Array.isArray(value) ? value.flat() : value;
  const isList = Array.isArray(numbers) ? numbers.every(fits) : ArrayBuffer.isView(numbers);
  if (!isList) {
    const odd = Array.isArray(numbers) ? numbers.find((one) => !fits(one)) : numbers;
    throw new WispError('WISP_ERR_ARGUMENT', `${name} is a list of ${is}, not ${naming(odd)}.`);
  }
  const { buffer, byteOffset, byteLength } = numbers instanceof List ? numbers : List.from(numbers);
  return new Uint8Array(buffer, byteOffset, byteLength);
}
