// What Node keeps for its user between runs: where, and whole or not at all. Browsers call none of it.

import { nodeModules } from '../host.js';

/**
 * With the folders above it. Node's own way to do that never ends where none can be made, such as in /proc.
 * @param {string} folder
 */
export async function makeFolder(folder) {
  const { promises } = nodeModules().fs;
  const path = process.getBuiltinModule('node:path');
  const code = (/** @type {unknown} */ thrown) => Reflect.get(Object(thrown), 'code');
  const make = () =>
    promises.mkdir(folder).catch((thrown) => {
      if (code(thrown) !== 'EEXIST') throw thrown;
    });
  await make().catch(async (thrown) => {
    if (code(thrown) !== 'ENOENT') throw thrown;
    await makeFolder(path.dirname(folder));
    await make();
  });
}

/** Of this user, in which models are kept. */
export function keptFolder() {
  const own = process.env.XDG_CACHE_HOME || process.env.LOCALAPPDATA; // whole, or Parcel breaks it
  const { join } = process.getBuiltinModule('node:path');
  return join(own || join(nodeModules().os.homedir(), '.cache'), 'wisp');
}

/** @param {boolean | string} folder true: the user's own @param {string} name */
export function keptPath(folder, name) {
  const { join } = process.getBuiltinModule('node:path');
  return join(typeof folder === 'string' ? folder : keptFolder(), `${name}.wisp`);
}

/** @param {boolean | string} folder @param {string} name @returns {Promise<Uint8Array<ArrayBuffer> | undefined>} */
export async function readKept(folder, name) {
  const bytes = await nodeModules().fs.promises.readFile(keptPath(folder, name));
  return new Uint8Array(bytes);
}

/** @param {boolean | string} folder @param {string} name */
export async function removeKept(folder, name) {
  await nodeModules().fs.promises.rm(keptPath(folder, name), { force: true });
}

/**
 * Whole or not at all: another process may read it at the same time.
 * @param {boolean | string} folder
 * @param {string} name
 * @param {Uint8Array} bytes
 */
export async function keepFile(folder, name, bytes) {
  const { promises } = nodeModules().fs;
  const file = keptPath(folder, name);
  const half = `${file}.${process.pid}.${crypto.randomUUID()}`;
  await makeFolder(process.getBuiltinModule('node:path').dirname(file));
  try {
    await promises.writeFile(half, bytes);
    await promises.rename(half, file);
  } catch (cause) {
    await promises.rm(half, { force: true });
    throw cause;
  }
}
