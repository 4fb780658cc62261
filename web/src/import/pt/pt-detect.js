// YOLOv5's last module, Detect or Segment: a convolution for each scale, its anchors and its stride; masks' prototypes.

import { malformed, unsupported } from '../../graph/graph-error.js';
import { BINS, joinHead, requireAnchor } from '../../graph/head-forms.js';

/**
 * @typedef {import('../../graph/float-graph.js').GraphHead} GraphHead
 * @typedef {import('./pt-module.js').PtModule} PtModule
 * @typedef {import('./pt-network.js').Feature} Feature
 * @typedef {import('./pt-network.js').PtNetwork} PtNetwork
 */

/** Numbers of a box before its classes: x, y, width, height, objectness. */
const BOX = 5;

/** Between a stride or anchor as it was saved and as it follows from the network, where float16 has rounded it. */
const TOLERANCE = 2e-3;

/** What else the last layer of a network may be. @type {[RegExp, string][]} */
const OTHERS = [
  [/^Segment/, 'a segmentation network'],
  [/^Classify/, 'a classifier'],
  [/^Pose/, 'a network for poses'],
  [/^OBB/, 'a network for turned boxes'],
  [/^RTDETR/, 'an RT-DETR'],
  [/^I(Aux)?Detect|^IBin/, 'a YOLOv7 in training'],
  [/^(Dual|Triple)?D?Detect$/, 'a YOLOv9'],
];

/**
 * @param {PtModule} detect
 * @param {string} described by which file, '' if unknown
 */
export function requireDetect(detect, described) {
  const { kind, type } = detect;
  const isEndToEnd = detect.maybe('one2one_cv2') !== null;
  const isSegment = kind === 'Segment' && detect.maybe('proto') && !detect.maybe('cv2'); // YOLOv5's own
  if ((kind === 'Detect' || isSegment) && !isEndToEnd) return;
  const other = OTHERS.find(([pattern]) => pattern.test(kind))?.[1];
  const what = isEndToEnd
    ? 'a network with an end-to-end head (YOLOv10, YOLO26)'
    : (other ?? 'no YOLOv5');
  unsupported(
    `The checkpoint is ${what}: it ends in ${type}${described && `, as ${described} says`}. wisp takes YOLOv5 as its ` +
      "own train.py makes it, also to segment, and YOLOv5u and YOLOv8 as Ultralytics' does, that detect boxes.",
  );
}

/**
 * @param {PtNetwork} network
 * @param {PtModule} detect
 * @param {Feature[]} inputs one a scale
 * @param {{height: number, width: number}} picture
 * @returns {{heads: GraphHead[], classes: number}}
 */
export function readDetect(network, detect, inputs, picture) {
  if (detect.maybe('cv2')) return readAnchorFree(network, detect, inputs, picture);
  const convolutions = detect.part('m').parts();
  if (convolutions.length !== inputs.length)
    malformed(
      `"${detect.path}" has ${convolutions.length} convolutions for ${inputs.length} scales.`,
    );
  const strides = stridesOf(network, detect, inputs, picture);
  const anchors = anchorsOf(network, detect, strides);
  const classes = detect.number('nc', -1);
  const prototypes = readPrototypes(network, detect, inputs[0], picture);
  const masks = prototypes?.masks ?? 0;
  const heads = inputs.map((input, i) => {
    const { id: tensor, channels } = network.run(convolutions[i], input);
    const boxes = anchors[i].length;
    if (classes < 1 || channels !== boxes * (BOX + classes + masks))
      detect.refuse(
        `gives ${channels} numbers a cell instead of ${boxes} × (5 + ${classes + masks})`,
      );
    const head = { tensor, stride: strides[i], anchors: anchors[i] };
    return prototypes ? { ...head, masks } : head;
  });
  detect.requireWhole();
  return { heads: prototypes ? [...heads, prototypes] : heads, classes };
}

/**
 * Of a network that segments: what masks are made of, from the finest scale.
 * @param {PtNetwork} network
 * @param {PtModule} detect
 * @param {Feature} finest
 * @param {{height: number, width: number}} picture
 * @returns {GraphHead | null}
 */
function readPrototypes(network, detect, finest, picture) {
  const proto = detect.maybe('proto');
  if (!proto) return null;
  const { id: tensor, channels: masks, height } = network.run(proto, finest);
  return { kind: 'prototypes', tensor, stride: picture.height / height, anchors: [], masks };
}

/**
 * Ultralytics' Detect: two branches a scale, for boxes and for classes.
 * @param {PtNetwork} network
 * @param {PtModule} detect
 * @param {Feature[]} inputs one a scale
 * @param {{height: number, width: number}} picture
 * @returns {{heads: GraphHead[], classes: number}}
 */
function readAnchorFree(network, detect, inputs, picture) {
  const branches = ['cv2', 'cv3'].map((name) => detect.part(name).parts());
  const classes = detect.number('nc', -1);
  const bins = detect.number('reg_max', BINS);
  const counting = network.floats(detect.part('dfl').part('conv'), 'weight', bins);
  if (bins !== BINS || counting.some((number, bin) => number !== bin))
    detect.refuse(`has ${bins} bins for a side of a box that are not 0 to ${BINS - 1}`);
  if (branches.some((parts) => parts.length !== inputs.length))
    malformed(`"${detect.path}" has other branches than its ${inputs.length} scales.`);
  const strides = stridesOf(network, detect, inputs, picture);
  const heads = inputs.map((input, i) => {
    const [box, score] = branches.map((parts) => network.run(parts[i], input));
    if (box.channels !== 4 * BINS || score.channels !== classes)
      detect.refuse(`gives ${box.channels} and ${score.channels} numbers a cell`);
    return joinHead(network.graph, `${detect.path}.${i}`, box.id, score.id, strides[i]);
  });
  for (const name of ['anchors', 'strides']) detect.tensor(name);
  detect.requireWhole();
  return { heads, classes };
}

/**
 * As they follow from the network, and as it says.
 * @param {PtNetwork} network
 * @param {PtModule} detect
 * @param {Feature[]} inputs
 * @param {{height: number, width: number}} picture
 */
function stridesOf(network, detect, inputs, picture) {
  const saved = network.maybeFloats(detect, 'stride');
  return inputs.map((input, i) => {
    const stride = picture.height / input.height;
    if (picture.width / input.width !== stride || (saved && !close(saved[i], stride)))
      detect.refuse(
        `says that scale ${i} has stride ${saved?.[i]}, where ${picture.width}×${picture.height} pixels became ` +
          `${input.width}×${input.height} cells`,
      );
    return stride;
  });
}

/**
 * In pixels: v5.0 and older keep them so, all keep them in cells.
 * @param {PtNetwork} network
 * @param {PtModule} detect
 * @param {number[]} strides
 * @returns {[number, number][][]}
 */
function anchorsOf(network, detect, strides) {
  const inCells = network.maybeFloats(detect, 'anchors');
  const inPixels = network.maybeFloats(detect, 'anchor_grid');
  const numbers = inPixels ?? inCells ?? detect.refuse('has no anchors');
  const each = numbers.length / strides.length / 2;
  if (!Number.isInteger(each) || each < 1)
    detect.refuse(`has ${numbers.length} numbers as anchors of ${strides.length} scales`);
  return strides.map((stride, scale) =>
    Array.from({ length: each }, (_, i) => {
      const at = (scale * each + i) * 2;
      const unit = inPixels ? 1 : stride;
      return requireAnchor([numbers[at] * unit, numbers[at + 1] * unit], `"${detect.path}"`);
    }),
  );
}

/** @param {number} a @param {number} b */
const close = (a, b) => Math.abs(a - b) <= TOLERANCE * b;
