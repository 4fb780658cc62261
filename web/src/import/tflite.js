// TFLite bytes → float graph: its operators as ONNX's nodes, integers as the real numbers that they stand for.

import { unsupported } from '../graph/graph-error.js';
import { importNodes } from './onnx-network.js';
import { isHalf, isQuantised, readTflite } from './tflite/tflite-file.js';
import { namesBehind } from './tflite/tflite-names.js';
import { NodeWriter } from './tflite/tflite-nodes.js';
import { translate } from './tflite/tflite-translate.js';

/** @typedef {import('./tflite/tflite-file.js').TfliteFile} TfliteFile */

/** ONNX's data type of the picture. */
const FLOAT = 1;

/**
 * Reads a YOLOv5 that TensorFlow has written, in real numbers of 32 or 16 bits or in integers.
 * Throws a WispError that says what is wrong with the file, or which operator wisp can't run.
 *
 * @param {Uint8Array} bytes the whole file
 * @param {import('./importers.js').ImportOptions} [options]
 * @returns {import('../graph/float-graph.js').FloatGraph}
 */
export function importTflite(bytes, { anchors } = {}) {
  const file = readTflite(bytes);
  const picture = pictureOf(file);
  const out = new NodeWriter(file, picture);
  for (const operator of file.operators) translate(out, operator);
  const [batch, height, width, colours] = out.known(picture).dims;
  const names = namesBehind(bytes);
  const model = {
    producer: file.description,
    opset: 0,
    metadata: new Map(names ? [['names', names]] : []),
    nodes: out.nodes,
    constants: out.constants,
    inputs: [{ name: `#${picture}`, type: FLOAT, dims: [batch, colours, height, width] }],
    outputs: file.outputs.map((tensor) => `#${tensor}`),
  };
  const isInteger = file.tensors.some((tensor) => tensor.bytes !== null && isQuantised(tensor));
  const rounding = isInteger ? 'byte' : file.tensors.some(isHalf) ? 'half' : 'float';
  return importNodes(model, {
    format: 'TFLite',
    bytes: bytes.length,
    anchors,
    isInteger,
    rounding,
  });
}

/**
 * The tensor of the picture, whose bytes must stand for 0…1.
 * @param {TfliteFile} file
 */
function pictureOf({ inputs, tensors }) {
  const [picture] = inputs;
  const tensor = tensors[picture];
  if (inputs.length !== 1 || !tensor)
    return unsupported(`A YOLOv5 reads one picture; this model has ${inputs.length} inputs.`);
  const { name, dims, scales } = tensor;
  if (dims.length !== 4 || dims[3] !== 3)
    unsupported(`Input "${name}" is ${dims.join('×')}; a YOLOv5 in TFLite reads 1×height×width×3.`);
  if (scales.length > 0 && Math.abs(scales[0] * 255 - 1) > 0.01)
    unsupported(
      `Input "${name}" has bytes of ${scales[0]} each; wisp feeds colours in 0…1, of 1/255 each.`,
    );
  return picture;
}
