// The networks to measure, by name: yolov5s@75 is one with random weights of which 75 % of the blocks are zero.

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
import { hashOf, makersOf } from './made-files.js';

/**
 * @typedef {{width: number, height: number}} Size
 * @typedef {import('../../web/src/graph/float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('../../web/src/picture/scene.js').Frame} Frame
 * @typedef {import('../plan.js').NetworkName} NetworkName
 */

export const networkFolder = path.join(benchFolder, 'networks');

const SELF = 'bench/networks/networks.js';

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
    this.#version ??= makersOf(SELF).then((makers) => hashOf(this.#frame.data, ...makers.values()));
    const version = await this.#version;
    const own = base.endsWith('.onnx') ? `-${hashOf(await readFile(base))}` : '';
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
