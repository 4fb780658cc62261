// A download over HTTP that goes on where its connection broke.

import { WispError } from '../error.js';

const ATTEMPTS = 4; // in a row that bring nothing
const PAUSE_MS = 250; // before the second, and longer before each after it

/**
 * The pieces of `response`, and of those that continue it where one breaks off.
 * @param {Response} response of success
 * @param {(response: Response) => AsyncIterable<Uint8Array>} drain throws WISP_ERR_FETCH where the connection breaks
 * @param {AbortSignal | undefined} signal
 * @param {number} at where in the file the first begins
 */
export async function* resuming(response, drain, signal, at) {
  const mark = versionOf(response);
  let loaded = at;
  for (let idle = 0, from = response; ; ) {
    try {
      for await (const piece of drain(from)) {
        yield piece;
        loaded += piece.length;
        idle = 0;
      }
      return;
    } catch (broken) {
      const lost = broken instanceof WispError && broken.code === 'WISP_ERR_FETCH';
      if (!lost || !mark || loaded === 0) throw broken;
      /** @type {Response | undefined} */
      let next;
      while (!next) {
        if (++idle >= ATTEMPTS) throw broken;
        await pause(PAUSE_MS * (idle - 1), signal);
        next = await fetchRest(response.url, loaded, signal).catch(() => undefined);
        signal?.throwIfAborted();
      }
      if (!continues(next, loaded, mark)) {
        next.body?.cancel().catch(() => {});
        throw broken;
      }
      from = next;
    }
  }
}

/**
 * What tells one version of a file from another; '' where it may not be resumed.
 * @param {Response} response
 */
export function versionOf({ headers, url }) {
  if (!/^https?:/.test(url) || headers.get('content-encoding')) return '';
  return headers.get('etag') ?? headers.get('last-modified') ?? lengthOf(headers) ?? '';
}

/** Of the whole file. @param {Headers} headers */
const lengthOf = (headers) =>
  headers.get('content-range')?.split('/')[1] ?? headers.get('content-length');

/** @param {string} address @param {number} at @param {AbortSignal | undefined} signal */
function fetchRest(address, at, signal) {
  return fetch(address, { signal, headers: { range: `bytes=${at}-` } });
}

/** @param {Response} response @param {number} at @param {string} mark of the first response */
export function continues({ status, headers }, at, mark) {
  const [, from, , total] =
    /bytes (\d+)-(\d+)\/(\d+)/.exec(headers.get('content-range') ?? '') ?? [];
  const version = headers.get('etag') ?? headers.get('last-modified') ?? total;
  // a page of another origin may not see content-range: the model's own checksums tell then
  const fits = from === undefined || Number(from) === at;
  return status === 206 && fits && (version === undefined || version === mark);
}

/** @param {number} ms @param {AbortSignal | undefined} signal */
async function pause(ms, signal) {
  await new Promise((resolve) => setTimeout(resolve, ms));
  signal?.throwIfAborted();
}
