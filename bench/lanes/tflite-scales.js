// How the first input and output of a .tflite file are quantised, which LiteRT.js does not tell.

/**
 * @typedef {{scale: number, zero: number} | null} Scale null: real numbers
 * @typedef {{input: Scale, output: Scale}} Scales
 */

/** Fields of the schema's tables, by their place. */
const MODEL_SUBGRAPHS = 2;
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2 };
const TENSOR_QUANTISATION = 4;
const QUANTISATION = { scale: 2, zeroPoint: 3 };

/** @param {Uint8Array} bytes @returns {Scales} */
export function readScales({ buffer, byteOffset, byteLength }) {
  const view = new DataView(buffer, byteOffset, byteLength);
  const graph = element(view, field(view, follow(view, 0), MODEL_SUBGRAPHS), 0);
  const tensors = field(view, graph, SUBGRAPH.tensors);
  const read = (/** @type {number} */ list) => {
    const index = view.getInt32(field(view, graph, list) + 4, true);
    return scaleOf(view, element(view, tensors, index));
  };
  return { input: read(SUBGRAPH.inputs), output: read(SUBGRAPH.outputs) };
}

/** @param {DataView} view @param {number} tensor @returns {Scale} */
function scaleOf(view, tensor) {
  const quantisation = field(view, tensor, TENSOR_QUANTISATION);
  const scales = quantisation && field(view, quantisation, QUANTISATION.scale);
  const zeros = quantisation && field(view, quantisation, QUANTISATION.zeroPoint);
  if (!scales || !zeros) return null;
  return {
    scale: view.getFloat32(scales + 4, true),
    zero: Number(view.getBigInt64(zeros + 4, true)),
  };
}

/** Where the offset at `at` leads. @param {DataView} view @param {number} at */
const follow = (view, at) => at + view.getUint32(at, true);

/**
 * The table or vector in a table's field; 0 if it is not there.
 * @param {DataView} view
 * @param {number} table
 * @param {number} index
 */
function field(view, table, index) {
  const layout = table - view.getInt32(table, true);
  const slot = 4 + 2 * index;
  const at = slot < view.getUint16(layout, true) ? view.getUint16(layout + slot, true) : 0;
  return at && follow(view, table + at);
}

/** A table in a vector of tables. @param {DataView} view @param {number} vector @param {number} index */
const element = (view, vector, index) => follow(view, vector + 4 + 4 * index);
