// What an ONNX file is that wisp doesn't take: by what it says of itself, and by the shapes of its outputs.

import { WispError } from '../error.js';
import { unsupported } from '../graph/graph-error.js';

/**
 * @typedef {import('./onnx-proto.js').OnnxModel} OnnxModel
 */

const TAKEN =
  'wisp takes networks that detect: YOLOv5, YOLOv5-Lite, and of Ultralytics YOLOv5u and YOLOv8';
const END_TO_END = 'a network with an end-to-end head (YOLOv10, YOLO26)';

/** By what Ultralytics' exports call their task, other than "detect". @type {Record<string, string>} */
const TASKS = {
  classify: 'a classifier',
  segment: 'a segmentation network',
  pose: 'a network for poses',
  obb: 'a network for turned boxes',
};

/** By what they call their last module. @type {[RegExp, string][]} */
const HEADS = [
  [/^RTDETR/, 'an RT-DETR'],
  [/^v10/, END_TO_END],
  [/^World|^YOLOE/, 'a network whose classes are given in words'],
];

/** Families of Ultralytics, but those that wisp takes. */
const FAMILIES = /^(yolo(?!v5|v8)|rtdetr|sam|fastsam)/i;

/**
 * What Ultralytics' exports say of themselves that wisp can't be.
 * @param {OnnxModel} model
 */
export function refuseOthers({ metadata }) {
  const task = metadata.get('task') ?? 'detect';
  const head = metadata.get('head') ?? '';
  const isTask = Object.hasOwn(TASKS, task);
  const what =
    (task !== 'detect' && (isTask ? TASKS[task] : `a network for "${task.slice(0, 40)}"`)) ||
    (metadata.get('end2end') === 'True' && END_TO_END) ||
    HEADS.find(([pattern]) => pattern.test(head))?.[1];
  if (what) unsupported(`This is ${what}${saysOf(metadata)}; ${TAKEN}.`);
}

/** @param {Map<string, string>} metadata */
function saysOf(metadata) {
  const name = familyOf(metadata);
  return name && `, ${name}`;
}

/** What an export calls its network, '' if nothing. @param {Map<string, string>} metadata */
function familyOf(metadata) {
  return /^Ultralytics (\S{1,40}) model/.exec(metadata.get('description') ?? '')?.[1] ?? '';
}

/**
 * Why the network could not be read, with what it is in front, if something tells.
 * @param {unknown} thrown
 * @param {OnnxModel} model
 */
export function withKind(thrown, { metadata, outputs, shapes }) {
  if (!(thrown instanceof WispError) || thrown.code !== 'WISP_ERR_UNSUPPORTED') return thrown;
  const what = kindOf(familyOf(metadata), shapes?.get(outputs[0]) ?? null);
  if (!what) return thrown;
  const sentence = `This is ${what}; ${TAKEN}. ${thrown.message}`;
  return new WispError(thrown.code, sentence, { cause: thrown });
}

/** @param {string} family @param {(number | null)[] | null} dims of the first output; null: open */
function kindOf(family, dims) {
  if (FAMILIES.test(family)) return `a ${family}`;
  if (dims?.length === 2) return `a classifier, whose output is ${sizeOf(dims)}`;
  const [, rows, columns] = dims ?? [];
  const isGrid = !rows || GRIDS.some((boxes) => rows % boxes === 0);
  return dims?.length === 3 && columns === 6 && !isGrid
    ? `${END_TO_END}, or one with NMS in a way of its own: its output is ${sizeOf(dims)}`
    : null;
}

/** Boxes of a YOLOv5, P5 and P6, on its smallest input. */
const GRIDS = [63, 255];

/** @param {(number | null)[]} dims */
const sizeOf = (dims) => dims.map((size) => size ?? '?').join('×');
