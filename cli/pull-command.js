// wisp pull: models by name, fetched where their makers publish them, pressed here, kept for all commands.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { keepFile, keptPath, makeFolder } from '../web/src/bytes/kept.js';
import { keptFile, notePath } from '../web/src/bytes/pulled.js';
import { WispError } from '../web/src/index.js';
import { Press } from '../web/src/press.js';
import { whole } from './arguments.js';
import { findPictures, spread, unwritable } from './files.js';
import { observe, quantise } from './pressing.js';
import { fetchSource, hashOfBytes } from './zoo/fetching.js';
import { findEntry, readZoo } from './zoo/list.js';
import { picturesIn } from './zoo/pictures.js';

/**
 * @typedef {import('./zoo/list.js').Zoo} Zoo
 * @typedef {import('./zoo/list.js').Wanted} Wanted
 * @typedef {import('./zoo/list.js').Source} Source
 *
 * @typedef {object} Options
 * @property {boolean} [acceptLicence]
 * @property {string[]} [calib]
 * @property {number} limit
 * @property {number} [threads]
 *
 * @typedef {{pictures: import('../web/src/press.js').PictureSource[], from: string}} Shown
 */

export function pullCommand() {
  return new Command('pull')
    .summary('fetch and press a known model, to be used by its name')
    .description(
      'Fetches what its makers publish, checks it, presses it here and keeps the result in your cache folder. Then\n' +
        'commands that detect take the name, and Detector.open under Node. Without a name: what there is.\n' +
        'yolov5n@25 is yolov5n with 25 % of the blocks of weights zero, which is faster and finds a little less.',
    )
    .argument('[name...]', 'such as yolov5n')
    .option('--accept-licence', 'you have read the licence of the model and keep to it')
    .option(
      '--calib <place>',
      "a folder of pictures like those you will look at; default: the list's own, fetched too",
      (/** @type {string} */ one, /** @type {string[]} */ before = []) => [...before, one],
    )
    .option('--limit <n>', 'at most so many pictures, spread over all', whole(1e6), 128)
    .option('--threads <n>', 'default: all cores but one, at most 8', whole(64))
    .addHelpText(
      'after',
      `
Examples:
  wisp pull yolov5n --accept-licence
  wisp detect yolov5n street.jpg
  wisp pull yolov5s@40 --calib photos/ --accept-licence

WISP_ZOO names another list (an address or a file), in the form of models/zoo.json.`,
    )
    .action(run);
}

/** @param {string[]} names @param {Options} options */
async function run(names, options) {
  const zoo = await readZoo();
  if (names.length === 0) return console.log(await tableOf(zoo));
  const wanted = names.map((name) => findEntry(zoo, name));
  for (const entry of wanted) await pull(zoo, entry, options);
}

/** @param {Zoo} zoo */
async function tableOf({ models }) {
  const rows = models.map(async ({ name, bytes, about, licence }) => {
    const size = bytes ? `${(bytes / 1e6).toFixed(1)} MB` : '';
    const mark = (await keptFile(name)) ? 'pulled' : '';
    return `${name.padEnd(13)}${size.padStart(9)}  ${mark.padEnd(8)}${about}; ${licence}`;
  });
  return (await Promise.all(rows)).join('\n');
}

/** @param {Zoo} zoo @param {Wanted} entry @param {Options} options */
async function pull(zoo, entry, options) {
  const { name } = entry;
  const there = options.calib ? undefined : await keptFile(name);
  if (there) {
    console.error(`${name} is here already.`);
    return console.log(there);
  }
  const set = options.calib ? undefined : setOf(zoo, entry);
  for (const source of [entry, ...(set ? [set] : [])]) showLicence(source, zoo);
  if (!options.acceptLicence) {
    const sentence = `${name} is under ${entry.licence}: if you keep to it, add --accept-licence. Nothing was fetched.`;
    throw new WispError('WISP_ERR_ARGUMENT', sentence);
  }
  const given = options.calib && (await named(options.calib, options.limit));
  const fetched = await fetchSaying(entry);
  const shown = given ?? (await fetchedPictures(/** @type {Source} */ (set), options.limit));
  const { bytes, seen, settings } = await pressed(fetched.file, entry, shown, options);
  const sha256 = hashOfBytes(bytes);
  const { address, licence } = entry;
  const source = { address, sha256: fetched.sha256 };
  const pictures = { count: seen, from: shown.from };
  await keep(bytes, {
    ...{ name, sha256, bytes: bytes.length, licence, source, pictures, settings },
  });
  const kB = (bytes.length / 1000).toFixed(0);
  const seenOf = `${seen} picture${seen === 1 ? '' : 's'} of ${shown.from}`;
  console.error(
    `${name}: ${kB} kB, calibrated on ${seenOf}; "wisp detect ${name} street.jpg" uses it.`,
  );
  console.log(keptPath(true, sha256));
}

/** @param {Zoo} zoo @param {Wanted} entry @returns {Source} */
function setOf({ pictures }, { name, pictures: set }) {
  const found = pictures.find((one) => one.name === set);
  if (found) return found;
  const sentence = `The list has no pictures to press ${name} with: name some with --calib.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}

/** @param {Source} source @param {Zoo} zoo */
function showLicence({ name, about, address, licence }, { licences }) {
  const where = licences[licence] ? `, ${licences[licence]}` : '';
  console.error(`${name}: ${about}\n  from     ${address}\n  licence  ${licence}${where}`);
}

/** @param {string[]} places @param {number} limit @returns {Promise<Shown>} */
async function named(places, limit) {
  const pictures = spread(await findPictures(places), limit);
  if (pictures.length > 0)
    return { pictures, from: places.map((one) => path.basename(one)).join() };
  throw new WispError('WISP_ERR_SOURCE', `${places.join(', ')}: there are no pictures in it.`);
}

/** @param {Source} source */
async function fetchSaying(source) {
  const fetched = await fetchSource(source);
  if (fetched.isNew)
    console.error(
      `${source.name}: SHA-256 ${fetched.sha256}; the list has none to compare, from now on it has to stay so.`,
    );
  return fetched;
}

/** @param {Source} set @param {number} limit @returns {Promise<Shown>} */
async function fetchedPictures(set, limit) {
  const { file } = await fetchSaying(set).catch((thrown) => {
    if (!(thrown instanceof WispError)) throw thrown;
    const sentence = `${thrown.message} Pictures of your own will do: --calib photos/.`;
    throw new WispError(thrown.code, sentence, { cause: thrown });
  });
  return { pictures: await picturesIn(file, limit), from: set.name };
}

/** @param {string} file @param {Wanted} entry @param {Shown} shown @param {Options} options */
async function pressed(file, { base, address, licence, press: wish }, shown, { threads }) {
  const press = await Press.open(file, {
    threads,
    name: path.posix.basename(new URL(address).pathname),
  });
  try {
    await press.settings(wish); // before minutes go into pictures
    const seen = await observe(press, shown.pictures);
    if (seen === 0) {
      const sentence = `No picture of ${shown.from} can be read; ${base} can't be pressed without.`;
      throw new WispError('WISP_ERR_SOURCE', sentence);
    }
    const { settings } = await quantise(press, wish);
    return { bytes: await press.pack({ address, licence }), seen, settings };
  } finally {
    await press.close();
  }
}

/** @param {Uint8Array} bytes @param {import('../web/src/bytes/pulled.js').Pulled} pulled */
async function keep(bytes, pulled) {
  const note = notePath(pulled.name);
  try {
    await keepFile(true, pulled.sha256, bytes);
    await makeFolder(path.dirname(note));
    await writeFile(note, `${JSON.stringify(pulled, null, 2)}\n`);
  } catch (cause) {
    throw unwritable(note, cause, 'no folder can be made there');
  }
}
