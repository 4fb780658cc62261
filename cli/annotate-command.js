// wisp annotate: copies of pictures, films and streams with their boxes drawn in.

import { Command } from 'commander';
import { Detector } from '../web/src/index.js';
import { isOfPicture } from '../web/src/picture/picture-fault.js';
import { requireFfmpeg } from './annotate/ffmpeg.js';
import { annotateFilm } from './annotate/film.js';
import { openCanvas } from './annotate/painter.js';
import { annotatePicture } from './annotate/pictures.js';
import { Lines, Results } from './annotate/results.js';
import { placesOf } from './annotate/sources.js';
import { detecting, detection, looking, positive, whole } from './arguments.js';
import { defaultModel } from './files.js';
import { print } from './singles.js';

/**
 * @typedef {object} OwnOptions
 * @property {string} source
 * @property {string} saveDir
 * @property {string} [name]
 * @property {boolean} save
 * @property {number} [targetFps]
 * @property {number} retries
 *
 * @typedef {OwnOptions & import('./arguments.js').Looking} Options
 */

export function annotateCommand() {
  const command = new Command('annotate')
    .summary('draw boxes into copies of pictures, films and streams')
    .description(
      'Writes copies with boxes drawn in into a new folder, annotation-results/1 and so on: pictures in their\n' +
        'format, films and streams as .mp4, and the boxes as JSON Lines, those of pictures in boxes.jsonl, those of\n' +
        'film.mp4 in film.jsonl. Films, streams and cameras are read and written by ffmpeg. Streams that come\n' +
        'faster than boxes are found lose frames, never time; Ctrl-C ends one, and what was written plays.',
    )
    .usage('[options] [model.wisp] --source <place>')
    .argument('[model]', 'default: the one that comes with wisp')
    .requiredOption(
      '--source <place>',
      'a picture, film, folder, pattern or address (rtsp://… is a stream), or the number of a camera',
    )
    .option('--save-dir <folder>', 'in which a new one is made', 'annotation-results')
    .option('--name <name>', 'of the new folder; NAME-2 where that is taken; default: a number')
    .option('--no-save', 'write nothing: boxes go to standard output, as JSON Lines')
    .option('--target-fps <n>', 'of films and streams, look at no more frames a second', positive)
    .option('--retries <n>', 'of a stream that broke, before it is given up', whole(1000, 0), 8)
    .addHelpText(
      'after',
      `
Examples:
  wisp annotate best.wisp --source street.mp4
  wisp annotate best.wisp --source photos/ --classes person,car
  wisp annotate best.wisp --source rtsp://camera.local/stream1 --target-fps 10
  wisp annotate best.wisp --source 0 --no-save | jq '.boxes[].name'`,
    )
    .action(run);
  return detecting(looking(command), { confidence: 0.25, iou: 0.45 });
}

/** @param {string | undefined} model @param {Options} options */
async function run(model = defaultModel(), options) {
  const { source, save, saveDir, name, targetFps, retries, size, threads } = options;
  const places = await placesOf(source);
  const needsFfmpeg = places.some(({ kind }) => kind !== 'picture');
  const { asTheyCome } = needsFfmpeg ? requireFfmpeg() : { asTheyCome: [] };
  const library = save ? await openCanvas() : undefined;
  const detector = await Detector.open(model, { size, threads });
  const stop = stopping();
  try {
    const wanted = detection(options, detector.info.classes);
    const results = save ? await Results.make(saveDir, name) : undefined;
    const isOfPictures = places.some(({ kind }) => kind === 'picture');
    const lines =
      results && isOfPictures
        ? new Lines(results.file('boxes', '.jsonl'))
        : { write: print, close() {} };
    const shared = { detector, options: wanted, library, results, lines, targetFps, retries };
    const to = { ...shared, signal: stop.signal, asTheyCome };
    for (const place of places) {
      if (stop.signal.aborted) break;
      await annotateOne(place, to);
    }
    lines.close();
    if (results) console.log(results.folder);
  } finally {
    stop.forget();
    await detector.close();
  }
  if (stop.signal.aborted) process.exitCode = 130;
}

/**
 * One that can't be read is reported and the others go on.
 * @param {import('./annotate/sources.js').Place} place
 * @param {import('./annotate/annotation.js').Annotation} to
 */
async function annotateOne(place, to) {
  try {
    await (place.kind === 'picture' ? annotatePicture(place, to) : annotateFilm(place, to));
  } catch (error) {
    if (!isOfPicture(error)) throw error;
    console.error(`wisp: ${error.message} [${error.code}]`);
    process.exitCode = 1;
  }
}

/** The first signal lets what is written end well; the second is the system's. */
function stopping() {
  const stop = new AbortController();
  const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
  const forget = () => {
    for (const signal of signals) process.off(signal, abort);
  };
  const abort = () => {
    forget();
    stop.abort();
  };
  for (const signal of signals) process.on(signal, abort);
  return { signal: stop.signal, forget };
}
