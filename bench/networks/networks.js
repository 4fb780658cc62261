// The networks to measure, by name: yolov5s@75 is one with random weights of which 75 % of the blocks are zero.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeOnnx } from '../../web/src/export/onnx-graph.js';
import { importOnnx } from '../../web/src/import/onnx.js';
import { press } from '../../web/src/press.js';
import { pressRandom } from '../../web/src/pressing/random-press.js';
import { Quantised } from '../peers/onnx-quantised.js';
import { benchFolder, importPackage } from '../peers/peers.js';
import { writeTflite } from '../peers/tflite/file.js';
import { root } from '../root.js';

/**
 * @typedef {{width: number, height: number}} Size
 * @typedef {import('../../web/src/graph/float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('../../web/src/picture/scene.js').Frame} Frame
 * @typedef {import('../plan.js').NetworkName} NetworkName
 */

export const networkFolder = path.join(benchFolder, 'networks');

/** What decides the bytes of a made file besides its name and the picture. */
const MAKERS = [
  'dist/press.wasm',
  'web/src/pressing/random-press.js',
  'web/src/graph/random-graph.js',
  'web/src/graph/block-mask.js',
  'web/src/graph/objectness.js',
  'web/src/export/onnx-graph.js',
  'web/src/export/onnx-decoding.js',
  'bench/peers/onnx-quantised.js',
  'bench/peers/peer-scales.js',
  'bench/peers/tflite/file.js',
  'bench/peers/tflite/decoding.js',
  'bench/peers/tflite/writer.js',
];

/**
 * @typedef {'onnx' | 'onnxInt8' | 'tfliteInt8' | 'tfliteFp16'} PeerFile
 *
 * @typedef {object} Making
 * @property {number} batch images a run; of .onnx files
 * @property {(line: string) => void} say
 *
 * @typedef {object} PeerFormat
 * @property {string} ending
 * @property {(graph: FloatGraph, making: Making) => Uint8Array | Promise<Uint8Array>} write
 */

/** @type {Record<PeerFile, PeerFormat>} */
export const PEER_FILES = {
  onnx: {
    ending: 'onnx',
    write: (graph, { batch }) => writeOnnx(graph, { batch }),
  },
  onnxInt8: {
    ending: 'int8.onnx',
    write: (graph, { batch }) => writeOnnx(graph, { batch, rounding: new Quantised() }),
  },
  tfliteFp16: {
    ending: 'fp16.tflite',
    write: async (graph, { say }) => writeTflite(graph, await importPackage('flatbuffers', say)),
  },
  tfliteInt8: {
    ending: 'int8.tflite',
    write: async (graph, { say }) =>
      writeTflite(graph, await importPackage('flatbuffers', say), { quantised: true }),
  },
};

export class Networks {
  #input;
  #frame;
  #say;
  /** @type {Promise<string> | undefined} */
  #version;

  /** @param {Size} input @param {Frame} frame to calibrate with @param {(line: string) => void} say */
  constructor(input, frame, say) {
    this.#input = input;
    this.#frame = frame;
    this.#say = say;
  }

  /** @param {NetworkName} name @returns {Promise<string>} path of a .wisp file */
  async wisp(name) {
    if (name.base.endsWith('.wisp')) return name.base;
    return this.#made(name, 'wisp', async () => (await this.#press(name)).bytes);
  }

  /**
   * For peers, which gain nothing from zeros: always the dense network.
   * @param {NetworkName} name
   * @param {PeerFile} kind
   * @param {number} batch images a run; of .onnx files
   * @returns {Promise<string>} path of an .onnx or .tflite file
   */
  async peerFile({ base }, kind, batch) {
    if (base.endsWith('.wisp')) throw new Error(`peers can't read ${base}; give an .onnx file`);
    if (base.endsWith('.onnx') && kind === 'onnx') return base;
    const dense = { base, sparsity: 0 };
    const { ending, write } = PEER_FILES[kind];
    const make = async () => write((await this.#press(dense)).graph, { batch, say: this.#say });
    return this.#made(dense, `b${batch}.${ending}`, make);
  }

  /** @param {NetworkName} name @returns {Promise<{bytes: Uint8Array, graph: FloatGraph}>} */
  async #press({ base, sparsity }) {
    const size = this.#input;
    const picture = this.#frame;
    if (!base.endsWith('.onnx')) return pressRandom(base, { sparsity, size, picture });
    const graph = importOnnx(await readFile(base));
    if (sparsity > 0) return pressRandom(graph, { sparsity, size, picture });
    return { ...(await press(graph, { size, pictures: [picture] })), graph };
  }

  /**
   * From the folder of made files, or made now.
   * @param {NetworkName} name
   * @param {string} ending
   * @param {() => Promise<Uint8Array>} make
   */
  async #made({ base, sparsity }, ending, make) {
    const { width, height } = this.#input;
    this.#version ??= hashOf(
      MAKERS.map((file) => path.join(root, file)),
      this.#frame.data,
    );
    const version = await this.#version;
    const own = base.endsWith('.onnx') ? `-${await hashOf([base])}` : '';
    const title = `${path.basename(base, '.onnx')}${own}@${sparsity * 100}-${width}x${height}`;
    const file = path.join(networkFolder, `${title}-${version}.${ending}`);
    if (existsSync(file)) return file;
    this.#say(`making ${path.basename(file)}`);
    const bytes = await make();
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(`${file}.part`, bytes);
    await rename(`${file}.part`, file); // whole, or not there
    return file;
  }
}

/** @param {string[]} files @param {Uint8ClampedArray} [more] */
async function hashOf(files, more = new Uint8ClampedArray()) {
  const hash = createHash('sha256').update(more);
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 8);
}
