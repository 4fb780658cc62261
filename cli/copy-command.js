// wisp copy: what some bundlers leave behind, in a folder that the app's server serves.

import { copyFile, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { makeFolder } from '../web/src/bytes/kept.js';
import { WispError } from '../web/src/index.js';
import { unwritable } from './files.js';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

/** As they stand in the package, whose addresses of one another stay true. @type {Record<string, RegExp>} */
const FILES = {
  'dist/web': /\.js$/,
  dist: /^[^/\\]+\.(mjs|wasm)$/,
  models: /\.wisp$/,
};
const NOT_FOR_PAGES = ['wisp-wasi.wasm', 'pictures.wasm'];

export function copyCommand() {
  return new Command('copy')
    .summary("put wisp's own files where your app's server finds them")
    .description(
      "Copies wisp's workers, WebAssembly and model into a folder of your app. Bundlers that leave these behind\n" +
        '(Angular, esbuild, Parcel, Rollup) need this after each new version of wisp, and in the app\n' +
        "the folder's address: Detector.open(model, { base: '/wisp/' }).",
    )
    .argument(
      '<folder>',
      'that your server serves, such as public/wisp; files of the same names are replaced',
    )
    .addHelpText(
      'after',
      `
Example:
  wisp copy public/wisp`,
    )
    .action(run);
}

/** @param {string} folder */
async function run(folder) {
  await requireOtherPlace(folder);
  let count = 0;
  for (const [place, wanted] of Object.entries(FILES)) {
    const from = path.join(PACKAGE, place);
    const names = await readdir(from, { recursive: true });
    const files = names.filter((name) => wanted.test(name) && !NOT_FOR_PAGES.includes(name));
    await put(files, from, path.join(folder, place));
    count += files.length;
  }
  const address = `/${path.basename(path.resolve(folder))}/`;
  console.error(
    `${folder}: ${count} files. Detector.open(model, { base: '${address}' }) if your server serves it there; ` +
      `the model that comes with wisp is ${address}models/codes.wisp.`,
  );
}

/** @param {string} folder */
async function requireOtherPlace(folder) {
  const there = await realpath(folder || '.').catch(() => undefined);
  if (there !== (await realpath(PACKAGE))) return;
  const sentence = `${folder || '.'} is wisp's own folder: name one that your app's server serves.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}

/** Nothing else that is there is touched. @param {string[]} files @param {string} from @param {string} to */
async function put(files, from, to) {
  try {
    for (const folder of new Set(files.map((name) => path.dirname(path.join(to, name)))))
      await makeFolder(folder);
    for (const name of files) await copyFile(path.join(from, name), path.join(to, name));
  } catch (cause) {
    throw unwritable(to, cause, 'no folder can be made there');
  }
}
