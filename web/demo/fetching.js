// fetching.js - asks for an address and brings what is there, with progress.

/**
 * @param {URL} url
 * @param {AbortSignal} signal
 * @param {(loaded: number, total: number) => void} onProgress bytes; total 0: unknown
 * @returns {Promise<File>}
 */
export async function fetchFile(url, signal, onProgress) {
  const response = await respond(url, signal);
  const type = response.headers.get('content-type')?.split(';')[0].trim() ?? '';
  const name = url.pathname.split('/').pop() || url.hostname;
  if (type === 'text/html') {
    throw new Error(`${url.href} is a web page. Give the address of the file itself.`);
  }
  const total = Number(response.headers.get('content-length')) || 0;
  return new File(await chunks(response, total, onProgress), name, { type });
}

/** What may be fetched. @param {string} address */
export function checked(address) {
  const url = new URL(address, location.href);
  if (url.protocol === 'https:' || url.origin === location.origin) return url;
  throw new Error(`“${address}” is not an address that starts with https://.`);
}

/** @param {URL} url @param {AbortSignal} signal */
async function respond(url, signal) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(url, { signal, referrerPolicy: 'no-referrer' });
  } catch (error) {
    if (signal.aborted) throw error;
    const reason = `${url.host} can't be reached or keeps other pages from reading it (CORS)`;
    throw new Error(`${reason}. Download the file and drop it here instead.`, { cause: error });
  }
  if (response.ok) return response;
  throw new Error(
    `${url.host} answered ${response.status} for ${url.pathname}. Check the address.`,
  );
}

/**
 * @param {Response} response
 * @param {number} total
 * @param {(loaded: number, total: number) => void} onProgress
 */
async function chunks(response, total, onProgress) {
  const reader = /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */ (response.body).getReader();
  const parts = [];
  let loaded = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return parts;
    parts.push(value);
    loaded += value.byteLength;
    onProgress(loaded, total);
  }
}
