// A file of the list → this machine: fetched, checked, kept; what broke off goes on the next time.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { arriving, fetchFile } from '../../web/src/bytes/download.js';
import { keptFolder, makeFolder } from '../../web/src/bytes/kept.js';
import { continues, versionOf } from '../../web/src/bytes/resume.js';
import { WispError } from '../../web/src/index.js';
import { fileError, unwritable } from '../files.js';
import { Progress } from '../progress.js';

/**
 * @typedef {import('./list.js').Source} Source
 * @typedef {{address: string, sha256: string, date: string}} Note of a file that was fetched before
 * @typedef {{file: string, sha256: string, isNew: boolean}} Fetched isNew: nobody knew its hash before
 */

/** @param {Source} source @returns {Promise<Fetched>} */
export async function fetchSource(source) {
  const { address } = source;
  const url = new URL(address);
  if (url.protocol === 'file:') return checked(source, fileURLToPath(url), source.sha256);
  const file = path.join(keptFolder(), 'fetched', fileNameOf(url));
  const note = await noteOf(file);
  const known = source.sha256 ?? (note?.address === address ? note.sha256 : undefined);
  const there = known ? await hashOf(file).catch(() => undefined) : undefined;
  if (known && there === known) return { file, sha256: known, isNew: false };
  await makeFolder(path.dirname(file)).catch((cause) => {
    throw unwritable(file, cause, 'no folder can be made there');
  });
  const part = `${file}.part`;
  await fetchInto(part, address);
  const fetched = await checked(source, part, known, note).catch(async (wrong) => {
    await rm(part, { force: true });
    throw wrong;
  });
  await rename(part, file);
  await rm(markOf(part), { force: true });
  const { sha256 } = fetched;
  const written = JSON.stringify({ address, sha256, date: new Date().toISOString().slice(0, 10) });
  await writeFile(`${file}.json`, `${written}\n`);
  return { ...fetched, file };
}

/** @param {URL} url */
function fileNameOf({ pathname, href }) {
  const name = path.posix.basename(pathname);
  return /^\w[\w.-]*$/.test(name) ? name : createHash('sha256').update(href).digest('hex');
}

/** @param {string} file @returns {Promise<Note | null>} */
async function noteOf(file) {
  const text = await readFile(`${file}.json`, 'utf8').catch(() => 'null');
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * @param {Source} source
 * @param {string} file
 * @param {string | undefined} known
 * @param {Note | null} [note] says when it became known
 * @returns {Promise<Fetched>}
 */
async function checked({ address, sha256: listed }, file, known, note) {
  const sha256 = await hashOf(file).catch((cause) => {
    throw fileError(file, cause);
  });
  if (known === undefined || known === sha256) return { file, sha256, isNew: known === undefined };
  const since = listed ? 'as the list of models has it' : `as it was on ${note?.date}`;
  const sentence =
    `${address} is not the file that was asked for: its SHA-256 is ${sha256}, not ${known}, ${since}. ` +
    'Nothing of it was kept.';
  throw new WispError('WISP_ERR_CHECKSUM', sentence);
}

/** @param {string} file @returns {Promise<string>} in hexadecimal digits */
async function hashOf(file) {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(piece);
  return hash.digest('hex');
}

/** @param {Uint8Array} bytes */
export const hashOfBytes = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Says which version of the file its first part is of. @param {string} part */
const markOf = (part) => `${part}.mark`;

/** @param {string} part gets the file, behind what it has of it @param {string} address */
async function fetchInto(part, address) {
  const { response, at } = await resumed(part, address);
  const { total, pieces } = arriving(response, address, undefined, at);
  const progress = new Progress(`fetching ${path.basename(part, '.part')}`, 1);
  let loaded = at;
  try {
    if (at === 0) await rm(part, { force: true });
    await writeFile(markOf(part), versionOf(response));
    const handle = await open(part, at > 0 ? 'r+' : 'w');
    try {
      for await (const piece of pieces) {
        await handle.write(piece, 0, piece.length, loaded);
        loaded += piece.length;
        if (total > 0) progress.reach(loaded / (at + total));
      }
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (!(cause instanceof WispError)) throw unwritable(part, cause);
    const sentence = `${cause.message} ${loaded} bytes of it are here: the same command goes on behind them.`;
    throw new WispError(cause.code, sentence, { cause });
  } finally {
    progress.end();
  }
}

/**
 * The answer for what is missing; its last byte is asked for again, so that there is an answer if nothing is.
 * @param {string} part
 * @param {string} address
 * @returns {Promise<{response: Response, at: number}>}
 */
async function resumed(part, address) {
  const mark = await readFile(markOf(part), 'utf8').catch(() => '');
  const size = mark ? await stat(part).then(sizeOf, () => 0) : 0;
  const at = Math.max(0, size - 1);
  if (at > 0) {
    const range = { range: `bytes=${at}-` };
    const response = await fetchFile(address, undefined, range).catch(() => null); // perhaps it has become shorter
    if (response && continues(response, at, mark)) return { response, at };
    response?.body?.cancel().catch(() => {});
  }
  return { response: await fetchFile(address), at: 0 };
}

/** @param {import('node:fs').Stats} stats */
const sizeOf = ({ size }) => size;
