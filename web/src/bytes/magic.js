// Files by their first bytes, in a few lines: what a page and its worker need at hand. The rest is file-kind.js's.

import { WispError } from '../error.js';

/** In hexadecimal digits. @param {Uint8Array} bytes @param {string} [between] */
export function hex(bytes, between = '') {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(between);
}

/** @param {Uint8Array} bytes @param {string} magic */
function begins(bytes, magic) {
  return [...magic].every((letter, i) => bytes[i] === letter.charCodeAt(0));
}

/** @param {Uint8Array} piece the first of a file; a shorter one is for the reader to judge */
export const mayBeWisp = (piece) => piece.length < 4 || begins(piece, 'WISP');

/** @param {Uint8Array} file @param {string} name */
export function requireWasm(file, name) {
  if (begins(file, '\0asm')) return;
  const what = begins(file, '<')
    ? 'is a web page. Is the address right? Many servers answer a wrong one so'
    : `begins with ${hex(file.subarray(0, 4), ' ') || 'nothing'}`;
  throw new WispError('WISP_ERR_ENGINE', `${name} is no WebAssembly: it ${what}.`);
}
