// ONNX files of networks that wisp doesn't take are refused by what they are: their metadata, their outputs' shapes.

import assert from 'node:assert/strict';
import test from 'node:test';
import { OnnxWriter } from '../../web/src/export/onnx-writer.js';
import { importOnnx } from '../../web/src/import/onnx.js';

/**
 * A convolution and what `end` adds to it.
 * @param {Record<string, string>} metadata as Ultralytics' exporter writes it
 * @param {(writer: OnnxWriter, x: string) => void} [end]
 */
function written(metadata, end = boxes) {
  const writer = new OnnxWriter();
  writer.input('images', [1, 3, 64, 64]);
  const weights = writer.reals(new Float32Array(8 * 27).fill(0.1), [8, 3, 3, 3]);
  const how = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
  end(writer, writer.node('Conv', ['images', weights], how));
  return writer.finish(metadata);
}

/** An operation that no network has which wisp takes. @param {OnnxWriter} writer @param {string} x */
function boxes(writer, x) {
  writer.output('output0', [1, 84, 84]);
  writer.node('Erf', [x], {}, ['output0']);
}

/** @param {number[]} dims @returns {(writer: OnnxWriter, x: string) => void} */
const shaped = (dims) => (writer, x) => {
  writer.output('output0', dims);
  writer.node('Erf', [x], {}, ['output0']);
};

/** @param {Uint8Array} bytes @param {RegExp} sentence */
function refuses(bytes, sentence) {
  assert.throws(() => importOnnx(bytes), { code: 'WISP_ERR_UNSUPPORTED', message: sentence });
}

test('another task, or another head, is named', () => {
  const named = (/** @type {string} */ name) => `Ultralytics ${name} model trained on coco8.yaml`;
  const of = (/** @type {Record<string, string>} */ more) => written({ task: 'detect', ...more });
  refuses(
    of({ task: 'classify', description: named('YOLOv8n-cls') }),
    /^This is a classifier, YOLOv8n-cls; wisp takes networks that detect: YOLOv5, /,
  );
  refuses(of({ task: 'pose' }), /^This is a network for poses; /);
  refuses(of({ task: 'obb' }), /^This is a network for turned boxes; /);
  refuses(of({ task: 'depth' }), /^This is a network for "depth"; /);
  refuses(
    of({ end2end: 'True' }),
    /^This is a network with an end-to-end head \(YOLOv10, YOLO26\); /,
  );
  refuses(
    of({ head: 'v10Detect', end2end: 'False' }),
    /^This is a network with an end-to-end head/,
  );
  refuses(
    of({ head: 'RTDETRDecoder', description: named('rtdetr-l') }),
    /^This is an RT-DETR, rtdetr-l; /,
  );
});

test('a family whose layers are unknown is named before the node that is', () => {
  const of = (/** @type {string} */ name) =>
    written({ task: 'detect', head: 'Detect', description: `Ultralytics ${name} model ` });
  refuses(of('YOLO11n'), /^This is a YOLO11n; wisp takes .* Node "output0" \(Erf\) /);
  refuses(of('YOLOv9t'), /^This is a YOLOv9t; /);
  for (const name of ['YOLOv5nu', 'YOLOv8n', 'mine']) refuses(of(name), /^Node "output0" \(Erf\) /);
});

test('without metadata the shape of the output tells', () => {
  refuses(written({}, shaped([1, 10])), /^This is a classifier, whose output is 1×10; /);
  refuses(
    written({}, shaped([1, 300, 6])),
    /^This is a network with an end-to-end head .*its output is 1×300×6; /,
  );
  refuses(written({}, shaped([1, 252, 6])), /^Node "output0" \(Erf\)/); // a YOLOv5 of one class
});
