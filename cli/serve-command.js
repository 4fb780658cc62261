// wisp serve: a server that finds boxes in pictures that its clients send.

import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { reasonOf } from '../web/src/bytes/file-fault.js';
import { Detector, WispError } from '../web/src/index.js';
import { detecting, list, positive, whole } from './arguments.js';
import { defaultModel, requireFolder } from './files.js';

/**
 * @typedef {object} Options
 * @property {string} host
 * @property {number} port
 * @property {number} [detectors]
 * @property {number} queue
 * @property {number} deadline
 * @property {number} maxMegabytes
 * @property {number} maxFiles
 * @property {string} [token]
 * @property {string[]} allowFetch
 * @property {string} [allowFiles]
 * @property {boolean} quiet
 * @property {number} confidence
 * @property {number} iou
 * @property {number} maxDetections
 * @property {import('../web/src/index.js').DetectOptions['tiles']} [tiles]
 * @property {string} [background]
 * @property {number} [maxPixels]
 * @property {{height: number, width: number}} [size]
 * @property {number} [threads]
 */

export function serveCommand() {
  const command = new Command('serve')
    .summary('answer requests with boxes')
    .description(
      'Serves models over HTTP: POST pictures to /predict/from_files (form field "request") or /predict (JSON), as\n' +
        "to DeepSparse's server, or to /v2/models/NAME/infer by the Open Inference Protocol. /docs shows all of it,\n" +
        '/healthz, /readyz and /metrics are for whoever watches it. Logs are JSON lines on standard error.',
    )
    .usage('[options] [model...]')
    .argument('[model...]', 'models, or NAME=model.wisp; default: the one that comes with wisp')
    .option('--host <address>', 'to listen on; 0.0.0.0 is all networks', '127.0.0.1')
    .option('--port <n>', '0 is any free one', whole(65535, 0), 5543)
    .option('--detectors <n>', 'pictures at a time, of each model; default: one a core', whole(256))
    .option(
      '--queue <n>',
      'pictures that may wait; more are answered with 503',
      whole(100000, 0),
      64,
    )
    .option('--deadline <seconds>', 'of a request', positive, 30)
    .option('--max-megabytes <n>', 'of a request', positive, 32)
    .option('--max-files <n>', 'pictures in a request', whole(10000), 64)
    .option('--token <text>', 'that requests must carry; better in WISP_TOKEN')
    .option('--allow-fetch <hosts>', 'requests may name pictures there, e.g. example.com', list, [])
    .option('--allow-files <folder>', 'requests may name pictures in it')
    .option('--quiet', 'log only what goes wrong', false)
    .addHelpText(
      'after',
      `
Examples:
  wisp serve best.wisp
  curl -F request=@street.jpg http://127.0.0.1:5543/predict/from_files
  wisp serve people=a.wisp cars=b.wisp --detectors 2 --host 0.0.0.0`,
    )
    .action(run);
  return detecting(command, { confidence: 0.25, iou: 0.45 });
}

/** @param {string[]} models @param {Options} options */
async function run(models, options) {
  const { Crew, Fetcher, makeServer, Pictures } = await parts();
  if (options.allowFiles !== undefined) requireFolder(options.allowFiles);
  const { size: input, threads = 1, queue: room, maxFiles } = options;
  const size = options.detectors ?? Math.max(1, Math.floor(availableParallelism() / threads));
  const crews = new Map();
  for (const [name, model] of named(models.length > 0 ? models : [defaultModel()])) {
    if (crews.has(name)) throw twice(name);
    const open = () => Detector.open(model, { size: input, threads });
    crews.set(name, await Crew.open(open, { size, room }));
  }
  const maxBytes = Math.floor(options.maxMegabytes * 2 ** 20);
  const { confidence, iou, maxDetections, tiles, background, maxPixels } = options;
  const app = await makeServer(crews, {
    detect: { confidence, iou, maxDetections, tiles, background, maxPixels },
    pictures: new Pictures(new Fetcher(options.allowFetch, maxBytes), options.allowFiles),
    deadlineMs: options.deadline * 1000,
    maxBytes,
    maxFiles,
    token: options.token ?? process.env.WISP_TOKEN,
    logger: { level: options.quiet ? 'warn' : 'info', stream: process.stderr },
  });
  drainOnSignals(app, crews);
  const { host, port } = options;
  await app.listen({ host, port }).catch((cause) => {
    const why = reasonOf(cause, 'there is no such address');
    const sentence = `The server can't listen on ${host}, port ${port}: ${why}.`;
    throw new WispError('WISP_ERR_ARGUMENT', sentence, { cause });
  });
  const { port: taken } = /** @type {import('node:net').AddressInfo} */ (app.server.address());
  const shown = host.includes(':') ? `[${host}]` : host;
  console.log(`http://${shown}:${taken} serves ${[...crews.keys()].join(', ')}`);
}

const LIBRARIES = [
  'fastify@5',
  '@fastify/multipart@10',
  '@fastify/swagger@9',
  '@fastify/swagger-ui@6',
  'prom-client@15',
];

/** The server's libraries are the business of this command alone, and not every installation has them. */
async function parts() {
  try {
    const [{ Crew }, { Fetcher }, { makeServer }, { Pictures }] = await Promise.all([
      import('./serve/crew.js'),
      import('./serve/fetching.js'),
      import('./serve/server.js'),
      import('./serve/pictures.js'),
    ]);
    return { Crew, Fetcher, makeServer, Pictures };
  } catch (cause) {
    if (/** @type {any} */ (cause).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    const sentence = `wisp serve needs libraries of its own: npm install ${LIBRARIES.join(' ')}`;
    throw new WispError('WISP_ERR_UNSUPPORTED', sentence, { cause });
  }
}

/** @param {string[]} models @returns {[name: string, model: string][]} */
function named(models) {
  return models.map((text) => {
    const [, name, file] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
    return file ? [name, file] : [path.basename(text).replace(/\.wisp$/, ''), text];
  });
}

/** @param {string} name */
const twice = (name) =>
  new WispError('WISP_ERR_ARGUMENT', `Two models are called ${name}: name them, as in a=one.wisp.`);

/**
 * Takes no more requests, answers those under way, then ends.
 * @param {import('fastify').FastifyInstance} app
 * @param {Map<string, import('./serve/crew.js').Crew>} crews
 */
function drainOnSignals(app, crews) {
  const drain = async () => {
    await app.close();
    await Promise.all([...crews.values()].map((crew) => crew.close()));
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, drain);
}
