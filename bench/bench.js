// The bench: opens the engines where they run, measures them in turn, reports.

import { VERSION } from '../web/src/version.js';
import { describeMachine } from './machine.js';
import { Networks } from './networks.js';
import { fetchPeers, peerFolder } from './peers.js';
import { openPlace } from './places/place.js';
import { engines, planLanes } from './plan.js';
import { reportLanes } from './report.js';
import { reasonOf, runRounds } from './rounds.js';
import { BenchServer } from './serving.js';

/**
 * @typedef {import('./plan.js').Lane} Lane
 * @typedef {import('./places/place.js').Place} Place
 *
 * @typedef {object} BenchOptions
 * @property {string[]} [presets]
 * @property {string[]} [engines]
 * @property {string[]} [models]
 * @property {number[]} threads
 * @property {import('./places/place.js').PlaceName[]} browsers
 * @property {{width: number, height: number}} size
 * @property {number} batch images a call
 * @property {number} streams calls under way at once
 * @property {import('./rounds.js').Course} course
 * @property {import('../web/src/scene.js').Frame} frame
 * @property {string} picture its name
 * @property {Record<string, string | undefined>} files of peers: onnx, onnxInt8, tfliteInt8, tfliteFp16
 * @property {string} command as typed
 * @property {(line: string) => void} say
 * @property {(round: number, total: number) => void} onRound
 */

/** @param {BenchOptions} options @returns {Promise<import('./report.js').Report>} */
export async function bench(options) {
  const lanes = planLanes(options);
  await fetchPeers(
    lanes.flatMap(({ engine }) => engines[engine].peer ?? []),
    options.say,
  );
  const server = new BenchServer(peerFolder);
  await server.listen();
  const hall = new Hall(server, options);
  try {
    const opened = await hall.openAll(lanes);
    const load = { batch: options.batch, streams: options.streams };
    const turn = (/** @type {Lane} */ lane) => hall.call(lane, 'turn', lane.id, load);
    const { results, failures } = await runRounds(opened, turn, options.course, options.onRound);
    for (const [lane, why] of failures) hall.missing.set(lane, why);
    return {
      ...{ wisp: VERSION, command: options.command, date: new Date().toISOString() },
      machine: describeMachine(),
      places: hall.places.map(({ name, version, flags }) => ({ name, version, flags })),
      settings: settingsOf(options),
      lanes: reportLanes(results, hall.infos),
      missing: [...hall.missing].map(([{ id, engine, model }, why]) => ({
        ...{ id, title: engines[engine].title, model, why },
      })),
    };
  } finally {
    await hall.close();
    server.close();
  }
}

/** @param {BenchOptions} options */
function settingsOf({ size, batch, streams, course, picture, frame }) {
  return {
    input: `${size.width}×${size.height}`,
    picture: `${picture} ${frame.width}×${frame.height}`,
    ...{ batch, streams, warmup: course.warmup },
    ...(course.seconds ? { seconds: course.seconds } : { iterations: course.iterations }),
  };
}

/** The places and what is open in them. */
class Hall {
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

  /** @param {BenchServer} server @param {BenchOptions} options */
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

  /** @param {Lane} lane @param {string} verb @param {any[]} values */
  call({ place }, verb, ...values) {
    return /** @type {Place} */ (this.#places.get(place)).call(verb, ...values);
  }

  /** @param {import('./places/place.js').PlaceName} name */
  async #enter(name) {
    if (this.#places.has(name)) return;
    const place = await openPlace(name, this.#server.url, this.#options.say);
    this.#places.set(name, place);
    const { width, height } = this.#options.frame;
    await place.call('setFrame', this.#frame, width, height);
  }

  /** @param {Lane} lane @returns {Promise<import('./lanes/lanes.js').LaneSpec>} */
  async #specOf(lane) {
    const { kind, build, peer, module, wasm } = engines[lane.engine];
    const file = await this.#fileOf(lane);
    const model = this.#server.offer(`${lane.id}`, file);
    const common = { kind, model, threads: lane.threads, input: this.#options.size };
    if (kind === 'wisp') {
      const variant = /** @type {any} */ (lane.threads > 1 ? `${build}-mt` : build);
      return { ...common, variant };
    }
    const home =
      lane.place === 'node' ? `file://${peerFolder}/${peer}/` : `${this.#server.url}peers/${peer}/`;
    return { ...common, module: home + module, ...(wasm && { files: home + wasm }) };
  }

  /** @param {Lane} lane @returns {Promise<string>} */
  async #fileOf({ engine, network }) {
    const { file } = engines[engine];
    if (file === undefined) return this.#networks.wisp(network);
    const own = this.#options.files[file];
    if (own) return own;
    const { batch } = this.#options;
    if (file === 'onnx') return this.#networks.onnx(network, { batch });
    if (file === 'onnxInt8') return this.#networks.onnx(network, { batch, quantised: true });
    throw new Error(`there is no ${file} file of ${network.base} here; name one in the options`);
  }

  async close() {
    for (const place of this.places) await place.close();
  }
}
