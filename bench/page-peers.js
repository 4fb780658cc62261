// What the demo's bench page may measure besides wisp: packages and networks that the bench has left in its folder.

import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { networkFolder, PEER_FILES } from './networks/networks.js';
import { importPackage, isFetched, peerFolder, resolveImports } from './peers/peers.js';
import { readScales } from './peers/tflite/scales.js';
import { engines } from './plan.js';
import { BenchServer } from './serving.js';

/** @typedef {import('../web/demo/bench-peers.js').Peer} Peer */

const LIST = '/peers/list.json';
const MADE = '/peers/networks/';
const LANES = '/bench/lanes/';

export class PeerShelf {
  #server = new BenchServer(peerFolder, resolveImports, [[MADE, networkFolder]]);

  /** @param {string} pathname @param {import('node:http').ServerResponse} response */
  async answer(pathname, response) {
    if (pathname !== LIST) return this.#server.answer(pathname, response);
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify({ peers: await listPeers() }));
  }
}

/** @returns {Promise<Peer[]>} */
async function listPeers() {
  if (!existsSync(networkFolder)) return [];
  const files = await newestFirst(networkFolder);
  const link = `${LANES}peer-link.js`;
  const peers = [];
  for (const [id, { title, kind, peer, module, wasm, file, places }] of Object.entries(engines)) {
    if (kind === 'wisp' || !peer || !file || !wasm || !places.includes('chromium')) continue;
    if (!(await isFetched(peer))) continue;
    const home = `/peers/${peer}/`;
    const engine = { id, title, kind, module: home + module, files: home + wasm, link };
    for (const { name, ...made } of networksOf(files, PEER_FILES[file].ending)) {
      const scales = kind === 'litert' && (await scalesOf(path.join(networkFolder, name)));
      const model = MADE + encodeURIComponent(name);
      peers.push({ ...engine, ...made, model, ...(scales && { scales }) });
    }
  }
  return peers;
}

/** @param {string} file .tflite */
async function scalesOf(file) {
  return readScales(await readFile(file), await importPackage('flatbuffers', console.error));
}

/** @param {string} folder */
async function newestFirst(folder) {
  const names = await readdir(folder);
  const times = await Promise.all(
    names.map(async (name) => ({ name, time: (await stat(path.join(folder, name))).mtimeMs })),
  );
  return times.sort((a, b) => b.time - a.time).map(({ name }) => name);
}

/**
 * Dense networks with random weights for one picture at a time, the newest of each.
 * @param {string[]} files
 * @param {string} ending
 */
function networksOf(files, ending) {
  /** @type {Map<string, {name: string, network: string, width: number, height: number}>} */
  const found = new Map();
  const escaped = ending.replaceAll('.', String.raw`\.`);
  const pattern = new RegExp(`^(yolov5[a-z])@0-(\\d+)x(\\d+)-[0-9a-f]{8}\\.b1\\.${escaped}$`);
  for (const name of files) {
    const [, network, width, height] = pattern.exec(name) ?? [];
    const key = `${network} ${width} ${height}`;
    if (!network || found.has(key)) continue;
    found.set(key, { name, network, width: Number(width), height: Number(height) });
  }
  return [...found.values()];
}
