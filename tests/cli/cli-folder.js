// A folder for tests of the command: a small network, pictures, damaged pictures, labels, a pressed model.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodePng, makePicture } from '../support/fixtures.js';
import { tinyPt } from '../support/tiny-pt.js';
import { tinyYolo } from '../support/tiny-yolo.js';
import { runWisp } from './command.js';

export const PICTURES = 6;
const NAMES = "{0: 'fox', 1: 'owl'}";

/** best.onnx, checkpoint.pt, made.wisp, photos/0.png …, mixed/, empty/, labels.json */
export class CliFolder {
  path = mkdtempSync(path.join(tmpdir(), 'wisp-cli-'));

  static async open() {
    const folder = new CliFolder();
    folder.#fill();
    const pressed = await folder.wisp([
      'press',
      'best.onnx',
      '--calib',
      'photos',
      '-o',
      'made.wisp',
    ]);
    assert.equal(pressed.code, 0, pressed.stderr);
    return folder;
  }

  #fill() {
    for (const name of ['photos', 'empty', 'mixed']) mkdirSync(this.at(name));
    this.write('best.onnx', tinyYolo({ names: NAMES }));
    this.write(
      'checkpoint.pt',
      tinyPt({}, (model) => ({ model, opt: { imgsz: 64 } })),
    );
    this.write('trained.onnx', tinyYolo({ rounding: { scale: 0.0625, zeroPoint: 5 } }));
    for (let i = 0; i < PICTURES; i++) {
      this.write(`photos/${i}.png`, encodePng(makePicture({ seed: i })));
    }
    this.write('mixed/good.png', encodePng(makePicture()));
    this.write('mixed/cut.png', encodePng(makePicture()).subarray(0, 99));
    this.write('mixed/page.jpg', '<!doctype html>');
    this.write('mixed/notes.txt', 'no picture and not called one');
    this.write('labels.json', JSON.stringify(labels()));
  }

  /** @param {string} name */
  at(name) {
    return path.join(this.path, name);
  }

  /** @param {string} name @param {Uint8Array | string} content */
  write(name, content) {
    writeFileSync(this.at(name), content);
  }

  /** @param {string[]} words @param {Parameters<typeof runWisp>[1]} [options] */
  wisp(words, options) {
    return runWisp(words, { cwd: this.path, ...options });
  }

  close() {
    rmSync(this.path, { recursive: true });
  }
}

/** Labels in the COCO format, one box a picture, categories in another order than the classes. */
export function labels() {
  const images = Array.from({ length: PICTURES }, (_, i) => ({
    id: 10 + i,
    file_name: `${i}.png`,
  }));
  const annotations = images.map(({ id }, i) => {
    const category = { category_id: i % 2 ? 7 : 3 };
    return { id: id + 1, image_id: id, ...category, bbox: [8, 8, 40, 40], area: 1600, iscrowd: 0 };
  });
  const categories = [
    { id: 3, name: 'owl' },
    { id: 7, name: 'fox' },
  ];
  return { images, annotations, categories };
}
