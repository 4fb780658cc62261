// wisp detect: pictures in, boxes out as JSON, a line for each picture.

import { open } from 'node:fs/promises';
import { Command } from 'commander';
import { fileKind } from '../web/src/bytes/file-kind.js';
import { CodeReader } from '../web/src/code-reader-node.js';
import { Detector, WispError } from '../web/src/index.js';
import { isOfPicture } from '../web/src/picture/picture-fault.js';
import { detecting, detection, looking } from './arguments.js';
import { defaultModel, findPictures, isMany } from './files.js';
import { lineOf, print } from './singles.js';
import { isModelName } from './zoo/list.js';

export function detectCommand() {
  const command = new Command('detect')
    .summary('find objects in pictures')
    .description(
      'Finds objects and prints them as JSON Lines: for each picture one line\n' +
        '  {"file", "width", "height", "boxes": [{"x", "y", "width", "height", "score", "label", "name"}], "times"}\n' +
        'in pixels of the picture and milliseconds. A picture that cannot be read is reported and the others go on.\n' +
        'Without a model, the one that comes with wisp finds bar codes and 2D codes.',
    )
    .usage('[options] [model.wisp] <picture...>')
    .argument(
      '<file...>',
      'a model, if there is one, then picture files, folders, patterns or addresses; - is standard input',
    )
    .addHelpText(
      'after',
      `
Examples:
  wisp detect ticket.jpg
  wisp detect ticket.jpg --read
  wisp detect best.wisp street.jpg
  wisp detect scan-600dpi.png --tiles auto
  wisp detect best.wisp *.jpg --classes person,car --confidence 0.5 > boxes.jsonl
  wisp detect best.wisp photos/ 'more/**/*.png'
  curl -s https://example.com/cat.jpg | wisp detect best.wisp - | jq '.boxes[].name'`,
    )
    .option(
      '--read',
      'print "codes" in place of "boxes", with what they say; needs zxing-wasm: npm install zxing-wasm@^3.1.4',
    )
    .action(run);
  return detecting(looking(command), { confidence: 0.25, iou: 0.45 });
}

/** @param {string[]} files @param {import('./arguments.js').Looking & {read?: boolean}} options */
async function run(files, options) {
  const { model, pictures } = await sorted(files);
  const { size, threads } = options;
  if (options.read && options.masks)
    throw new WispError('WISP_ERR_ARGUMENT', 'Codes have no masks: leave out --read or --masks.');
  const detector = await Detector.open(model, { size, threads });
  try {
    const wanted = detection(options, detector.info.classes);
    const reader = options.read && (await CodeReader.open({ detector }));
    for (const file of (await Promise.all(pictures.map(spreadOut))).flat()) {
      try {
        const source = file === '-' ? await standardInput() : file;
        if (reader) await print(codesLine(file, await reader.read(source, wanted)));
        else await print(lineOf({ file }, await detector.detect(source, wanted)));
      } catch (error) {
        if (!isOfPicture(error)) throw error;
        console.error(`wisp: ${error.message} [${error.code}]`);
        process.exitCode = 1;
      }
    }
  } finally {
    await detector.close();
  }
}

/** @param {string} file @param {import('../web/src/code-reader.js').CodeResult} result @returns {string} JSON */
function codesLine(file, { codes, width, height }) {
  const short = codes.map(({ bytes, ...code }) => code); // JSON has none
  return JSON.stringify({ file, width, height, codes: short });
}

/** The pictures of a folder or a pattern; what else is named is left to the detector. @param {string} place */
async function spreadOut(place) {
  if (!isMany(place)) return [place];
  const pictures = await findPictures([place]);
  if (pictures.length === 0) {
    console.error(`wisp: ${place}: there are no pictures in it. [WISP_ERR_SOURCE]`);
    process.exitCode = 1;
  }
  return pictures;
}

/** A model comes first, or not at all. @param {string[]} files */
async function sorted(files) {
  const [first, ...others] = files;
  if (!(await isModel(first))) return { model: defaultModel(), pictures: files };
  if (others.length > 0) return { model: first, pictures: others };
  throw new WispError('WISP_ERR_ARGUMENT', `Name a picture after ${first}.`);
}

/** A file of this machine by its bytes: one for other tools is refused as a model. @param {string} place */
async function isModel(place) {
  if (isModelName(place)) return true;
  const named = /\.(wisp|onnx|pt|pth|tflite|pb|engine|safetensors)([?#].*)?$/i.test(place);
  const head = await headOf(place);
  if (!head) return named;
  const { sort } = fileKind(head);
  return sort === 'model' || sort === 'network' || (sort === 'other' && named);
}

/** @param {string} place @returns {Promise<Uint8Array | null>} null where no file of this machine is */
async function headOf(place) {
  const file = await open(place).catch(() => null);
  try {
    return file && (await file.read(new Uint8Array(HEAD), 0, HEAD, 0).then(taken));
  } catch {
    return null; // a folder
  } finally {
    await file?.close();
  }
}

/** @param {{bytesRead: number, buffer: Uint8Array}} read */
const taken = ({ bytesRead, buffer }) => buffer.subarray(0, bytesRead);

const HEAD = 4096; // bytes

async function standardInput() {
  const parts = [];
  for await (const part of process.stdin) parts.push(part);
  return Buffer.concat(parts);
}
