// Heads with random weights: objects are rare, and what a box's best class is, is almost certain.

import { BINS, joinHead } from './head-forms.js';

/**
 * @typedef {import('./random-layers.js').RandomLayers} RandomLayers
 * @typedef {import('./random-layers.js').Feature} Feature
 * @typedef {import('./float-graph.js').GraphHead} GraphHead
 */

export const CLASSES = 80;
export const STRIDES = [8, 16, 32];
/** @type {[number, number][][]} YOLOv5's own for COCO, by stride: [width, height] in pixels of the input */
const ANCHORS = [
  [
    [10, 13],
    [16, 30],
    [33, 23],
  ],
  [
    [30, 61],
    [62, 45],
    [59, 119],
  ],
  [
    [116, 90],
    [156, 198],
    [373, 326],
  ],
];

/** Of the logits. */
const OBJECT_MEAN = -6;
const CLASS_MEAN = 3;

/**
 * @param {RandomLayers} layers
 * @param {Feature[]} scales finest first
 * @param {{classes?: number, masks?: number}} [how] masks: coefficients of an anchor
 * @returns {GraphHead[]}
 */
export function headsWithAnchors(layers, scales, { classes = CLASSES, masks = 0 } = {}) {
  const fields = 5 + classes + masks; // x y width height objectness classes, coefficients
  return scales.map(({ tensor, channels }, i) => {
    const conv = layers.draw([channels, ANCHORS[i].length * fields], {});
    conv.bias.forEach((_, output) => {
      const field = output % fields;
      if (field === 4) conv.bias[output] += OBJECT_MEAN;
      else if (field > 4 && field < 5 + classes) conv.bias[output] += CLASS_MEAN;
    });
    const head = layers.graph.add(`model.24.m.${i}`, [tensor], conv);
    const of = { tensor: head, stride: STRIDES[i], anchors: ANCHORS[i] };
    return masks > 0 ? { ...of, masks } : of;
  });
}

const MASKS = 32;

/**
 * YOLOv5's Segment: the same with coefficients, and prototypes of half the finest stride.
 * @param {RandomLayers} layers
 * @param {Feature[]} scales finest first
 * @returns {GraphHead[]}
 */
export function headsWithMasks(layers, scales) {
  const [finest] = scales;
  const name = 'model.24.proto';
  const first = layers.conv(`${name}.cv1`, finest, finest.channels, { side: 3 });
  const large = layers.enlarge(`${name}.upsample`, first);
  const second = layers.conv(`${name}.cv2`, large, finest.channels, { side: 3 });
  const { tensor } = layers.conv(`${name}.cv3`, second, MASKS);
  const prototypes = { tensor, stride: STRIDES[0] / 2, anchors: [], masks: MASKS };
  return [
    ...headsWithAnchors(layers, scales, { masks: MASKS }),
    { kind: 'prototypes', ...prototypes },
  ];
}

/**
 * YOLOv8's: for boxes and for classes a branch of two convolutions each.
 * @param {RandomLayers} layers
 * @param {Feature[]} scales finest first
 * @returns {GraphHead[]}
 */
export function headsWithoutAnchors(layers, scales) {
  const [{ channels: finest }] = scales;
  const widths = [Math.max(16, finest >> 2, 4 * BINS), Math.max(finest, CLASSES)];
  return scales.map((scale, i) => {
    const [boxes, classes] = widths.map((width, branch) => {
      const name = `detect.cv${2 + branch}.${i}`;
      const first = layers.conv(`${name}.0`, scale, width, { side: 3 });
      const second = layers.conv(`${name}.1`, first, width, { side: 3 });
      const conv = layers.draw([width, branch === 0 ? 4 * BINS : CLASSES], {});
      const mean = branch === 0 ? 0 : OBJECT_MEAN;
      conv.bias = conv.bias.map((bias) => bias + mean);
      return layers.graph.add(`${name}.2`, [second.tensor], conv);
    });
    return joinHead(layers.graph, `detect.${i}`, boxes, classes, STRIDES[i]);
  });
}
