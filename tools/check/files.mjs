// The project's own files: what git tracks or would, without what others wrote.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../command.mjs';
import { root } from '../places.mjs';

const FOREIGN = /^(wasm\/vendor\/|package-lock\.json$|LICENSE$)/;
const BINARY = /\.(png|jpe?g|webp|gif|bmp|tiff|avif|ico|wisp|wasm|onnx|woff2)$|^tests\/corpus\//;

/** @typedef {{name: string, text: string, lines: string[]}} SourceFile name: from the root, with slashes */

/** @returns {Promise<SourceFile[]>} */
export async function ownFiles() {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  const names = (await run('git', list, { cwd: root })).split('\n').filter(Boolean);
  return names
    .filter((name) => !FOREIGN.test(name) && !BINARY.test(name))
    .flatMap((name) => read(name));
}

/** A file that git still tracks may have been deleted. @param {string} name */
function read(name) {
  try {
    const text = readFileSync(path.join(root, name), 'utf8');
    return [{ name, text, lines: text.replace(/\n$/, '').split('\n') }];
  } catch {
    return [];
  }
}

/** @param {SourceFile} file */
export const isC = ({ name }) => /\.[ch]$/.test(name);
/** @param {SourceFile} file */
export const isScript = ({ name }) => /\.m?js$/.test(name);
