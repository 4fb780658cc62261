// ONNX bytes → float graph.

import { dequantised, isQuantised, remarksOnBoxes } from './onnx-dequantise.js';
import { importNodes } from './onnx-network.js';
import { refuseOthers, withKind } from './onnx-others.js';
import { filesBeside, readModel } from './onnx-proto.js';

export { filesBeside };

/**
 * Reads a YOLOv5 or one of its kin, of any width and depth, in floats or quantised, from an ONNX file.
 * Throws a WispError that says what is wrong with the file, or which node wisp can't run.
 *
 * @param {Uint8Array} bytes the whole file
 * @param {import('./importers.js').ImportOptions} [options]
 * @returns {import('../graph/float-graph.js').FloatGraph}
 */
export function importOnnx(bytes, { anchors, beside } = {}) {
  const read = readModel(bytes, beside);
  refuseOthers(read);
  const isInteger = isQuantised(read);
  const others = [...(beside?.values() ?? [])];
  try {
    return importNodes(isInteger ? dequantised(read) : read, {
      format: `ONNX, opset ${read.opset}`,
      bytes: others.reduce((sum, file) => sum + file.length, bytes.length),
      anchors,
      isInteger,
      remarks: isInteger ? remarksOnBoxes(read) : [],
      rounding: isInteger ? 'byte' : 'float',
    });
  } catch (thrown) {
    throw withKind(thrown, read);
  }
}
