// What calls in a pickle give: the few names that a checkpoint's tensors need are known, all others stay data.

import { malformed, unsupported } from '../../graph/graph-error.js';
import { Made, Name, Storage, Tensor } from './pickled.js';

/** @typedef {import('./pickled.js').Pickled} Pickled */

/** Axes of a tensor. */
const MOST_AXES = 8;

/** Letters that stand for the bytes of one number. */
const NUMBER_LETTERS = 16;

/** Python's own functions that a checkpoint may name: they make values. */
const HARMLESS =
  /^(set|frozenset|dict|list|tuple|slice|complex|range|int|float|bool|str|bytes|bytearray|object|type|getattr|print)$/;

/** Modules whose functions run programs, load code or open connections: no network needs one. */
const HARMFUL = new Set(
  (
    'os posix nt sys subprocess pty commands shutil socket http urllib urllib2 requests asyncio multiprocessing ' +
    'runpy importlib imp pkgutil code ctypes cffi pdb bdb timeit profile cProfile webbrowser pip ensurepip ' +
    'pickle _pickle cPickle marshal'
  ).split(' '),
);

/** Letters of a class's name, and of its module's. */
const LONGEST_NAME = 400;

/**
 * @param {string} module
 * @param {string} name
 * @returns {Name}
 */
export function nameOf(module, name) {
  if (module.length > LONGEST_NAME || name.length > LONGEST_NAME)
    malformed(
      `The checkpoint's pickle has a class whose name is ${module.length + name.length} letters long.`,
    );
  const isBuiltin = module === 'builtins' || module === '__builtin__';
  if (isBuiltin ? !HARMLESS.test(name) : HARMFUL.has(module.split('.')[0])) {
    unsupported(
      `The checkpoint calls ${module}.${name}, which no network needs and which can do harm. wisp runs nothing that ` +
        "stands in a file; don't load this one in Python, and get it anew from whom you trust.",
    );
  }
  return new Name(module, name);
}

/** @type {Map<string, (args: Pickled[]) => Pickled | undefined>} */
const TENSORS = new Map([
  ['torch._utils._rebuild_tensor', tensor],
  ['torch._utils._rebuild_tensor_v2', tensor],
  ['torch._utils._rebuild_parameter', ([data]) => data],
  ['torch._utils._rebuild_parameter_with_state', ([data]) => data],
]);

/** @type {Map<string, (args: Pickled[]) => Pickled | undefined>} */
const CALLS = new Map([
  ...TENSORS,
  ['torch._tensor._rebuild_from_type_v2', withAttributes],
  ['torch.Size', ([sizes]) => sizes],
  ['collections.OrderedDict', (args) => (args.length === 0 ? new Map() : undefined)],
  ['_codecs.encode', encoded],
]);

/**
 * @param {Pickled} type what is called
 * @param {Pickled} args
 * @returns {Pickled}
 */
export function call(type, args) {
  if (!(type instanceof Name) || !Array.isArray(args))
    return malformed("The checkpoint's pickle calls something that is no function.");
  return CALLS.get(String(type))?.(args) ?? new Made(type, args);
}

/**
 * A tensor that has attributes of its own.
 * @param {Pickled[]} args the call that makes it, its class, that call's arguments
 */
function withAttributes([made, , args]) {
  return Array.isArray(args) ? TENSORS.get(String(made))?.(args) : undefined;
}

/** @param {Pickled[]} args storage, offset, sizes, strides @returns {Tensor} */
function tensor([storage, offset, size, stride]) {
  const whole = (/** @type {Pickled} */ list) =>
    Array.isArray(list) && list.length <= MOST_AXES && list.every(isCount);
  if (!(storage instanceof Storage) || !isCount(offset) || !whole(size) || !whole(stride))
    return malformed("A tensor of the checkpoint lacks its storage, or its size isn't whole.");
  const [sizes, strides] = /** @type {number[][]} */ ([size, stride]);
  if (sizes.length !== strides.length)
    malformed(
      `A tensor of the checkpoint has ${sizes.length} sizes and ${strides.length} strides.`,
    );
  return new Tensor(storage, offset, sizes, strides);
}

/** @param {unknown} value @returns {value is number} */
const isCount = (value) => Number.isSafeInteger(value) && Number(value) >= 0;

/** Bytes, as protocol 2 spells them. @param {Pickled[]} args @returns {Uint8Array | undefined} */
function encoded([text, encoding]) {
  if (typeof text !== 'string' || encoding !== 'latin1' || text.length > NUMBER_LETTERS) return;
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/**
 * What a checkpoint keeps beside its pickle: storages, in old files also classes with their source.
 * @param {Pickled} id
 * @returns {Storage | Name}
 */
export function persistent(id) {
  const [kind, type, key, , count] = Array.isArray(id) ? id : [];
  if (kind === 'module' && type instanceof Name) return type;
  if (kind === 'storage' && type instanceof Name && typeof key === 'string' && isCount(count))
    return new Storage(type.name, key, count);
  return malformed("The checkpoint's pickle names something beside it that is no storage.");
}
