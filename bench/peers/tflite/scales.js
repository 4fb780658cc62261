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

/**
 * @param {Uint8Array} bytes
 * @param {import('./writer.js').FlatBuffers} flatbuffers Google's library
 * @returns {Scales}
 */
export function readScales(bytes, { ByteBuffer }) {
  const buffer = new ByteBuffer(bytes);
  if (!buffer.__has_identifier('TFL3')) throw new Error('this is no .tflite file');
  /** Where a field of a table is; 0: not there. @param {number} table @param {number} place */
  const field = (table, place) => {
    const offset = buffer.__offset(table, 4 + 2 * place);
    return offset && table + offset;
  };
  /** @param {number} vector of tables @param {number} i */
  const element = (vector, i) => buffer.__indirect(buffer.__vector(vector) + 4 * i);
  const graph = element(field(buffer.__indirect(0), MODEL_SUBGRAPHS), 0);
  /** @param {number} list the inputs or the outputs @returns {Scale} of the first */
  const scaleOf = (list) => {
    const index = buffer.readInt32(buffer.__vector(field(graph, list)));
    const at = field(element(field(graph, SUBGRAPH.tensors), index), TENSOR_QUANTISATION);
    const [scale, zero] = [QUANTISATION.scale, QUANTISATION.zeroPoint].map(
      (place) => at && field(buffer.__indirect(at), place),
    );
    if (!scale || !zero) return null;
    return {
      scale: buffer.readFloat32(buffer.__vector(scale)),
      zero: Number(buffer.readInt64(buffer.__vector(zero))),
    };
  };
  return { input: scaleOf(SUBGRAPH.inputs), output: scaleOf(SUBGRAPH.outputs) };
}
