// Whether bytes are the ones that were asked for: SHA-256, written as in HTML's integrity attribute.

import { saying, WispError } from '../error.js';

/**
 * All pieces, and then whether they are what `integrity` says.
 * @param {AsyncIterable<Uint8Array>} pieces
 * @param {string} integrity "sha256-" and the hash in base64
 * @param {string} name
 * @param {(whole: Uint8Array<ArrayBuffer>) => Promise<void>} onWhole what to do with them if they are
 */
export async function* checking(pieces, integrity, name, onWhole) {
  const kept = [];
  for await (const piece of pieces) {
    kept.push(new Uint8Array(piece));
    yield piece;
  }
  const whole = new Uint8Array(await new Blob(kept).arrayBuffer());
  const found = await hashOf(whole);
  if (found !== integrity) {
    const sentence = `${name} is not the file that was asked for: it is ${found}, not ${integrity}.`;
    throw new WispError('WISP_ERR_CHECKSUM', sentence);
  }
  await onWhole(whole);
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
export async function hashOf(bytes) {
  if (!globalThis.crypto?.subtle) {
    const sentence = 'This page can check no integrity: hashes need https or localhost.';
    throw new WispError('WISP_ERR_UNSUPPORTED', sentence);
  }
  try {
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return `sha256-${btoa(String.fromCharCode(...hash))}`;
  } catch (cause) {
    throw new WispError('WISP_ERR_MEMORY', `The hash was refused: ${saying(cause)}.`, { cause });
  }
}

/** @param {unknown} integrity */
export function requireIntegrity(integrity) {
  if (typeof integrity === 'string' && /^sha256-[A-Za-z0-9+/]{43}=$/.test(integrity))
    return integrity;
  const sentence = `integrity is "sha256-" and 44 letters of base64, not ${JSON.stringify(integrity)}.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}
