// ONNX bytes → float graph.

import { unsupported } from '../graph/graph-error.js';
import { dequantised, isQuantised } from './onnx-dequantise.js';
import { importNodes } from './onnx-network.js';
import { filesBeside, readModel } from './onnx-proto.js';

export { filesBeside };

/** @typedef {import('./onnx-proto.js').OnnxModel} OnnxModel */

/**
 * Reads a YOLOv5 (v5.0, v6, v7; any width and depth; FP32 or FP16) from an ONNX file.
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
  return importNodes(isInteger ? dequantised(read) : read, {
    format: `ONNX, opset ${read.opset}`,
    bytes: others.reduce((sum, file) => sum + file.length, bytes.length),
    anchors,
    isInteger,
  });
}

/**
 * What Ultralytics' exports say of themselves that wisp can't be.
 * @param {OnnxModel} model
 */
function refuseOthers({ metadata }) {
  const task = metadata.get('task') ?? 'detect';
  const isEndToEnd = metadata.get('end2end') === 'True';
  if (task === 'detect' && !isEndToEnd) return;
  const what = isEndToEnd
    ? 'a network with an end-to-end head (YOLOv10, YOLO26)'
    : `a network for another task, "${task.slice(0, 40)}"`;
  unsupported(
    `This is ${what}; wisp takes networks that detect: YOLOv5, and of Ultralytics' YOLOv5u and YOLOv8.`,
  );
}
