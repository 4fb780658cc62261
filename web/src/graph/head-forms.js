// What the channels of a head are, by its kind: core/src/head.h has the same for the runtime.

import { unsupported } from './graph-error.js';

/**
 * @typedef {import('./float-graph.js').GraphHead} GraphHead
 * @typedef {import('./float-graph.js').GraphNode} GraphNode
 * @typedef {import('./float-graph.js').Conv} Conv
 * @typedef {import('./float-graph.js').FloatGraphBuilder} FloatGraphBuilder
 *
 * @typedef {object} HeadForm of an anchor's channels
 * @property {number} objectness -1 if there is none
 * @property {number} classes the channel of class 0; the others follow
 * @property {number} masks how many coefficients of a mask stand behind them
 */

/** Logits for each side of a box without anchors: how likely it is how many cells away. */
export const BINS = 16;

/** @param {GraphHead} head @returns {HeadForm} */
export function formOf({ kind, masks = 0 }) {
  return kind === 'yolov8'
    ? { objectness: -1, classes: 4 * BINS, masks }
    : { objectness: 4, classes: 5, masks };
}

/** The heads that give boxes; prototypes of masks have a form of their own. @param {GraphHead[]} heads */
export const boxHeads = (heads) => heads.filter(({ kind }) => kind !== 'prototypes');

/**
 * An anchor that can be one; YOLOv5 leaves 0, 1, 2, … where its description names none and it has seen no boxes.
 * @param {[number, number]} anchor width and height in pixels
 * @param {string} whose for people
 */
export function requireAnchor(anchor, whose) {
  if (anchor.every((side) => side > 0 && side < Infinity)) return anchor;
  return unsupported(
    `${whose} has an anchor of ${anchor.join('×')} pixels, which is no size; training chooses the anchors, ` +
      'so train it first.',
  );
}

/**
 * The head of a scale without anchors. Its boxes and its classes come from convolutions that read different things;
 * here they become one that reads both side by side. What it doesn't connect are zeros, which cost a file next to
 * nothing and the runtime nothing.
 * @param {FloatGraphBuilder} graph
 * @param {string} name
 * @param {number} boxes tensor of 4 × 16 channels
 * @param {number} classes tensor
 * @param {number} stride
 * @returns {GraphHead}
 */
export function joinHead(graph, name, boxes, classes, stride) {
  const parts = [boxes, classes].map((tensor) => {
    const node = graph.node(tensor);
    const fits = node?.op === 'conv' && node.groups === 1 && node.kernel.join() === '1,1';
    if (!fits || node.stride.join() !== '1,1')
      unsupported(`Head "${name}" doesn't end in convolutions of 1×1.`);
    return /** @type {GraphNode & Conv} */ (node);
  });
  const inputs = parts.map(({ inputs: [input] }) => input);
  const joined = graph.add(`${name}.inputs`, inputs, { op: 'concat' });
  const tensor = graph.add(name, [joined], besideEachOther(parts));
  return { kind: 'yolov8', tensor, stride, anchors: [[stride, stride]] };
}

/** @param {Conv[]} parts of 1×1 @returns {Conv} */
function besideEachOther(parts) {
  const sum = (/** @type {number} */ side) =>
    parts.reduce((all, { channels }) => all + channels[side], 0);
  const [inputs, outputs] = [sum(0), sum(1)];
  const weight = new Float32Array(inputs * outputs);
  const bias = new Float32Array(outputs);
  let [column, row] = [0, 0];
  for (const part of parts) {
    const [width, height] = part.channels;
    for (let i = 0; i < height; i++)
      weight.set(part.weight.subarray(i * width, (i + 1) * width), (row + i) * inputs + column);
    if (part.bias) bias.set(part.bias, row);
    column += width;
    row += height;
  }
  const { kernel, stride, pad, groups } = parts[0];
  return { op: 'conv', weight, bias, channels: [inputs, outputs], kernel, stride, pad, groups };
}
