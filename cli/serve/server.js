// The server: routes, limits and answers around the crews of its models.

import { createHash, timingSafeEqual } from 'node:crypto';
import multipart from '@fastify/multipart';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify from 'fastify';
import { WispError } from '../../web/src/index.js';
import { VERSION } from '../../web/src/version.js';
import { Busy } from './crew.js';
import { Metrics } from './metrics.js';
import { deepsparse, SHAPES, tensors } from './replies.js';
import * as schemas from './schemas.js';

/**
 * @typedef {import('./crew.js').Crew} Crew
 * @typedef {import('../../web/src/index.js').DetectOptions} DetectOptions
 * @typedef {import('fastify').FastifyRequest} Request
 * @typedef {import('fastify').FastifyReply} Reply
 *
 * @typedef {object} ServerOptions
 * @property {DetectOptions} detect defaults of every request
 * @property {import('./pictures.js').Pictures} pictures
 * @property {number} deadlineMs of a request
 * @property {number} maxBytes of a request
 * @property {number} maxFiles of a request
 * @property {string} [token] that a request must carry
 * @property {boolean | object} [logger] as pino's options
 */

/** What is open to all, so that whoever watches the server needs no token. */
const OPEN = /^\/(healthz|readyz|v2\/health\/(live|ready))$/;

/** @type {Record<string, number>} */
const STATUS = {
  WISP_ERR_ARGUMENT: 400,
  WISP_ERR_SOURCE: 400,
  WISP_ERR_FETCH: 400,
  WISP_ERR_LIMIT: 413,
  WISP_ERR_MEMORY: 413,
  WISP_ERR_CLOSED: 503,
};

/**
 * @param {Map<string, Crew>} crews by the names that requests use
 * @param {ServerOptions} options
 */
export async function makeServer(crews, options) {
  const { maxBytes, maxFiles, logger = false } = options;
  const app = fastify({
    logger,
    bodyLimit: maxBytes,
    forceCloseConnections: 'idle',
    requestTimeout: options.deadlineMs + 30_000, // a client that sends too slowly
  });
  const metrics = new Metrics(crews);
  const limits = { fileSize: maxBytes, files: maxFiles, parts: maxFiles + 16 };
  await app.register(multipart, { limits });
  await app.register(swagger, { openapi: schemas.document(VERSION, Boolean(options.token)) });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  if (options.token) app.addHook('onRequest', guard(options.token));
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.answered(route, reply.statusCode, reply.elapsedTime);
  });
  app.setErrorHandler((error, request, reply) =>
    explain(/** @type {any} */ (error), request, reply, metrics),
  );
  app.setNotFoundHandler((request, reply) => {
    const error = `There is no ${request.method} ${request.url}; /docs lists what there is.`;
    return reply.code(404).send({ error, code: 'WISP_ERR_ARGUMENT' });
  });
  watch(app, crews, metrics);
  describe(app, crews);
  detect(app, crews, options, metrics);
  return app;
}

/** @param {string} token @returns {import('fastify').onRequestAsyncHookHandler} */
function guard(token) {
  const hash = (/** @type {string} */ text) => createHash('sha256').update(text).digest();
  const wanted = hash(`Bearer ${token}`);
  return async (request, reply) => {
    if (OPEN.test(request.url)) return;
    if (timingSafeEqual(hash(request.headers.authorization ?? ''), wanted)) return;
    reply.header('www-authenticate', 'Bearer');
    const error = 'Send the header "Authorization: Bearer …" with the token of this server.';
    return reply.code(401).send({ error, code: 'WISP_ERR_ARGUMENT' });
  };
}

/**
 * @param {Error & {code?: string, statusCode?: number}} error
 * @param {Request} request
 * @param {Reply} reply
 * @param {Metrics} metrics
 */
function explain(error, request, reply, metrics) {
  const late = error.name === 'TimeoutError';
  const code = late ? 'TIMEOUT' : error instanceof Busy ? 'BUSY' : (error.code ?? 'UNKNOWN');
  metrics.failed(code);
  if (error instanceof Busy) reply.header('retry-after', String(error.seconds));
  const own = error.statusCode ?? STATUS[code] ?? 500;
  const status = error instanceof Busy ? 503 : late ? 504 : own;
  if (status >= 500 && !(error instanceof Busy)) request.log.error(error);
  const sentence = late ? 'The request took longer than the server allows.' : error.message;
  return reply.code(status).send({ error: sentence, code });
}

/**
 * Whether it lives, is ready, and what it counts.
 * @param {any} app
 * @param {Map<string, Crew>} crews
 * @param {Metrics} metrics
 */
function watch(app, crews, metrics) {
  let draining = false;
  app.addHook('preClose', async () => {
    draining = true;
  });
  app.addHook('onSend', async (/** @type {Request} */ _, /** @type {Reply} */ reply) => {
    if (draining) reply.header('connection', 'close'); // a connection that is kept keeps the server
  });
  const ready = () => !draining && [...crews.values()].every((crew) => crew.ready);
  for (const url of ['/healthz', '/v2/health/live'])
    app.get(url, { schema: schemas.health('It runs.'), logLevel: 'warn' }, async () => ({
      live: true,
    }));
  for (const url of ['/readyz', '/v2/health/ready'])
    app.get(
      url,
      { schema: schemas.health('It takes pictures.'), logLevel: 'warn' },
      async (/** @type {Request} */ _, /** @type {Reply} */ reply) =>
        reply.code(ready() ? 200 : 503).send({ ready: ready() }),
    );
  app.get(
    '/metrics',
    { schema: schemas.metrics, logLevel: 'warn' },
    async (/** @type {Request} */ _, /** @type {Reply} */ reply) =>
      reply.type(metrics.type).send(await metrics.text()),
  );
}

/** What the server and its models are. @param {any} app @param {Map<string, Crew>} crews */
function describe(app, crews) {
  app.get('/', { schema: { hide: true } }, (/** @type {Request} */ _, /** @type {Reply} */ reply) =>
    reply.redirect('/docs'),
  );
  app.get('/v2', { schema: schemas.about('The server.') }, async () => ({
    name: 'wisp',
    version: VERSION,
    extensions: [],
    models: [...crews.keys()],
  }));
  app.get(
    '/v2/models/:name',
    { schema: schemas.about('A model.') },
    async (/** @type {any} */ { params: { name } }) => {
      const { width, height, classes } = crewOf(crews, name).info;
      return { name, platform: 'wisp', versions: [], ...SHAPES, width, height, classes };
    },
  );
  app.get(
    '/v2/models/:name/ready',
    { schema: schemas.health('Whether a model takes pictures.') },
    async (/** @type {any} */ { params: { name } }, /** @type {Reply} */ reply) => {
      const { ready } = crewOf(crews, name);
      return reply.code(ready ? 200 : 503).send({ ready });
    },
  );
}

/** @param {any} app @param {Map<string, Crew>} crews @param {ServerOptions} server @param {Metrics} metrics */
function detect(app, crews, server, metrics) {
  const first = [...crews.keys()][0];
  const nameOf = (/** @type {any} */ request) =>
    request.params.name ?? request.query.model ?? first;
  /** @param {Request} request @param {Reply} reply @param {(signal: AbortSignal) => Promise<Asked>} read */
  const answer = async (request, reply, read) => {
    const name = nameOf(request);
    const crew = crewOf(crews, name);
    const gone = new AbortController();
    const leave = () => gone.abort(new Gone());
    reply.raw.once('close', leave);
    const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(server.deadlineMs)]);
    try {
      const { pictures, options } = await read(signal);
      const wanted = { ...server.detect, ...options };
      const results = await crew.detect(pictures, wanted, signal).catch((thrown) => {
        throw signal.aborted ? signal.reason : thrown;
      });
      metrics.looked(name, results);
      return { results, masks: wanted.masks === 'rle' };
    } finally {
      reply.raw.off('close', leave);
    }
  };
  const fromJson = (/** @type {any} */ request) => async (/** @type {AbortSignal} */ signal) => {
    const { images, ...rest } = request.body;
    const named = typeof images === 'string' ? [images] : images;
    if (named.length > server.maxFiles) throw tooMany(server.maxFiles);
    const pictures = await server.pictures.read(named, signal);
    return { pictures, options: thresholds(rest) };
  };
  const fromFiles = (/** @type {any} */ request) => async () => {
    const { pictures, fields } = await uploaded(request);
    return {
      pictures,
      options: thresholds({ ...request.query, ...fields }),
    };
  };
  const json = async (/** @type {any} */ request, /** @type {any} */ reply) =>
    reply
      .type('application/json')
      .send(deepsparse(await answer(request, reply, fromJson(request))));
  const files = async (/** @type {any} */ request, /** @type {any} */ reply) =>
    reply
      .type('application/json')
      .send(deepsparse(await answer(request, reply, fromFiles(request))));
  const protocol = async (/** @type {any} */ request, /** @type {any} */ reply) => {
    const read = async (/** @type {AbortSignal} */ signal) => {
      const named = schemas.imagesOf(request.body);
      if (named.length > server.maxFiles) throw tooMany(server.maxFiles);
      const pictures = await server.pictures.read(named, signal);
      const options = thresholds(request.body.parameters ?? {});
      return { pictures, options };
    };
    const outputs = tensors(await answer(request, reply, read));
    const { id = request.id } = request.body;
    return { id, model_name: nameOf(request), model_version: '1', outputs };
  };
  app.post('/predict', { schema: schemas.json }, json);
  app.post('/predict/from_files', { schema: schemas.files }, files);
  app.post(
    '/v2/models/:name/infer',
    { schema: schemas.infer },
    (/** @type {any} */ request, /** @type {any} */ reply) =>
      'inputs' in request.body ? protocol(request, reply) : json(request, reply),
  );
  app.post('/v2/models/:name/infer/from_files', { schema: schemas.files }, files);
}

/** The client did not wait for its answer: nobody's fault, and nothing to log as one. */
class Gone extends Error {
  code = 'GONE';
  statusCode = 499; // as nginx counts them

  constructor() {
    super('The client went away.');
  }
}

/** @typedef {{pictures: File[], options: DetectOptions}} Asked */

/** @param {number} most */
const tooMany = (most) =>
  new WispError('WISP_ERR_LIMIT', `A request may have ${most} pictures, and this one has more.`);

/** @param {Map<string, Crew>} crews @param {string} name @returns {Crew} */
function crewOf(crews, name) {
  const crew = crews.get(name);
  if (crew) return crew;
  const error = new WispError(
    'WISP_ERR_ARGUMENT',
    `There is no model ${JSON.stringify(name)}; there is ${[...crews.keys()].join(', ')}.`,
  );
  throw Object.assign(error, { statusCode: 404 });
}

/** The pictures of a form, in its field `request`, and its other fields. @param {any} request */
async function uploaded(request) {
  if (!request.isMultipart())
    throw new WispError(
      'WISP_ERR_ARGUMENT',
      'Send the pictures as multipart/form-data, each in a field named "request".',
    );
  const pictures = /** @type {File[]} */ ([]);
  const fields = /** @type {Record<string, string>} */ ({});
  for await (const part of request.parts())
    if (part.type === 'file') {
      const name = part.filename || `picture ${pictures.length}`;
      pictures.push(new File([await part.toBuffer()], name));
    } else fields[part.fieldname] = String(part.value);
  if (pictures.length > 0) return { pictures, fields };
  throw new WispError('WISP_ERR_ARGUMENT', 'The form has no file in a field named "request".');
}

/** DeepSparse's names of thresholds, or ours. @param {Record<string, any>} given @returns {DetectOptions} */
function thresholds(given) {
  const number = (/** @type {unknown} */ value) =>
    typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  const flag = (/** @type {unknown} */ value) =>
    typeof value === 'string' ? /^(true|1)$/i.test(value) : value;
  const all = {
    confidence: number(given.conf_thres ?? given.confidence),
    iou: number(given.iou_thres ?? given.iou),
    maxDetections: number(given.max_detections),
    multiLabel: flag(given.multi_label),
    masks: given.masks === undefined ? undefined : flag(given.masks) ? 'rle' : 'none',
    classes: given.classes,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
