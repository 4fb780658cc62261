// wisp serve beside what people build instead, FastAPI around onnxruntime: same network, picture, processors, clients.
//   node bench/servers.mjs PICTURE.jpg [--rounds 5] [--seconds 8] [--clients 8]
// Servers take turns. On one processor the clients have another; on two they share both with the server.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from '../tools/build.mjs';
import { root } from '../tools/places.mjs';
import { environment } from '../tools/python.mjs';
import { drawScene } from '../web/src/picture/scene.js';
import { describeMachine } from './machine.js';
import { Networks } from './networks/networks.js';
import { fetchPeers, peerFolder } from './peers/peers.js';
import { table } from './report/columns.js';

const PACKAGES = [
  'fastapi==0.165.0',
  'uvicorn==0.54.0',
  'python-multipart==0.0.34',
  'onnxruntime==1.32.0',
  'opencv-python-headless==5.0.0.93',
  'numpy==2.4.6',
];
const FIRST_PORT = 5600;
const NETWORK = 'yolov5n';

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {number} processors
 * @property {(port: number) => {command: string[], env?: Record<string, string>}} start
 * @property {string} route
 *
 * @typedef {{perSecond: number, p50: number, p99: number, failed: number}} Turn milliseconds
 */

/** @param {string} python @returns {Promise<Contender[]>} */
async function contenders(python) {
  const say = (/** @type {string} */ line) => console.error(line);
  const [square, frame] = [640, 384].map(
    (height) => new Networks({ width: 640, height }, drawScene(), say),
  );
  const of = (/** @type {number} */ sparsity) => ({ base: NETWORK, sparsity });
  const [dense, half] = [await square.wisp(of(0)), await square.wisp(of(0.5))];
  const [fixed, shaped] = [
    await square.peerFile(of(0), 'onnx', 1),
    await frame.peerFile(of(0), 'onnx', 1),
  ];
  const wisp = (/** @type {string} */ model, /** @type {string} */ name) =>
    [1, 2].map((processors) => ({
      name: `wisp serve, ${name}`,
      processors,
      route: '/predict/from_files',
      start: (/** @type {number} */ port) => ({
        command: [
          ...[process.execPath, path.join(root, 'cli', 'wisp.js'), 'serve', model, '--quiet'],
          ...['--port', String(port), '--detectors', String(processors)],
        ],
      }),
    }));
  const fastapi = (
    /** @type {string} */ onnx,
    /** @type {string} */ shape,
    /** @type {number} */ workers,
    /** @type {number} */ threads,
  ) => ({
    name: `FastAPI, ${shape === 'fixed' ? '640×640' : '640×384'}, workers × threads ${workers} × ${threads}`,
    processors: workers * threads,
    route: '/predict',
    start: (/** @type {number} */ port) => ({
      command: [
        ...[
          python,
          '-m',
          'uvicorn',
          'fastapi_onnx:app',
          '--app-dir',
          path.join(import.meta.dirname, 'servers'),
        ],
        ...['--port', String(port), '--workers', String(workers), '--log-level', 'warning'],
      ],
      env: { ONNX: onnx, SHAPE: shape, THREADS: String(threads) },
    }),
  });
  return [
    ...wisp(dense, 'dense'),
    ...wisp(half, '50 % of blocks zero'),
    ...[fixed, shaped].flatMap((onnx, i) =>
      [
        [1, 1],
        [1, 2],
        [2, 1],
      ].map(([workers, threads]) => fastapi(onnx, i === 0 ? 'fixed' : 'frame', workers, threads)),
    ),
  ];
}

/** @param {Contender} contender @param {number} port */
async function start({ processors, start }, port) {
  const { command, env } = start(port);
  const pinned = processors === 1 ? ['taskset', '-c', '0', ...command] : command;
  const child = spawn(pinned[0], pinned.slice(1), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (let tries = 0; tries < 300; tries++) {
    if (
      await fetch(`http://127.0.0.1:${port}/`).then(
        () => true,
        () => false,
      )
    )
      return child;
    await sleep(100);
  }
  throw new Error(`${command.join(' ')} does not answer`);
}

/**
 * @param {any} autocannon
 * @param {{url: string, processors: number, picture: Buffer, clients: number, seconds: number}} load
 * @returns {Promise<Turn>}
 */
async function take(autocannon, { url, picture, clients, seconds }) {
  const form = new Response(formOf(picture));
  const { latency, requests, duration, errors, timeouts, non2xx } = await autocannon({
    url,
    method: 'POST',
    headers: { 'content-type': form.headers.get('content-type') },
    body: Buffer.from(await form.arrayBuffer()),
    connections: clients,
    duration: seconds,
  });
  const perSecond = requests.total / duration;
  return { perSecond, p50: latency.p50, p99: latency.p99, failed: errors + timeouts + non2xx };
}

/** @param {Buffer} picture */
function formOf(picture) {
  const form = new FormData();
  form.append(
    'request',
    new File([new Uint8Array(picture)], 'picture.jpg', { type: 'image/jpeg' }),
  );
  return form;
}

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '8' },
      clients: { type: 'string', default: '8' },
    },
  });
  const picture = await readFile(positionals[0]);
  await build('web');
  await fetchPeers(['autocannon'], (line) => console.error(line));
  const { default: autocannon } = await import(
    pathToFileURL(path.join(peerFolder, 'autocannon', 'autocannon.js')).href
  );
  const { cpu, cores } = describeMachine(); // before this process is pinned
  const all = await contenders(await environment('python-servers', PACKAGES));
  const children = [];
  for (const [i, one] of all.entries()) children.push(await start(one, FIRST_PORT + i));
  if (process.platform === 'linux') spawn('taskset', ['-pc', '1', String(process.pid)]);
  /** @type {Turn[][]} */
  const turns = all.map(() => []);
  try {
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const [i, { route, processors }] of all.entries()) {
        const url = `http://127.0.0.1:${FIRST_PORT + i}${route}`;
        const [clients, seconds] = [Number(values.clients), Number(values.seconds)];
        const load = { url, processors, picture, clients, seconds: round === 0 ? 2 : seconds };
        const turn = await take(autocannon, load);
        if (turn.failed) throw new Error(`${all[i].name}: ${turn.failed} requests failed`);
        if (round > 0) turns[i].push(turn); // the first warms up
      }
    }
  } finally {
    for (const child of children) {
      child.kill();
      await once(child, 'exit');
    }
  }
  console.log(`${cpu}, ${cores} processors; ${NETWORK}, ${picture.length} bytes of JPEG`);
  const rows = all.map(({ name, processors }, i) => {
    const of = (/** @type {keyof Turn} */ key) => median(turns[i].map((turn) => turn[key]));
    const row = [name, String(processors), of('perSecond').toFixed(1)];
    return [...row, of('p50').toFixed(0), of('p99').toFixed(0)];
  });
  console.log(
    table([['server', 'processors', 'images/s', 'p50 ms', 'p99 ms'], ...rows]).join('\n'),
  );
}

await main();
