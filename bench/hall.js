// Where the lanes of one bench run: places opened when first needed, files made and served, engines opened in them.

import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { Networks } from './networks/networks.js';
import { fetchPeers, importPackage, peerFolder } from './peers/peers.js';
import { readScales } from './peers/tflite/scales.js';
import { openPlace } from './places/place.js';
import { engines } from './plan.js';
import { reportLayers } from './report/layers.js';
import { reasonOf } from './rounds.js';

/**
 * @typedef {import('./measure.js').BenchOptions} BenchOptions
 * @typedef {import('./plan.js').Lane} Lane
 * @typedef {import('./places/place.js').Place} Place
 */

export class Hall {
  #server;
  #options;
  #networks;
  #frame;
  /** @type {Map<string, Place>} */
  #places = new Map();
  /** @type {Map<Lane, object>} */
  infos = new Map();
  /** @type {Map<Lane, string>} */
  missing = new Map();

  /** @param {import('./serving.js').BenchServer} server @param {BenchOptions} options */
  constructor(server, options) {
    this.#server = server;
    this.#options = options;
    this.#networks = new Networks(options.size, options.frame, options.say);
    const { buffer, byteOffset, byteLength } = options.frame.data;
    this.#frame = server.offer('frame.rgba', new Uint8Array(buffer, byteOffset, byteLength));
  }

  get places() {
    return [...this.#places.values()];
  }

  /** @param {Lane[]} lanes @returns {Promise<Lane[]>} those that opened */
  async openAll(lanes) {
    for (const lane of lanes) {
      try {
        const spec = await this.#specOf(lane);
        await this.#enter(lane.place);
        this.#options.say(`opening ${lane.id}`);
        this.infos.set(lane, await this.call(lane, 'open', lane.id, spec));
      } catch (thrown) {
        this.missing.set(lane, reasonOf(thrown));
      }
    }
    return lanes.filter((lane) => !this.missing.has(lane));
  }

  /** The report of a lane of wisp, whose lane is open as "layers". @param {Lane} lane */
  async layersOf(lane) {
    const isRelaxed = engines[lane.engine].build === 'wisp-relaxed';
    const peaks = [await this.call(lane, 'peak', isRelaxed)];
    const turns = await this.measurements(lane);
    peaks.push(await this.call(lane, 'peak', isRelaxed));
    const peak = peaks.reduce((best, other) => (other.gmacs > best.gmacs ? other : best));
    const info = /** @type {any} */ (this.infos.get(lane));
    return reportLayers(lane, peak, info, turns);
  }

  /** What a lane that is measured by itself tells, round after round. @param {Lane} lane @returns {Promise<any[]>} */
  async measurements(lane) {
    const { warmup, iterations } = this.#options.course;
    const all = [];
    for (let round = 0; round < warmup + iterations; round++) {
      this.#options.onRound(round, warmup + iterations);
      all.push(await this.call(lane, 'measure', lane.id));
    }
    return all.slice(warmup);
  }

  /** @param {Lane} lane @param {string} verb @param {any[]} values */
  call({ place }, verb, ...values) {
    return /** @type {Place} */ (this.#places.get(place)).call(verb, ...values);
  }

  /** @param {import('./plan.js').PlaceName} name */
  async #enter(name) {
    if (this.#places.has(name)) return;
    const { v8Flags, say } = this.#options;
    const place = await openPlace(name, { url: this.#server.url, v8Flags, say });
    this.#places.set(name, place);
    const { width, height } = this.#options.frame;
    await place.call('setFrame', this.#frame, width, height);
  }

  /** @param {Lane} lane @returns {Promise<import('./lanes/lanes.js').LaneSpec>} */
  async #specOf(lane) {
    const { kind, build, kernels, peer, module, nodeModule = module, wasm } = engines[lane.engine];
    if (peer) await fetchPeers([peer], this.#options.say);
    const file = await this.#fileOf(lane);
    const model = this.#server.offer(`${lane.id}`, file);
    const common = { kind, model, threads: lane.threads, input: this.#options.size };
    if (kind === 'wisp') {
      const variant = /** @type {any} */ (lane.threads > 1 ? `${build}-mt` : build);
      const { view = kind, rect } = this.#options;
      return { ...common, kind: view, variant, kernels, rect };
    }
    const isNode = lane.place === 'node';
    const home = isNode
      ? pathToFileURL(`${peerFolder}/${peer}/`).href
      : `${this.#server.url}peers/${peer}/`;
    return {
      ...common,
      module: home + (isNode ? nodeModule : module),
      ...(kind === 'litert' && {
        normalised: file === this.#options.files[engines[lane.engine].file ?? ''],
        scales: await this.#scalesOf(file),
      }),
      ...(wasm && { files: home + wasm }),
    };
  }

  /** @param {Lane} lane @returns {Promise<string>} */
  async #fileOf({ engine, network }) {
    const { file } = engines[engine];
    if (file === undefined) return this.#networks.wisp(network);
    const own = this.#options.files[file];
    if (own) return own;
    return this.#networks.peerFile(network, file, this.#options.batch);
  }

  /** @param {string} file .tflite */
  async #scalesOf(file) {
    const flatbuffers = await importPackage('flatbuffers', this.#options.say);
    try {
      return readScales(await readFile(file), flatbuffers);
    } catch (cause) {
      throw new Error(`${file} could not be read: ${reasonOf(cause)}`, { cause });
    }
  }

  async close() {
    for (const place of this.places) await place.close();
  }
}
