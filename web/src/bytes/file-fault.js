// What Node's file system says of a file, in words.

import { saying } from '../error.js';

/** @type {Record<string, string>} */
const REASONS = {
  EACCES: 'permission is denied',
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'that is no address of this machine',
  EDQUOT: 'your share of the disk is used up',
  EFBIG: 'it would be larger than files may be here',
  EIO: 'the disk failed',
  EISDIR: 'it is a folder',
  ELOOP: 'its links lead in a circle',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'its name is too long',
  ENFILE: 'too many files are open',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'what stands before its name is no folder',
  ENXIO: 'it is no ordinary file',
  EPERM: 'permission is denied',
  EROFS: 'the disk is read-only',
};

/**
 * @param {unknown} cause an error of Node's file system
 * @param {string} absent what it means that there is nothing of that name
 */
export function reasonOf(cause, absent) {
  const { code } = /** @type {NodeJS.ErrnoException} */ (cause);
  if (typeof code !== 'string') return saying(cause);
  const why = code === 'ENOENT' ? absent : REASONS[code];
  return why ? `${why} (${code})` : saying(cause);
}
