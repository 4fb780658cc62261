// What the importer of checkpoints refuses, each with its own sentence.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zipSync } from 'fflate';
import { importPt } from '../../web/src/import/pt.js';
import { beginsAsPt } from '../../web/src/import/pt-beginning.js';
import { Name, pickle, Thing, Tuple } from '../support/pickle-writer.js';
import { CheckpointWriter } from '../support/pt-writer.js';
import { TinyPt, tinyPt } from '../support/tiny-pt.js';
import { tinyYolo } from '../support/tiny-yolo.js';

const FORMAT = 'WISP_ERR_FORMAT';
const TRUNCATED = 'WISP_ERR_TRUNCATED';
const UNSUPPORTED = 'WISP_ERR_UNSUPPORTED';

/** @param {Uint8Array} bytes @param {string} code @param {RegExp} message */
function refuses(bytes, code, message) {
  assert.throws(() => importPt(bytes), { name: 'WispError', code, message });
}

/** A checkpoint of anything. @param {any} value */
const saved = (value) => new CheckpointWriter().save(value);

test('checkpoints are known by their bytes', () => {
  const text = (/** @type {string} */ letters) => Uint8Array.from(letters, (c) => c.charCodeAt(0));
  for (const options of [
    {},
    { legacy: true },
    { level: /** @type {const} */ (9) },
    { folder: 'archive' },
  ]) {
    const bytes = tinyPt(options);
    assert.ok(beginsAsPt(bytes) && beginsAsPt(bytes.subarray(0, 100)));
  }
  const packed = zipSync(
    { 'a/long/first': new Uint8Array(1000), 'a/data.pkl': pickle(1) },
    { level: 0 },
  );
  assert.ok(beginsAsPt(packed));
  const script = { more: { 'best/code/__torch__.py': Uint8Array.of(1) } };
  assert.ok(!beginsAsPt(tinyPt(script)));
  for (const bytes of [
    text(''),
    text('PK\x03\x04'),
    pickle({ a: 1 }),
    zipSync({ 'a.jpg': new Uint8Array(9) }),
    tinyYolo(),
  ])
    assert.ok(!beginsAsPt(bytes));
});

test('files of other kinds say what they are', () => {
  const text = (/** @type {string} */ letters) => Uint8Array.from(letters, (c) => c.charCodeAt(0));
  const other = zipSync({ 'best/data.json': Uint8Array.of(1) }, { level: 0 });
  refuses(other, UNSUPPORTED, /no data\.pkl, but "best\/data\.json"/);
  const script = { more: { 'best/code/__torch__.py': Uint8Array.of(1) } };
  refuses(tinyPt(script), UNSUPPORTED, /a TorchScript archive.*best\.pt/s);
  const big = { more: { 'best/byteorder': text('big') } };
  refuses(tinyPt(big), UNSUPPORTED, /big-endian/);
  assert.ok(importPt(tinyPt({ more: { 'best/byteorder': text('little') } })));
});

test('checkpoints without a network say what they hold', () => {
  const tiny = new TinyPt();
  const state = { 'model.0.conv.weight': tiny.writer.parameter({ values: [1] }) };
  const keep = (/** @type {any} */ value) => tiny.writer.save(value);
  for (const value of [state, { state_dict: state }, { epoch: 3, model: state }])
    refuses(
      keep(value),
      UNSUPPORTED,
      /weights alone \(a state dict: "model\.0\.conv\.weight".*torch\.save/s,
    );
  refuses(saved({ epoch: 1, loss: 2 }), UNSUPPORTED, /no network: it has "epoch", "loss"/);
  refuses(saved({}), UNSUPPORTED, /no network: it has nothing/);
  refuses(saved([1]), UNSUPPORTED, /holds a list and no network/);
  refuses(saved('text'), UNSUPPORTED, /holds "text" and no network/);
  refuses(
    keep(tiny.writer.tensor({ values: [1, 2] })),
    UNSUPPORTED,
    /holds a tensor of 2 and no network/,
  );
  const other = tiny.module('torchvision.models.resnet.ResNet', {
    parts: { conv1: tiny.conv2d(3, 8) },
  });
  refuses(
    keep({ model: other }),
    UNSUPPORTED,
    /a torchvision\.models\.resnet\.ResNet, which isn't made as/,
  );
  refuses(keep({ model: new Thing(new Name('x', 'Y'), 7) }), FORMAT, /a x\.Y, which is no module/);
});

test('networks of other kinds are named', () => {
  const ends = (/** @type {string} */ type, parts = {}) =>
    tinyPt({
      head: (/** @type {TinyPt} */ tiny) =>
        tiny.module(type, { parts: parts && { cv2: tiny.relu() } }),
    });
  refuses(
    tinyPt({
      head: (/** @type {TinyPt} */ tiny) =>
        tiny.module('ultralytics.nn.modules.head.v10Detect', {
          parts: { cv2: tiny.relu(), one2one_cv2: tiny.relu() },
        }),
    }),
    UNSUPPORTED,
    /an end-to-end head .*tiny\.yaml/,
  );
  refuses(
    ends('models.yolo.Segment'),
    UNSUPPORTED,
    /a segmentation network: it ends in models\.yolo\.Segment/,
  );
  refuses(ends('models.common.Classify'), UNSUPPORTED, /a classifier/);
  refuses(ends('models.yolo.IDetect'), UNSUPPORTED, /a YOLOv7 in training/);
  refuses(ends('ultralytics.nn.modules.head.RTDETRDecoder'), UNSUPPORTED, /an RT-DETR/);
  refuses(ends('mine.Decoder'), UNSUPPORTED, /no YOLOv5: it ends in mine\.Decoder/);
});

/** @param {(tiny: TinyPt) => any} middle */
const withMiddle = (middle) => tinyPt({ middle });

test('layers that wisp does not know are named, with where they are', () => {
  const one = (/** @type {string} */ type, parts = {}) =>
    withMiddle((tiny) => tiny.module(type, { parts }));
  refuses(
    one('models.common.C3TR'),
    UNSUPPORTED,
    /"model\.4" \(models\.common\.C3TR\) is made of attention/,
  );
  refuses(one('models.common.SELayer'), UNSUPPORTED, /looks at the whole picture/);
  refuses(
    one('torch.nn.modules.activation.Mish'),
    UNSUPPORTED,
    /Mish\) is an activation, which wisp/,
  );
  refuses(
    one('mine.Block'),
    UNSUPPORTED,
    /"model\.4" \(mine\.Block\) is a layer, which wisp does not know/,
  );
  refuses(
    one('models.common.Conv'),
    UNSUPPORTED,
    /"model\.4" \(models\.common\.Conv\) has no part "conv"/,
  );
  const more = withMiddle((tiny) => {
    const block = tiny.c3(8, 8);
    block.state._modules.set('attention', tiny.relu());
    return block;
  });
  refuses(more, UNSUPPORTED, /\(models\.common\.C3\) has "attention", which wisp does not know/);
});

/** A network whose middle is one layer with other settings. @type {[RegExp, (tiny: TinyPt) => any, string?][]} */
const SETTINGS = [
  [/is dilated/, (tiny) => tiny.conv2d(8, 8, { k: 3, dilation: new Tuple(2, 2) })],
  [
    /pads with something other than zeros/,
    (tiny) => tiny.conv2d(8, 8, { padding_mode: 'reflect' }),
  ],
  [/is padded to "same"/, (tiny) => tiny.conv2d(8, 8, { p: 'same' })],
  [/has stride 0,0/, (tiny) => tiny.conv2d(8, 8, { s: 0 })],
  [/has a "stride" that is not one number or two/, (tiny) => tiny.conv2d(8, 8, { stride: 'two' })],
  [/rounds its size up/, (tiny) => tiny.pool(3, { ceil_mode: true })],
  [/interpolates \("bilinear"\)/, (tiny) => tiny.upsample({ mode: 'bilinear' })],
  [/resizes by 1\.5×1\.5/, (tiny) => tiny.upsample({ scale_factor: 1.5 })],
  [/does not read the picture/, (tiny) => tiny.module('models.common.Focus')],
  [/weights 8×4×1×1 in 1 groups for 8 channels/, (tiny) => tiny.conv2d(4, 8), FORMAT],
  [/"model\.4" leaves no pixel/, (tiny) => tiny.conv2d(8, 8, { k: 50, p: 0 }), FORMAT],
  [/"model\.4\.running_mean" has 4 numbers where 8 are due/, (tiny) => tiny.batchNorm(4), FORMAT],
  [
    /adds feature maps of different sizes/,
    (tiny) => {
      const parts = { cv1: tiny.conv(8, 8), cv2: tiny.conv(8, 8, { s: 2 }) };
      return tiny.module('models.common.Bottleneck', { parts, settings: { add: true } });
    },
  ],
];

for (const [message, middle, code = UNSUPPORTED] of SETTINGS) {
  test(`refused: ${message.source}`, () => refuses(withMiddle(middle), code, message));
}

test('heads that are not what they say are refused', () => {
  const head = (
    /** @type {any} */ settings,
    /** @type {(head: any) => void} */ change = () => {},
  ) =>
    tinyPt({
      head: (/** @type {TinyPt} */ tiny) => {
        const detect = tiny.detect(8, 2, settings);
        change(detect.state);
        return detect;
      },
    });
  refuses(head({ nc: 3 }), UNSUPPORTED, /gives 21 numbers a cell instead of 3 × \(5 \+ 3\)/);
  refuses(head({ nc: 'many' }), UNSUPPORTED, /a "nc" that is no number/);
  refuses(
    head({}, ({ _buffers }) => _buffers.clear()),
    UNSUPPORTED,
    /has no anchors/,
  );
  const untrained = (/** @type {TinyPt} */ tiny) => {
    const detect = tiny.detect(8, 2);
    const values = Array.from({ length: 18 }, (_, i) => i % 6); // as YOLOv5 leaves them until it has seen boxes
    detect.state._buffers.set('anchors', tiny.writer.tensor({ values, size: [3, 3, 2] }));
    return detect;
  };
  refuses(
    tinyPt({ head: untrained }),
    UNSUPPORTED,
    /has an anchor of 0×8 pixels, which is no size; training chooses the anchors/,
  );
  const strides = (/** @type {number[]} */ values) => (/** @type {TinyPt} */ tiny) => {
    const detect = tiny.detect(8, 2);
    detect.state.stride = tiny.writer.tensor({ values, type: 'FloatStorage' });
    return detect;
  };
  refuses(
    tinyPt({ head: strides([8, 16, 64]) }),
    UNSUPPORTED,
    /scale 2 has stride 64, where 640×640 pixels became 20×20/,
  );
});

test('numbers that are none, missing or of another type are refused', () => {
  const weight = (/** @type {any} */ numbers, /** @type {any} */ change = () => {}) =>
    withMiddle((tiny) => {
      const conv = tiny.conv2d(8, 8);
      conv.state._parameters.set(
        'weight',
        tiny.writer.parameter({ size: [8, 8, 1, 1], ...numbers }),
      );
      change(tiny);
      return conv;
    });
  const values = Array.from({ length: 64 }, (_, i) => i);
  assert.ok(importPt(weight({ values })));
  refuses(
    weight({ values: values.with(3, Infinity), type: 'FloatStorage' }),
    FORMAT,
    /"model\.4\.weight" has Infinity as number 3/,
  );
  refuses(
    weight({ values: values.slice(1) }),
    FORMAT,
    /"model\.4\.weight" ends at number 64 of a storage that has 63/,
  );
  refuses(weight({ values, size: [8, 8, 1, 2 ** 30] }), FORMAT, /more than the file has bytes for/);
  refuses(
    weight({ values, stride: [0, 0, 0, 0], size: [2 ** 20, 8, 1, 1] }),
    FORMAT,
    /more than the file has bytes/,
  );
});

test('files that were cut short say so', () => {
  for (const options of [{}, { legacy: true }]) {
    const bytes = tinyPt(options);
    for (let i = 1; i < 40; i++) {
      const short = bytes.subarray(0, Math.floor((bytes.length * i) / 40));
      refuses(short, TRUNCATED, /ends early|cut short/);
    }
  }
});
