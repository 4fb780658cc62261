// wisp bench: how fast, side by side with other engines in one run.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { list, size, whole } from '../cli/arguments.js';
import { fileError, requireThere, requireWritable, writeWhole } from '../cli/files.js';
import { Progress } from '../cli/progress.js';
import { WispError } from '../web/src/index.js';
import { engines, PLACES, presets } from './plan.js';

/**
 * @typedef {object} Options
 * @property {string[]} [preset]
 * @property {string[]} [engine]
 * @property {string[]} [model]
 * @property {import('./plan.js').PlaceName[]} browser
 * @property {number[]} threads
 * @property {{height: number, width: number}} size
 * @property {'sync' | 'async'} scenario
 * @property {number} streams
 * @property {boolean} [rect]
 * @property {number} batch
 * @property {number} warmup
 * @property {number} iterations
 * @property {number} [time] seconds
 * @property {number} pause milliseconds
 * @property {string} [image]
 * @property {string} [onnx]
 * @property {string} [onnxInt8]
 * @property {string} [tfliteInt8]
 * @property {string} [tfliteFp16]
 * @property {'mean' | 'median' | 'min'} by
 * @property {string[]} v8Flags
 * @property {boolean} [layers]
 * @property {boolean} [starts]
 * @property {string} [json]
 * @property {string} [svg]
 */

const ENGINES = Object.keys(engines);
const PRESETS = Object.keys(presets);

const HELP = `
Networks: yolov5n to -x, yolov5nu to -xu, yolov8n to -x, v5lite-e, -s, -c and -g have random weights, which cost what
trained ones cost; yolov5n@75 has 75 % of its 1×4 blocks zeroed at random. An .onnx file is pressed first, a .wisp file
runs as it is.

Engines take turns, one image each, so that what slows the machine slows all alike. The peers (onnxruntime-web,
onnxruntime-node, LiteRT.js) come from npm when they are first asked for. Times are from the call to the boxes:
letterbox, network, decoding and NMS, and the messages to the worker; "pre", "engine" and "post" are their parts.

Presets:
${PRESETS.map((name) => `  ${name.padEnd(10)}${presets[name].about}`).join('\n')}

Examples:
  wisp bench
  wisp bench --preset dense,sparse50,sparse75,native --threads 1,2 --json run.json --svg run.svg
  wisp bench -e wisp-relaxed -e ort-web -m best.onnx@50 --image street.jpg --time 60
  wisp bench --browser firefox --batch 8`;

/** @param {import('commander').Command} command gets its options here, and what it does */
export function fillBench(command) {
  command
    .description(
      'Measures wisp and other engines in one run: same machine, picture, size and threads.',
    )
    .option('-p, --preset <names>', `any of ${PRESETS.join(', ')}; default: quick`, among(PRESETS))
    .addOption(
      several('-e, --engine <name>', `any of ${ENGINES.join(', ')}; may be repeated`, ENGINES),
    )
    .addOption(several('-m, --model <network>', 'may be repeated; default: yolov5n'))
    .option('--browser <names>', `any of ${PLACES.join(', ')}`, among(PLACES), ['chromium'])
    .option('-c, --threads <counts>', 'one or several, e.g. 1,2', counts, [1])
    .addOption(
      new Option('--size <size>', "of the network's input, e.g. 640 or 384x640")
        .argParser(size)
        .default(size('640'), '640'),
    )
    .option(
      '--rect',
      'wisp computes what the picture needs of the input, its default; peers all of it',
    )
    .option('-b, --batch <n>', 'images a call', whole(64), 1)
    .addOption(
      new Option('-s, --scenario <name>', 'one call after the other, or several at once')
        .choices(['sync', 'async'])
        .default('sync'),
    )
    .option('--streams <n>', 'calls under way at once in the async scenario', whole(64), 2)
    .option('-w, --warmup <n>', 'rounds that do not count', whole(1e6, 0), 25)
    .option('-i, --iterations <n>', 'rounds that count', whole(1e6), 80)
    .option('-t, --time <seconds>', 'instead of iterations: as many rounds as fit', whole(1e6))
    .option(
      '--pause <ms>',
      'before each turn, for the threads of the last one to sleep',
      whole(1e5, 0),
      40,
    );
  command.addOption(
    new Option(
      '--by <statistic>',
      'what ratios and the chart show; "min" where others use the machine',
    )
      .choices(['mean', 'median', 'min'])
      .default('mean'),
  );
  withFiles(command).addHelpText('after', HELP).action(run);
}

/** @param {import('commander').Command} command */
function withFiles(command) {
  return command
    .option('--image <file>', 'JPEG, PNG or WebP; default: a drawn scene of 1280 × 720')
    .option('--onnx <file>', 'what onnxruntime runs; default: the network that wisp runs')
    .option('--onnx-int8 <file>', 'the same for its INT8')
    .option('--tflite-int8 <file>', 'what LiteRT.js runs; default: the network that wisp runs')
    .option('--tflite-fp16 <file>', 'the same for its FP16')
    .option('--v8-flags <flags>', 'for Chromium and Node, e.g. --no-enable-avx-vnni', flagList, [])
    .option('--layers', 'instead: what each layer of wisp takes, against the peak of this machine')
    .addOption(
      new Option('--starts', 'instead: what opening wisp and its first detection take').conflicts(
        'layers',
      ),
    )
    .option('--json <file>', 'everything that was measured')
    .option('--svg <file>', 'a chart');
}

/** An option whose values gather. @param {string} flags @param {string} description @param {string[]} [names] */
function several(flags, description, names) {
  const parse = names ? among(names) : list;
  return new Option(flags, description).argParser(
    (/** @type {string} */ value, /** @type {string[]} */ before = []) => [
      ...before,
      ...parse(value),
    ],
  );
}

/** @param {readonly string[]} names @returns {(text: string) => any[]} */
function among(names) {
  return (text) => {
    const chosen = list(text);
    if (chosen.length > 0 && chosen.every((name) => names.includes(name))) return chosen;
    throw new InvalidArgumentError(`It is any of ${names.join(', ')}.`);
  };
}

/** @param {string} text */
const flagList = (text) => text.split(/\s+/).filter(Boolean);

/** @param {string} text */
const counts = (text) => list(text).map((count) => whole(64)(count));

/** What is read, but for the picture. @param {Options} options */
function filesOf({ model = [], onnx, onnxInt8, tfliteInt8, tfliteFp16 }) {
  const models = model.map((name) => name.replace(/@[^@]*$/, ''));
  const named = models.filter((name) => /\.(onnx|wisp)$/i.test(name));
  return [...named, onnx, onnxInt8, tfliteInt8, tfliteFp16].filter((file) => file !== undefined);
}

/** @param {Options} options */
async function run(options) {
  for (const file of [options.json, options.svg]) if (file) requireWritable(file);
  filesOf(options).forEach(requireThere);
  const [{ bench }, { drawChart }, { showReport }, picture] = await Promise.all([
    import('./measure.js'),
    import('./report/bars.js'),
    import('./report/table.js'),
    readPicture(options.image),
  ]);
  const { preset, engine, model, threads, browser, batch, layers, starts } = options;
  const { warmup, iterations, time: seconds, pause: pauseMs, v8Flags } = options;
  const { onnx, onnxInt8, tfliteInt8, tfliteFp16 } = options;
  const progress = seconds ? null : new Progress('measuring', warmup + iterations);
  const report = await bench({
    ...{ presets: preset, engines: engine, models: model, threads, browsers: browser },
    ...((layers || starts) && { view: layers ? 'layers' : 'starts' }),
    ...{ size: options.size, rect: Boolean(options.rect), batch, ...picture },
    streams: options.scenario === 'async' ? options.streams : 1,
    course: { warmup, iterations, seconds, pauseMs },
    files: { onnx, onnxInt8, tfliteInt8, tfliteFp16 },
    v8Flags,
    command: ['wisp', ...process.argv.slice(2)].join(' '),
    say: (line) => console.error(line),
    onRound: () => progress?.step(),
  }).finally(() => progress?.end());
  if (options.json) writeWhole(options.json, `${JSON.stringify(report, null, 2)}\n`);
  if (options.svg && report.lanes.length > 0)
    writeWhole(options.svg, drawChart(report, options.by));
  console.log(showReport(report, options.by));
  if (report.lanes.length === 0 && !report.layers?.length && !report.starts?.length)
    throw new WispError('WISP_ERR_ENGINE', 'Nothing could be measured.');
}

/** @param {string | undefined} file */
async function readPicture(file) {
  if (!file) {
    const { drawScene } = await import('../web/src/picture/scene.js');
    return { frame: drawScene(), picture: 'drawn scene' };
  }
  const { decodeImage } = await import('../web/src/reading/read-node.js');
  const bytes = await readFile(file).catch((cause) => {
    throw fileError(file, cause);
  });
  return { frame: await decodeImage(bytes), picture: path.basename(file) };
}
