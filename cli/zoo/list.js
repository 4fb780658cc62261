// The list of models by name: ours, or the one that WISP_ZOO names.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { download } from '../../web/src/bytes/download.js';
import { notePath } from '../../web/src/bytes/pulled.js';
import { absolute } from '../../web/src/host.js';
import { WispError } from '../../web/src/index.js';

/**
 * @typedef {object} Source a file to fetch
 * @property {string} name
 * @property {string} address relative ones begin where the list is
 * @property {number} [bytes]
 * @property {string} [sha256] in hexadecimal digits; where nobody knows it, the first time says it for those after it
 * @property {string} about
 * @property {string} licence
 *
 * @typedef {Source & {press: import('../../web/src/press.js').QuantiseOptions, pictures?: string}} Entry
 *   of a model; `pictures` names the set that it is calibrated on
 *
 * @typedef {Entry & {base: string}} Wanted an entry or a sparse variant of it; `base` is the entry's own name
 *
 * @typedef {object} Zoo
 * @property {Entry[]} models those that are fetched
 * @property {string[]} here names of those that come with wisp
 * @property {Source[]} pictures archives (zip) of calibration pictures
 * @property {Record<string, string>} licences where to read them
 */

const OURS = new URL('../../models/zoo.json', import.meta.url);

/** @returns {Promise<Zoo>} */
export async function readZoo() {
  const place = process.env.WISP_ZOO;
  const url = place ? absolute(place) : OURS;
  const text = place ? await textOf(url) : readFileSync(OURS, 'utf8');
  try {
    const { models, pictures = [], licences = {} } = JSON.parse(text);
    const fetched = models.filter((/** @type {any} */ model) => model.address);
    for (const entry of [...fetched, ...pictures]) settle(entry, url);
    const here = models.filter((/** @type {any} */ model) => !model.address);
    return {
      models: fetched,
      here: here.map((/** @type {any} */ { name }) => name),
      pictures,
      licences,
    };
  } catch (cause) {
    const sentence = `${url.href} is no list of models: ${/** @type {Error} */ (cause).message}.`;
    throw new WispError('WISP_ERR_FORMAT', sentence, { cause });
  }
}

/** @param {URL} url */
async function textOf(url) {
  const parts = [];
  for await (const piece of (await download(url)).pieces) parts.push(piece);
  return Buffer.concat(parts).toString();
}

/** @param {Entry} entry gets its whole address @param {URL} list */
function settle(entry, list) {
  const { name, address, sha256, about, licence } = entry;
  for (const [key, value] of Object.entries({ name, address, about, licence }))
    if (typeof value !== 'string') throw new Error(`"${name}" has no ${key}`);
  if (!NAME.test(name)) throw new Error(`"${name}" is no name: letters, digits and -`);
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256))
    throw new Error(`the sha256 of "${name}" has not 64 hexadecimal digits`);
  entry.address = new URL(address, list).href;
}

const NAME = /^\w[\w-]*$/;
const MOST_ZEROS = 90; // per cent

/**
 * @param {Zoo} zoo
 * @param {string} name of an entry; with @25 its variant of which 25 % of the blocks are zero
 * @returns {Wanted}
 */
export function findEntry(zoo, name) {
  const [base, zeros] = name.split('@');
  const entry = zoo.models.find((one) => one.name === base);
  if (!entry) {
    const ours = zoo.here.includes(base);
    const known = zoo.models.map((one) => one.name).join(', ');
    const sentence = ours
      ? `${base} comes with wisp and needs no pull: leave the model out.`
      : `There is no model called ${base}; there is ${known}.`;
    throw new WispError('WISP_ERR_ARGUMENT', sentence);
  }
  if (zeros === undefined) return { ...entry, base };
  const share = /^\d+$/.test(zeros) ? Number(zeros) : 0;
  if (share < 1 || share > MOST_ZEROS) {
    const sentence = `${name}: behind the @ stands how many blocks of a hundred are zero, 1 to ${MOST_ZEROS}.`;
    throw new WispError('WISP_ERR_ARGUMENT', sentence);
  }
  return { ...entry, name, base, press: { ...entry.press, sparsity: share / 100 } };
}

/** Whether a word is a model of our list, or one that was pulled. @param {string} word */
export function isModelName(word) {
  const [, base] = /^(\w[\w-]*)(@\d+)?$/.exec(word) ?? [];
  if (!base || existsSync(word)) return false;
  if (existsSync(notePath(word))) return true;
  /** @type {{models: {name: string, address?: string}[]}} */
  const { models } = JSON.parse(readFileSync(fileURLToPath(OURS), 'utf8'));
  return models.some(({ name, address }) => address && name === base);
}
