// A YOLOv8 of a few channels as an ONNX file, spelled as Ultralytics' export does.

import { OnnxWriter } from '../../web/src/export/onnx-writer.js';
import { RandomNumbers } from '../../web/src/graph/random-numbers.js';

const SIZE = 64;
export const STRIDES = [8, 16];
export const CLASSES = 3;

/** A stem, a C2f's halves with an addition, two scales; the decoding as Ultralytics' export.py spells it. */
export function tinyAnchorFree({ task = 'detect', firstBin = 0 } = {}) {
  const numbers = new RandomNumbers(5);
  const writer = new OnnxWriter();
  writer.input('images', [1, 3, SIZE, SIZE]);
  const conv = (/** @type {string} */ x, from = 0, to = 0, side = 1, stride = 1, bias = 0) => {
    const spread = 1.8 / Math.sqrt(from * side * side);
    const weight = Array.from({ length: to * from * side * side }, () => spread * numbers.normal());
    const biases = Array.from({ length: to }, () => bias + 0.3 * numbers.normal());
    const parts = [writer.reals(weight, [to, from, side, side]), writer.reals(biases)];
    const edge = side >> 1;
    return writer.node('Conv', [x, ...parts], {
      kernel_shape: [side, side],
      strides: [stride, stride],
      pads: [edge, edge, edge, edge],
    });
  };
  const silu = (/** @type {string} */ x) => writer.node('Mul', [x, writer.node('Sigmoid', [x])]);
  const stem = silu(conv(silu(conv('images', 3, 8, 3, 4)), 8, 16, 3, 2));
  const halves = ['half0', 'half1'];
  writer.node('Split', [stem, writer.integers([8, 8])], { axis: 1 }, halves);
  const added = writer.node('Add', ['half1', silu(conv('half1', 8, 8, 3))]);
  const fine = silu(conv(writer.node('Concat', [...halves, added], { axis: 1 }), 24, 16));
  const coarse = silu(conv(fine, 16, 16, 3, 2));
  const flat = (/** @type {string} */ x, /** @type {number} */ channels) =>
    writer.node('Reshape', [x, writer.integers([1, channels, -1])]);
  const branch = (/** @type {number} */ channels, /** @type {number} */ bias) =>
    [fine, coarse].map((x) =>
      flat(conv(silu(conv(x, 16, 16, 3)), 16, channels, 1, 1, bias), channels),
    );
  const sides = writer.node('Concat', branch(64, 0), { axis: 2 });
  const logits = writer.node('Concat', branch(CLASSES, -3), { axis: 2 });
  const bins = writer.node('Reshape', [sides, writer.integers([1, 4, 16, -1])]);
  const chances = writer.node(
    'Softmax',
    [writer.node('Transpose', [bins], { perm: [0, 2, 1, 3] })],
    {
      axis: 1,
    },
  );
  const counting = Array.from({ length: 16 }, (_, bin) => bin || firstBin);
  const mean = writer.node('Conv', [chances, writer.reals(counting, [1, 16, 1, 1])]);
  const distances = writer.node('Reshape', [mean, writer.integers([1, 4, -1])]);
  const cells = STRIDES.flatMap((stride) =>
    Array.from({ length: (SIZE / stride) ** 2 }, (_, i) => ({
      x: (i % (SIZE / stride)) + 0.5,
      y: Math.floor(i / (SIZE / stride)) + 0.5,
      stride,
    })),
  );
  const places = writer.reals(
    [...cells.map(({ x }) => x), ...cells.map(({ y }) => y)],
    [1, 2, cells.length],
  );
  const cut = (/** @type {number} */ from) =>
    writer.node('Slice', [distances, ...[from, from + 2, 1].map((n) => writer.integers([n]))]);
  const low = writer.node('Sub', [places, cut(0)]);
  const high = writer.node('Add', [places, cut(2)]);
  const centre = writer.node('Div', [writer.node('Add', [low, high]), writer.reals([2], [])]);
  const boxes = writer.node('Concat', [centre, writer.node('Sub', [high, low])], { axis: 1 });
  const steps = writer.reals(
    cells.map(({ stride }) => stride),
    [1, cells.length],
  );
  const scaled = writer.node('Mul', [boxes, steps]);
  writer.output('output0', [1, 4 + CLASSES, cells.length]);
  writer.node('Concat', [scaled, writer.node('Sigmoid', [logits])], { axis: 1 }, ['output0']);
  return writer.finish({ names: "{0: 'a', 1: 'b', 2: 'c'}", task });
}
