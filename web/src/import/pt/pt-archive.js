// A checkpoint's file as torch.save writes it since PyTorch 1.6: a zip archive of a pickle and the storages.

import { unzipSync } from 'fflate';
import { WispError } from '../../error.js';
import { malformed, unsupported } from '../../graph/graph-error.js';
import { readPickle } from './pickle.js';

/**
 * @typedef {{name: string, size: number, originalSize: number, compression: number}} Entry
 * @typedef {object} CheckpointFile
 * @property {import('./pickled.js').Pickled} value what was saved
 * @property {(keys: Set<string>) => Map<string, Uint8Array>} storages by their keys; missing ones are left out
 * @property {string} format for people
 */

/** Of an entry of a zip archive's directory, without its name. */
const ENTRY_BYTES = 46;

/** torch.save stores; whoever packs a checkpoint again saves some per cent, of one with many zeros more. */
const MOST_GROWTH = 8;

/**
 * Nothing is unpacked but what is asked for, and nothing whose size doesn't fit the file.
 * @param {Uint8Array} bytes
 * @returns {CheckpointFile}
 */
export function openArchive(bytes) {
  const entries = directory(bytes);
  const pickle = pickleOf(entries);
  const folder = pickle.name.slice(0, -PICKLE.length);
  const byteOrder = `${folder}byteorder`;
  const order =
    entries.has(byteOrder) && unpack(bytes, entries, new Set([byteOrder])).get(byteOrder);
  if (order && new TextDecoder().decode(order.subarray(0, 8)).trim() === 'big')
    unsupported('The checkpoint was saved on a big-endian machine; save it again on another.');
  const [file] = unpack(bytes, entries, new Set([pickle.name])).values();
  return {
    value: readPickle(file).value,
    storages: (keys) => {
      const prefix = `${folder}data/`;
      const names = new Set(
        [...keys].map((key) => prefix + key).filter((name) => entries.has(name)),
      );
      const files = unpack(bytes, entries, names);
      return new Map([...files].map(([name, file]) => [name.slice(prefix.length), file]));
    },
    format: 'PyTorch checkpoint',
  };
}

const PICKLE = 'data.pkl';

/** What the archive says it holds. @param {Uint8Array} bytes @returns {Map<string, Entry>} */
function directory(bytes) {
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  let count = 0;
  read(bytes, (entry) => {
    count++;
    if (count * ENTRY_BYTES > bytes.length)
      malformed(`The zip archive lists more files than its ${bytes.length} bytes can hold.`);
    entries.set(entry.name, entry);
    return false;
  });
  return entries;
}

/** @param {Map<string, Entry>} entries @returns {Entry} */
function pickleOf(entries) {
  const names = [...entries.keys()];
  const ends = (/** @type {string} */ end) =>
    names.find((name) => name === end || name.endsWith(`/${end}`));
  const name = ends(PICKLE);
  if (ends('constants.pkl') || names.some((one) => /(^|\/)code\//.test(one)))
    unsupported(
      'This is a TorchScript archive, which holds code instead of a description of its layers; give wisp the ' +
        'checkpoint it was exported from (best.pt), or the export to ONNX.',
    );
  if (name) return /** @type {Entry} */ (entries.get(name));
  return unsupported(
    `This is a zip archive, but no PyTorch checkpoint: it has no ${PICKLE}` +
      `${names.length > 0 ? `, but "${shown(names[0])}"` : ''}.`,
  );
}

/** @param {string} name */
const shown = (name) => name.slice(0, 80);

/**
 * @param {Uint8Array} bytes
 * @param {Map<string, Entry>} entries
 * @param {Set<string>} names
 * @returns {Map<string, Uint8Array>}
 */
function unpack(bytes, entries, names) {
  let stored = 0;
  let unpacked = 0;
  for (const name of names) {
    const { size, originalSize, compression } = /** @type {Entry} */ (entries.get(name));
    if (compression === 0 && size !== originalSize)
      malformed(`"${shown(name)}" of the zip archive has two sizes, ${size} and ${originalSize}.`);
    stored += size;
    unpacked += originalSize;
  }
  if (stored > bytes.length)
    throw new WispError(
      'WISP_ERR_TRUNCATED',
      `The checkpoint is cut short or damaged: its files take ${stored} bytes, it has ${bytes.length}.`,
    );
  if (unpacked > MOST_GROWTH * bytes.length)
    unsupported(
      `The zip archive of ${bytes.length} bytes unpacks to ${unpacked}, and torch.save packs nothing; save it again.`,
    );
  const left = new Set(names); // of two files of a name, the last counts in the directory; the first is read
  const files = read(
    bytes,
    ({ name, size }) => entries.get(name)?.size === size && left.delete(name),
  );
  for (const name of names) {
    const due = entries.get(name)?.originalSize;
    const { length } = files[name] ?? [];
    if (length === due) continue;
    throw new WispError(
      'WISP_ERR_TRUNCATED',
      `The checkpoint is cut short or damaged: "${shown(name)}" has ${length ?? 0} of its ${due} bytes.`,
    );
  }
  return new Map(Object.entries(files));
}

/**
 * @param {Uint8Array} bytes
 * @param {(entry: Entry) => boolean} filter
 * @returns {Record<string, Uint8Array>}
 */
function read(bytes, filter) {
  try {
    return unzipSync(bytes, { filter });
  } catch (cause) {
    if (cause instanceof WispError) throw cause;
    throw new WispError(
      'WISP_ERR_TRUNCATED',
      `The zip archive of ${bytes.length} bytes is damaged or cut short; copy or download it again.`,
      { cause },
    );
  }
}
