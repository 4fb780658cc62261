// What requests and answers look like: what fastify checks, and what /docs shows.

import { WispError } from '../../web/src/index.js';

/** @param {string} version @param {boolean} guarded */
export const document = (version, guarded) => ({
  openapi: '3.1.0',
  info: {
    title: 'wisp',
    description: 'Boxes in pictures: YOLOv5, pruned and quantised to INT8.',
    version,
  },
  ...(guarded && {
    components: {
      securitySchemes: { token: { type: /** @type {const} */ ('http'), scheme: 'bearer' } },
    },
    security: [{ token: [] }],
  }),
});

const failure = {
  type: 'object',
  properties: { error: { type: 'string' }, code: { type: 'string' } },
};

const failures = {
  400: { description: 'Something can not be used; the sentence names it.', ...failure },
  413: { description: 'More than the server takes.', ...failure },
  503: {
    description: 'All detectors are busy and the queue is full: see Retry-After.',
    ...failure,
  },
  504: { description: 'It took too long.', ...failure },
};

const numbers = { type: 'array', items: { type: 'number' } };
const boxes = {
  description: 'A list for each picture; corners x1, y1, x2, y2 in pixels of the picture.',
  type: 'object',
  properties: {
    boxes: { type: 'array', items: { type: 'array', items: numbers } },
    scores: { type: 'array', items: numbers },
    labels: { type: 'array', items: numbers },
    masks: {
      description: "Where asked for, each box's pixels as COCO's run lengths: {size, counts}.",
      type: 'array',
      items: { type: 'array', items: { type: 'object' } },
    },
    intermediate_outputs: { type: 'null' },
  },
};

const share = { type: 'number', minimum: 0, maximum: 1 };
const options = {
  conf_thres: { ...share, description: 'Boxes score above it.' },
  iou_thres: { ...share, description: 'Boxes of one class overlap by at most this.' },
  multi_label: { type: 'boolean', description: 'A box for each class that scores.' },
  max_detections: { type: 'integer', minimum: 1, maximum: 30000 },
  masks: { type: 'boolean', description: 'Of a model that segments: the pixels of each box.' },
  classes: {
    type: 'array',
    items: { anyOf: [{ type: 'string' }, { type: 'integer' }] },
    description: 'Only these, by name or index.',
  },
};

const named = {
  type: 'object',
  required: ['images'],
  properties: {
    images: {
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
      ],
      description: 'Pictures in base64; addresses and files where the server allows them.',
    },
    ...options,
  },
};

const query = {
  type: 'object',
  properties: { ...options, classes: undefined, model: { type: 'string' } },
};

export const json = {
  summary: 'Boxes of pictures that a JSON document carries or names',
  querystring: { type: 'object', properties: { model: { type: 'string' } } },
  body: named,
  response: failures,
};

export const files = {
  summary: 'Boxes of uploaded pictures: each a file in the form field "request"',
  consumes: ['multipart/form-data'],
  querystring: { ...query, properties: definedOf(query.properties) },
  response: failures,
};

/** @param {Record<string, any>} all */
function definedOf(all) {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value));
}

const input = {
  type: 'object',
  required: ['name', 'shape', 'datatype', 'data'],
  properties: {
    name: { type: 'string' },
    shape: { type: 'array', items: { type: 'integer' } },
    datatype: { type: 'string' },
    data: { type: 'array' },
  },
};

export const infer = {
  summary: 'Boxes, asked for by the Open Inference Protocol or as DeepSparse does',
  body: {
    type: 'object',
    anyOf: [
      {
        required: ['inputs'],
        properties: {
          id: { type: 'string' },
          parameters: { type: 'object', properties: options },
          inputs: { type: 'array', items: input, minItems: 1 },
        },
      },
      named,
    ],
  },
  response: failures,
};

/** @param {string} summary */
export const health = (summary) => ({ summary });
/** @param {string} summary */
export const about = (summary) => ({ summary });
export const metrics = { summary: 'Counts for Prometheus', produces: ['text/plain'] };
export const answers = boxes;

/**
 * The pictures of a request of the Open Inference Protocol: its input `images`, in base64.
 * @param {{inputs: {name: string, datatype: string, data: unknown[]}[]}} body
 * @returns {string[]}
 */
export function imagesOf({ inputs }) {
  const [images] = inputs.filter(({ name }) => name === 'images');
  const fits = images?.datatype === 'BYTES' && images.data.length > 0;
  if (fits && images.data.every((one) => typeof one === 'string' && one !== ''))
    return /** @type {string[]} */ (images.data);
  const sentence =
    'The request needs an input named "images" of datatype BYTES: pictures as base64 strings.';
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}
