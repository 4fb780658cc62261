// Tiny YOLOv5 networks as onnxruntime's tools and SparseML leave them: weights in integers, in four spellings.

import { FLOAT, INT8, INT32, UINT8 } from './onnx-builder.js';
import { tinyYoloBuilder } from './tiny-yolo.js';

/**
 * @typedef {import('./onnx-builder.js').OnnxBuilder} OnnxBuilder
 * @typedef {import('./onnx-builder.js').Node} Node
 * @typedef {import('./onnx-builder.js').Constant} Constant
 */

const ACTIVATION = { scale: 0.05, zeroPoint: 100 };

/**
 * A convolution's weights as integers with a scale a channel, its bias as sums.
 * @param {OnnxBuilder} b
 * @param {Node} node
 */
function integersOf(b, node) {
  const [weight, bias] = node.inputs
    .slice(1)
    .map((name) => /** @type {Constant} */ (b.initializers.get(name)));
  const each = weight.values.length / weight.dims[0];
  const scales = Array.from(
    { length: weight.dims[0] },
    (_, o) =>
      weight.values
        .slice(o * each, (o + 1) * each)
        .reduce((most, w) => Math.max(most, Math.abs(w)), 0) / 127,
  );
  const integers = weight.values.map((w, i) => Math.round(w / scales[Math.floor(i / each)]));
  const sums = bias.values.map((v, o) => Math.round(v / (scales[o] * ACTIVATION.scale)));
  return { weight, bias, scales, integers, sums };
}

/** @type {Record<string, (b: OnnxBuilder, node: Node) => Node[]>} */
export const QUANTISERS = {
  QDQ(b, node) {
    const { weight, scales, integers } = integersOf(b, node);
    const [scale, zero] = [b.reals([ACTIVATION.scale], []), b.byte(ACTIVATION.zeroPoint)];
    const start = b.nodes.length;
    const x = b.node('DequantizeLinear', [
      b.node('QuantizeLinear', [node.inputs[0], scale, zero]),
      scale,
      zero,
    ]);
    const bytes = b.constant({ dims: weight.dims, type: INT8, values: integers });
    const zeros = b.constant({ dims: [scales.length], type: INT8, values: scales.map(() => 0) });
    const w = b.node('DequantizeLinear', [bytes, b.reals(scales), zeros], { axis: 0 });
    return [...b.nodes.splice(start), { ...node, inputs: [x, w, node.inputs[2]] }];
  },
  QOperator(b, node) {
    const { weight, bias, scales, integers, sums } = integersOf(b, node);
    const [scale, zero] = [b.reals([ACTIVATION.scale], []), b.byte(ACTIVATION.zeroPoint)];
    const start = b.nodes.length;
    const x = b.node('QuantizeLinear', [node.inputs[0], scale, zero]);
    const bytes = b.constant({
      dims: weight.dims,
      type: UINT8,
      values: integers.map((q) => q + 128),
    });
    const zeros = b.constant({ dims: [scales.length], type: UINT8, values: scales.map(() => 128) });
    const bias32 = b.constant({ dims: bias.dims, type: INT32, values: sums });
    const inputs = [x, scale, zero, bytes, b.reals(scales), zeros, scale, zero, bias32];
    const y = b.node('QLinearConv', inputs, node.attributes);
    const end = {
      op: 'DequantizeLinear',
      inputs: [y, scale, zero],
      outputs: node.outputs,
      attributes: {},
    };
    return [...b.nodes.splice(start), end];
  },
  /** SparseML's export for DeepSparse. */
  sums(b, node) {
    const { weight, bias, scales, integers, sums } = integersOf(b, node);
    const [scale, zero] = [b.reals([ACTIVATION.scale], []), b.byte(ACTIVATION.zeroPoint)];
    const start = b.nodes.length;
    const x = b.node('QuantizeLinear', [node.inputs[0], scale, zero]);
    const bytes = b.constant({ dims: weight.dims, type: INT8, values: integers });
    const shape = [1, bias.values.length, 1, 1];
    const y = b.node('ConvInteger', [x, bytes, zero], node.attributes);
    const added = b.node('Add', [y, b.constant({ dims: shape, type: INT32, values: sums })]);
    const unit = b.reals(
      scales.map((step) => step * ACTIVATION.scale),
      shape,
    );
    const cast = b.node('Cast', [added], { to: FLOAT });
    const end = { op: 'Mul', inputs: [cast, unit], outputs: node.outputs, attributes: {} };
    return [...b.nodes.splice(start), end];
  },
  dynamic(b, node) {
    const { weight, bias } = integersOf(b, node);
    const most = weight.values.reduce((max, w) => Math.max(max, Math.abs(w)), 0);
    const integers = weight.values.map((w) => Math.round((w * 127) / most));
    const start = b.nodes.length;
    const x = b.node('DynamicQuantizeLinear', [node.inputs[0]], {}, 3);
    const bytes = b.constant({
      dims: weight.dims,
      type: UINT8,
      values: integers.map((q) => q + 128),
    });
    const sums = b.node('ConvInteger', [x, bytes, `${x}_2`, b.byte(128)], node.attributes);
    const scale = b.node('Mul', [`${x}_1`, b.reals([most / 127], [])]);
    const scaled = b.node('Mul', [b.node('Cast', [sums], { to: FLOAT }), scale]);
    const shaped = b.node('Reshape', [node.inputs[2], b.integers([1, bias.values.length, 1, 1])]);
    const end = { op: 'Add', inputs: [scaled, shaped], outputs: node.outputs, attributes: {} };
    return [...b.nodes.splice(start), end];
  },
};

/** @param {string} how of QUANTISERS @param {import('./tiny-yolo.js').Options} options */
export function quantisedYolo(how, options) {
  const b = tinyYoloBuilder(options);
  b.nodes = [...b.nodes].flatMap((node) =>
    node.op === 'Conv' ? QUANTISERS[how](b, node) : [node],
  );
  return b;
}
