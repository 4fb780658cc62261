// A network that was trained with wisp's integers: pressed without pictures, with its own ranges.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Detector } from '../../web/src/index.js';
import { Press } from '../../web/src/press.js';
import { makePicture } from '../support/fixtures.js';
import { tinyYolo } from '../support/tiny-yolo.js';

const rounding = { scale: 0.0625, zeroPoint: 5 };
const trained = tinyYolo({ rounding });

/** Scale and zero point of each tensor of a .wisp file, as models/FORMAT.md lays them. @param {Uint8Array} bytes */
function tensorsOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + 24);
  const count = view.getUint16(8, true);
  return Array.from({ length: count }, (_, i) => ({
    scale: view.getFloat32(16 + 8 * i + 4, true),
    zeroPoint: view.getUint8(16 + 8 * i + 2),
  }));
}

/** @param {Uint8Array} onnx @param {(opened: Press) => Promise<any>} work */
async function pressing(onnx, work) {
  const opened = await Press.open(onnx, { threads: 1 });
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

test('its ranges are those of the file, and no picture is needed', async () => {
  const bytes = await pressing(trained, async (opened) => {
    assert.equal(opened.info.trained, true);
    const { layers } = await opened.quantise();
    assert.ok(layers.every(({ bits, blocks }) => bits === 7 && blocks > 0));
    return opened.pack();
  });
  const [picture, ...others] = tensorsOf(bytes);
  assert.deepEqual(picture, { scale: Math.fround(1 / 255), zeroPoint: 0 });
  const heads = others.filter(({ scale }) => scale === 1);
  assert.equal(heads.length, 3);
  for (const tensor of others) if (tensor.scale !== 1) assert.deepEqual(tensor, rounding);
});

test('it finds what the float network finds', async () => {
  const picture = makePicture({ seed: 4 });
  const options = { confidence: 0.3, iou: 0.45 };
  const { bytes, float } = await pressing(trained, async (opened) => {
    await opened.quantise();
    return { bytes: await opened.pack(), float: await opened.detect(picture, options) };
  });
  const detector = await Detector.open(bytes, { threads: 1 });
  const { boxes } = await detector.detect(picture, options);
  await detector.close();
  assert.ok(float.boxes.length > 3 && Math.abs(boxes.length - float.boxes.length) <= 2);
});

test('with pictures it is quantised anew', async () => {
  const bytes = await pressing(trained, async (opened) => {
    await opened.observe(makePicture({ seed: 1 }));
    await opened.quantise();
    return opened.pack();
  });
  assert.ok(tensorsOf(bytes).some(({ scale }) => scale !== 1 && scale !== rounding.scale));
});

test('a network without ranges needs pictures', async () => {
  const quantised = pressing(tinyYolo(), async (opened) => {
    assert.equal(opened.info.trained, false);
    await opened.quantise();
  });
  await assert.rejects(quantised, /No calibration picture was observed/);
});

test('what is no pair is refused with a sentence', async () => {
  const odd = tinyYolo({ rounding: { ...rounding, undo: 0.5 } });
  await assert.rejects(Press.open(odd), /does not undo a QuantizeLinear/);
  const negative = tinyYolo({ rounding: { ...rounding, scale: -1 } });
  await assert.rejects(Press.open(negative), /scale -1, which is not above 0/);
});
