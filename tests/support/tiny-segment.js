// A YOLOv5 of a few channels that segments, as a float graph and pressed.

import { RandomNumbers } from '../../web/src/graph/random-numbers.js';
import { drawScene } from '../../web/src/picture/scene.js';
import { press } from '../../web/src/press.js';

const SIZE = 64;
export const MASKS = 4;
export const CLASSES = ['a', 'b'];
/** @type {[number, number][]} */
export const ANCHORS = [
  [20, 24],
  [40, 30],
];

/** A stem, two scales with two anchors each, prototypes of stride 4 as Proto makes them. */
export function tinyGraph() {
  const numbers = new RandomNumbers(11);
  /** @type {import('../../web/src/graph/float-graph.js').GraphNode[]} */
  const nodes = [];
  const add = (/** @type {any} */ node) => nodes.push({ name: `n${nodes.length}`, ...node });
  const conv = (
    /** @type {number} */ input,
    /** @type {[number, number]} */ channels,
    side = 1,
    stride = 1,
    bias = () => 0.3 * numbers.normal(),
  ) => {
    const spread = 1.8 / Math.sqrt(channels[0] * side * side);
    const count = channels[0] * channels[1] * side * side;
    const edge = side >> 1;
    return add({
      op: 'conv',
      weight: Float32Array.from({ length: count }, () => spread * numbers.normal()),
      bias: Float32Array.from({ length: channels[1] }, () => bias()),
      channels,
      kernel: [side, side],
      stride: [stride, stride],
      pad: [edge, edge, edge, edge],
      groups: 1,
      inputs: [input],
      output: nodes.length + 1,
    });
  };
  const silu = (/** @type {number} */ input) =>
    add({ op: 'silu', inputs: [input], output: nodes.length + 1 });
  const fine = silu(conv(silu(conv(0, [3, 8], 3, 4)), [8, 12], 3, 2));
  const once = silu(conv(fine, [12, 8], 3));
  const large = add({ op: 'upsample', factor: [2, 2], inputs: [once], output: nodes.length + 1 });
  const prototypes = silu(conv(silu(conv(large, [8, 8], 3)), [8, MASKS]));
  const fields = 5 + CLASSES.length + MASKS;
  const coarse = silu(conv(fine, [12, 12], 3, 2));
  const heads = [fine, coarse].map((input, i) => ({
    tensor: conv(input, [12, ANCHORS.length * fields], 1, 1, () => 0.5 * numbers.normal()),
    stride: 8 << i,
    anchors: ANCHORS,
    masks: MASKS,
  }));
  return {
    input: { height: SIZE, width: SIZE },
    nodes,
    heads: [
      ...heads,
      {
        kind: /** @type {const} */ ('prototypes'),
        tensor: prototypes,
        stride: 4,
        anchors: [],
        masks: MASKS,
      },
    ],
    classes: CLASSES,
    source: { format: 'a test', producer: 'wisp' },
  };
}

/** A .wisp file of it. */
export async function tinySegmenter() {
  const { bytes } = await press(tinyGraph(), { pictures: [drawScene()], threads: 1 });
  return bytes;
}
