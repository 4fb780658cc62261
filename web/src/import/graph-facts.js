// For people: what heads a file was understood to have, whatever its format.

import { boxHeads } from '../graph/head-forms.js';

/**
 * @typedef {import('../graph/float-graph.js').GraphHead} GraphHead
 * @typedef {import('./onnx-proto.js').OnnxModel} OnnxModel
 */

/** @param {GraphHead[]} heads */
export function headFact(heads) {
  const scales = boxHeads(heads);
  const [{ kind, anchors, masks }] = scales;
  const strides = scales.map(({ stride }) => stride).join(', ');
  const each = kind === 'yolov8' ? 'no anchors' : `${anchors.length} anchors each`;
  const places = scales.length === 1 ? '1 scale, stride' : `${scales.length} scales, strides`;
  return `${places} ${strides}, ${each}${masks ? `, masks of ${masks} prototypes` : ''}`;
}

/** What picks boxes of those that a network gives. */
const PICKS = /NonMaxSuppression|NMS/;

/**
 * Of a file that holds nodes and says little about them.
 * @param {OnnxModel} model
 * @param {{heads: GraphHead[], isOpen: boolean, isDecoded: boolean}} read
 * @returns {[string, string][]}
 */
export function nodeFacts({ nodes }, { heads, isOpen, isDecoded }) {
  const picks = nodes.find(({ op }) => PICKS.test(op))?.op;
  const left = [isDecoded && 'the decoding of boxes', picks && `what picks some (${picks})`];
  const named = left.filter(Boolean).join(' and ');
  const texts = {
    family: heads[0].kind === 'yolov8' ? 'YOLOv5u or YOLOv8' : 'YOLOv5 or YOLOv5-Lite',
    head: headFact(heads),
    size: `${isOpen ? 'left open in the file' : 'as exported'}; --size takes another`,
    'left out': named && `${named}: wisp does it itself`,
  };
  return Object.entries(texts).filter(([, text]) => text !== '');
}
