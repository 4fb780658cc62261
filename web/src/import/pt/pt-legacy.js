// A checkpoint's file as torch.save wrote it before PyTorch 1.6: five pickles, and then the storages.

import { WispError } from '../../error.js';
import { malformed, unsupported } from '../../graph/graph-error.js';
import { readPickle } from './pickle.js';
import { wordsFor } from './pickled.js';
import { bytesPerNumber } from './weights.js';

/** The first pickle of such a file. */
const MAGIC = 0x1950a86a20f9469cfc6cn;

const FORMAT_VERSION = 1001;
const COUNT_BYTES = 8;

/**
 * @param {Uint8Array} bytes
 * @returns {import('./pt-archive.js').CheckpointFile}
 */
export function openLegacy(bytes) {
  const magic = readPickle(bytes);
  const version = readPickle(bytes, magic.end);
  if (magic.value !== MAGIC || version.value !== FORMAT_VERSION)
    unsupported(
      `The checkpoint is of format ${wordsFor(version.value)}; wisp reads ${FORMAT_VERSION} and zip archives.`,
    );
  const system = readPickle(bytes, version.end);
  if (system.value instanceof Map && system.value.get('little_endian') === false)
    unsupported('The checkpoint was saved on a big-endian machine; save it again on another.');
  const saved = readPickle(bytes, system.end);
  const places = placesOf(bytes, saved);
  return {
    value: saved.value,
    storages: (keys) => new Map([...places].filter(([key]) => keys.has(key))),
    format: 'PyTorch checkpoint of before 1.6',
  };
}

/**
 * Where each storage lies: the last pickle names them in the order in which they follow it.
 * @param {Uint8Array} bytes
 * @param {ReturnType<typeof readPickle>} saved
 * @returns {Map<string, Uint8Array>}
 */
function placesOf(bytes, { end, storages }) {
  const keys = readPickle(bytes, end);
  if (!Array.isArray(keys.value))
    return malformed("The checkpoint's last pickle is no list of its storages.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const places = new Map();
  let at = keys.end;
  for (const key of keys.value) {
    const storage = storages.get(key);
    if (!storage || places.has(key))
      return malformed(`The checkpoint lists a storage that its pickle doesn't name once.`);
    const begin = at + COUNT_BYTES;
    const count = begin <= bytes.length ? Number(view.getBigInt64(at, true)) : -1;
    at = begin + count * bytesPerNumber(storage.type);
    if (count < 0 || at > bytes.length)
      throw new WispError(
        'WISP_ERR_TRUNCATED',
        `The checkpoint ends early: of ${storages.size} storages, ${places.size} are in its ${bytes.length} bytes; ` +
          'copy or download it again.',
      );
    places.set(key, bytes.subarray(begin, at));
  }
  return places;
}
