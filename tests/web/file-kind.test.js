// Files are known by their bytes: those that the press reads, those that people mistake for them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileKind } from '../../web/src/bytes/file-kind.js';
import { mayBeWisp } from '../../web/src/bytes/magic.js';
import { writeOnnx } from '../../web/src/export/onnx-graph.js';
import { randomGraph } from '../../web/src/graph/random-graph.js';
import { beginsAsOnnx } from '../../web/src/import/onnx-beginning.js';
import { Detector } from '../../web/src/index.js';
import { Press } from '../../web/src/press.js';
import { dataPath, without } from '../support/test-data.js';
import { tinyYolo } from '../support/tiny-yolo.js';

/** @param {string} text letters U+0000 … U+00FF */
const bytesOf = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** An entry of a zip archive, as far as it is looked at. @param {string} name */
const entry = (name) =>
  `PK\x03\x04${'\0'.repeat(22)}${String.fromCharCode(name.length)}\0\0\0${name}`;

/** From the formats' specifications, and from files that their own tools wrote. @type {[string, string][]} */
const KINDS = [
  ['WISP\x01\0', 'a .wisp file'],
  ['\x08\x07\x12\x07pytorch\x1a\x051.5.0:\xe3\x9f\xf4\x01', 'an ONNX file'],
  ['\x08\x07\x12\x17ncnn->onnx (lab script)B\x04\n\0\x10\x0c:\xe4\xcf', 'an ONNX file'],
  ['version https://git-lfs.github.com/spec/v1\noid sha256:', 'a Git LFS pointer'],
  [
    '<?xml version="1.0"?>\n<net name="torch_jit" version="11">\n\t<layers>',
    'the XML of an OpenVINO network',
  ],
  ['<!doctype html><title>404</title>', 'a web page'],
  ['ï»¿\n<HTML lang="en">', 'a web page'],
  ['<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD', 'a web page'],
  ['<?xml version="1.0"?><Error><Code>AccessDenied</Code>', 'an XML file'],
  ['<?xml version="1.0"?>\n<!-- made by hand -->\n<svg xmlns="http', 'an SVG drawing'],
  ['\x1c\0\0\0TFL3\0\0\x12\0', 'a TFLite file'],
  [`${entry('archive/data.pkl')}\x80\x02`, 'a PyTorch checkpoint'],
  [
    `${entry('best/data.pkl')}\x80\x02${entry('best/code/__torch__/models.py')}`,
    'a TorchScript file',
  ],
  [entry('photos/one.jpg'), 'a zip archive'],
  ['\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.', 'a PyTorch checkpoint'],
  ['\x80\x04\x95\x10\0\0\0', "a pickle of Python's"],
  ['\x40\x1a\0\0\0\0\0\0{"model.0.conv.weight":{"dtype":"F32"', 'a safetensors file'],
  ['7767517\n168 192\nInput in0', 'the description of an ncnn network'],
  ['G\x6b\x30\x01\0\x3c', 'the weights of an ncnn network'],
  ['\x89HDF\r\n\x1a\n\0', 'an HDF5 file, as Keras writes'],
  ['\xff\xd8\xff\xe0', 'a JPEG picture'],
  ['\x89PNG\r\n\x1a\n', 'a PNG picture'],
  ['RIFF\x10\0\0\0WEBPVP8 ', 'a WebP picture'],
  ['\0\0\0\x1cftypavif', 'an AVIF picture'],
  ['\0\0\0\x18ftypheic', 'an HEIC picture'],
  ['\0\0\0\x20ftypisom', 'a video'],
  ['\x1f\x8b\x08\0', 'a gzip file'],
  ['%PDF-1.7', 'a PDF'],
  ['\0asm\x01\0\0\0', 'a WebAssembly module'],
  ['{"nodes": []}', 'a JSON file'],
  ['first line\nsecond line\n', 'a text file'],
  ['', 'an empty file'],
  ['\x01\x02\x03\x04\x05', 'a file that begins with 01 02 03 04'],
];

test('each kind by how it begins', () => {
  for (const [begins, what] of KINDS) assert.equal(fileKind(bytesOf(begins)).what, what, begins);
});

test('ONNX files of every writer, and nothing else', { skip: without('models') }, () => {
  const kinds = {
    'yolov5n_640.onnx': 'an ONNX file',
    'yolov5n_fp16.onnx': 'an ONNX file',
    'channel_pruned_128.onnx': 'an ONNX file',
    'yolov5n-int8.tflite': 'a TFLite file',
    'yolov5n.pt': 'a PyTorch checkpoint',
  };
  for (const [name, what] of Object.entries(kinds))
    assert.equal(fileKind(readFileSync(dataPath(`models/${name}`))).what, what, name);
});

test('an ONNX file as soon as its first fields are there, however it is written', () => {
  for (const onnx of [tinyYolo(), writeOnnx(randomGraph('yolov5n', { size: 64 }))])
    for (const size of [2, 8, 20, 64, 4096])
      assert.ok(beginsAsOnnx(onnx.subarray(0, size)), `${size}`);
  // TensorFlow's SavedModel is a message of the same first field; a frozen graph and Core ML are messages too
  for (const other of [
    '\x08\x01\x12\xdb\xe5\xa1\x02\n\xc2',
    '\n\x1c\n\x06images\x12\x0bPlaceholder',
  ])
    assert.ok(!beginsAsOnnx(bytesOf(other)));
});

test('a sentence says what it is and what to do, in both directions', async () => {
  const tflite = bytesOf('\x1c\0\0\0TFL3\0\0\x12\0');
  await assert.rejects(Detector.open(tflite), {
    code: 'WISP_ERR_FORMAT',
    message: /no \.wisp file but a TFLite file\. "wisp press", or press\(\) in JavaScript/,
  });
  await assert.rejects(Detector.open(tinyYolo()), {
    message: /no \.wisp file but an ONNX file\. "wisp press", or press\(\) in JavaScript/,
  });
  const safetensors = bytesOf('\x40\x1a\0\0\0\0\0\0{"model.0.conv.weight":{"dtype":"F32"');
  await assert.rejects(Press.open(new File([safetensors], 'best.safetensors')), {
    code: 'WISP_ERR_FORMAT',
    message:
      /^best\.safetensors: This is a safetensors file; the press reads an ONNX file, .*, or a TFLite file\./,
  });
  await assert.rejects(Press.open(bytesOf('WISP\x01\0')), {
    message: /This is a \.wisp file; .*It is pressed already: detect with it\.$/,
  });
  assert.ok(mayBeWisp(bytesOf('WI')));
});
