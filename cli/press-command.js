// wisp press: an ONNX file and calibration pictures in, a .wisp file out.

import path from 'node:path';
import { Command, Option } from 'commander';
import { WispError } from '../web/src/index.js';
import { Press } from '../web/src/press.js';
import { VERSION } from '../web/src/version.js';
import { anchors, bits, fraction, list, positive, reading, size, whole } from './arguments.js';
import { findPictures, requireOther, requireWritable, spread, writeWhole } from './files.js';
import { labelled, readLabels } from './labels/labels.js';
import { observe, quantise } from './pressing.js';
import { pressAtRandom } from './random-network.js';
import { pageOf } from './report/page.js';
import { lineOf, markBest } from './report/report.js';
import { fileOf, sweep } from './sweep.js';
import { Yardstick } from './yardstick.js';

/**
 * @typedef {import('./report/report.js').Line} Line
 *
 * @typedef {object} Options
 * @property {string[]} [calib]
 * @property {string} [random]
 * @property {number} sparsity
 * @property {string} [output]
 * @property {{height: number, width: number}} [size]
 * @property {string[]} [classes]
 * @property {number[][]} [anchors]
 * @property {number | 'auto'} [bits]
 * @property {number} [targetLoss]
 * @property {import('../web/src/press.js').QuantiseOptions['method']} [method]
 * @property {boolean} [uniform]
 * @property {import('../web/src/press.js').QuantiseOptions['blocks']} [blocks]
 * @property {number} [seed]
 * @property {number} [threads]
 * @property {number} limit
 * @property {string} [background]
 * @property {number} [maxPixels]
 * @property {number} [channels]
 * @property {string[]} [report]
 * @property {string} [data]
 * @property {string} [labels]
 * @property {import('./labels/data-yaml.js').Split} [split]
 * @property {import('./sweep.js').Sweep} [sweep]
 */

export function pressCommand() {
  const command = new Command('press')
    .summary('make a .wisp file of a PyTorch checkpoint, an ONNX or a TFLite file')
    .description(
      'Presses a YOLOv5 (.pt, .onnx or .tflite) into a .wisp file of 8-bit integers.\n' +
        'The calibration pictures are like those the network will see; they need no labels. A network that was\n' +
        'trained with QuantizeLinear nodes, as models/train exports it, needs none and keeps its integers.',
    )
    .argument('[model]', "best.pt as YOLOv5's train.py writes it, or best.onnx of its export.py")
    .option('--calib <place>', 'a folder of pictures, or one picture; may be repeated', several)
    .option(
      '-o, --output <file>',
      'default: beside the model, under its name; an .onnx file gets the pressed weights as floats',
    )
    .option(
      '--size <size>',
      "of the network's input, e.g. 640 or 384x640; default: as exported",
      size,
    )
    .option(
      '--anchors <lists>',
      "of an export that doesn't decode its boxes: '10,13,16,30,33,23 30,61,…', a list a head; default: YOLOv5's own",
      anchors,
    )
    .option('--classes <names>', 'keep only these, by name or number, e.g. person,car', list)
    .option(
      '--bits <n>',
      'of a weight, 2 to 7, or auto: each layer its own, by what the end result loses; default: 7',
      bits,
    )
    .option(
      '--target-loss <loss>',
      'as many zeros as the end result may lose, e.g. 0.5; with --bits auto as few bits',
      positive,
    )
    .option(
      '--channels <share>',
      'of the work that goes with whole channels, at most 0.7; untrained this costs much accuracy',
      fraction,
    )
    .option('--sparsity <share>', 'of the blocks of weights that become zero', fraction, 0)
    .option(
      '--method <name>',
      'of making zeros: obs, the default, repairs what is left, l1 is as torch_utils.prune',
    )
    .option('--uniform', 'the same share of zeros in every layer')
    .option(
      '--blocks <shape>',
      'of weights that become zero together: 1x4, which the runtime skips, 1x2 or 1x1',
    )
    .option('--seed <n>', 'of what is drawn by lot', whole(2 ** 32 - 1, 0))
    .option('--threads <n>', 'default: all cores but one, at most 8', whole(64))
    .option('--limit <n>', 'at most so many pictures, spread over all', whole(1e6), 128)
    .option('--report <file>', 'what was done and what it costs, as .html or .json', several)
    .option(
      '--sweep <values>',
      'a press for each, e.g. sparsity=0.1..0.6, sparsity=0.2,0.5 or bits=4..7',
      sweep,
    )
    .addOption(
      new Option(
        '--random <name>',
        'no model: random weights, as yolov5n to -x, yolov5nu to -xu, yolov8n to -x, v5lite-e, -s, -c or -g',
      ).conflicts(OF_MODELS),
    )
    .addHelpText(
      'after',
      `
Examples:
  wisp press best.pt --calib photos/
  wisp press --random yolov5s --sparsity 0.5 -o speed.wisp
  wisp press best.onnx --calib photos/ --classes person,car -o street.wisp
  wisp press best.onnx --calib photos/ --sparsity 0.5 -o half.onnx     to train further (models/train)
  wisp press best.onnx --calib photos/ --target-loss 0.5
  wisp press best.onnx --calib photos/ --sweep sparsity=0.1..0.5 --report report.html
  wisp press best.onnx --calib train/ --calib night/ --limit 300 --size 384x640 -o wide.wisp`,
    )
    .action(run);
  return labelled(reading(command));
}

const ONNX = /\.onnx$/i;
const MODEL = /\.(onnx|pth?|tflite)$/i;

/** Options that a network of random weights has no use for. */
const OF_MODELS = [
  ...[
    'calib',
    'limit',
    'anchors',
    'classes',
    'bits',
    'targetLoss',
    'channels',
    'method',
    'uniform',
  ],
  ...['blocks', 'seed', 'report', 'data', 'labels', 'split', 'sweep', 'background', 'maxPixels'],
];

/** @param {string} one @param {string[]} before */
const several = (one, before = []) => [...before, one];

/** @param {string | undefined} model @param {Options} options @param {Command} command */
async function run(model, options, command) {
  const { random } = options;
  if (random !== undefined) return pressAtRandom(model, { ...options, random });
  if (model === undefined) return command.error("error: missing required argument 'model'");
  requireOpen(options);
  const output = options.output ?? `${model.replace(MODEL, '')}.wisp`;
  const inFloats = ONNX.test(output);
  if (inFloats && options.channels) throw channelsInFloats(output);
  const jobs = jobsOf(output, options);
  for (const file of [...jobs.map((job) => job.file), ...(options.report ?? [])]) {
    requireOther(file, model);
    requireWritable(file);
  }
  const { calib, limit, threads, size: input, classes, anchors } = options;
  const pictures = calib ? spread(await findPictures(calib), limit) : [];
  if (calib && pictures.length === 0) throw nothingSeen(calib, 'no pictures in it');
  const labels = await readLabels(options);
  const press = await Press.open(model, { threads, size: input, classes, anchors });
  try {
    for (const remark of press.info.remarks) console.error(`${model}: ${remark}.`);
    if (!calib && !press.info.trained)
      command.error("error: required option '--calib <place>' not specified");
    if (!calib) requireNoChange(model, command);
    for (const { settings } of jobs) await press.settings(settings); // before hours go into pictures
    if (inFloats) await press.network(); // refuses what can't be written before hours go into it
    await pressAll(press, jobs, { pictures, labels }, options);
  } finally {
    await press.close();
  }
}

/** @typedef {{file: string, label: string, settings: import('../web/src/press.js').QuantiseOptions}} Job */

/**
 * @param {Press} press
 * @param {Job[]} jobs
 * @param {{pictures: string[], labels: import('./labels/labels.js').Labels | null}} shown
 * @param {Options} options
 */
async function pressAll(press, jobs, { pictures, labels }, options) {
  const { calib, report, channels, background, maxPixels } = options;
  const reads = { background, maxPixels };
  const seen = await observe(press, pictures, reads);
  if (calib && seen === 0) throw nothingSeen(calib, 'no picture that can be read in it');
  warnOfFew(seen, jobs);
  const isJudged = labels !== null || (report !== undefined && seen > 0);
  const yardstick = isJudged ? await Yardstick.make(press, labels, pictures, reads) : null;
  if (channels) {
    warnOfLess(await press.channels(channels), channels);
    await observe(press, pictures, reads);
  }
  const lines = [];
  for (const job of jobs) {
    const line = await pressOne(press, job, options, yardstick);
    console.error(sentence(line, seen, yardstick));
    lines.push(line);
  }
  if (report) writeReports(report, { press, seen, yardstick, lines });
}

/** It decides one thing: bits, or zeros. @param {Options} options */
function requireOpen({ targetLoss, bits, sparsity, method, uniform, sweep }) {
  const isForZeros = bits !== 'auto';
  const given = [
    sweep && `--sweep ${sweep.setting}`,
    isForZeros && sparsity > 0 && '--sparsity',
    isForZeros && method === 'l1' && '--method l1',
    isForZeros && uniform && '--uniform',
  ].find(Boolean);
  if (targetLoss === undefined || !given) return;
  const found = isForZeros ? 'how many zeros that allows' : 'the bits';
  const sentence = `--target-loss finds ${found}: leave ${given} out.`;
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}

/** What a network keeps that was trained with its integers. @param {string} model @param {Command} command */
function requireNoChange(model, command) {
  const given = ['bits', 'sparsity', 'method', 'uniform', 'blocks', 'sweep'].find(
    (name) => command.getOptionValueSource(name) === 'cli',
  );
  if (!given) return;
  const sentence = `${model} was trained with its integers, which stay without --calib`;
  throw new WispError('WISP_ERR_ARGUMENT', `${sentence}: leave --${given} out, or give pictures.`);
}

/** @param {string} output */
function channelsInFloats(output) {
  const sentence = `${output} can't be written: --channels makes .wisp files only.`;
  return new WispError('WISP_ERR_ARGUMENT', sentence);
}

/** @param {string} output @param {Options} options @returns {Job[]} */
function jobsOf(output, options) {
  const { bits, targetLoss, sparsity, method, uniform, blocks, seed } = options;
  const allocation = uniform ? /** @type {const} */ ('uniform') : undefined;
  const settings = { bits, targetLoss, sparsity, method, allocation, blocks, seed };
  const { sweep } = options;
  if (!sweep) return [{ file: output, label: path.basename(output), settings }];
  return sweep.values.map((value) => ({
    file: fileOf(output, `${sweep.setting}${value}`),
    label: `${sweep.setting} ${value}`,
    settings: { ...settings, [sweep.setting]: value },
  }));
}

/**
 * @param {Press} press
 * @param {Job} job
 * @param {Options} options
 * @param {Yardstick | null} yardstick
 * @returns {Promise<Line>}
 */
async function pressOne(press, { file, label, settings }, { threads }, yardstick) {
  const start = performance.now();
  const { settings: used, layers } = await quantise(press, settings);
  const bytes = await press.pack();
  const seconds = (performance.now() - start) / 1000;
  const written = ONNX.test(file) ? await onnxOf(press) : bytes;
  writeWhole(file, written);
  const score = yardstick ? await yardstick.score(bytes, threads) : null;
  const { width, height, classes } = press.info;
  const all = { ...used, width, height, classes: classes.length };
  return lineOf({ file, bytes: written.length, settings: all, seconds, layers, score }, label);
}

/** @param {Press} press */
async function onnxOf(press) {
  const { writeOnnx } = await import('../web/src/export/onnx-graph.js');
  return writeOnnx(await press.network());
}

/** Pruning learns from the pictures; too few, and it learns them by heart (docs/ACCURACY.md). */
const FEW = 32;

/** @param {number} seen @param {Job[]} jobs */
function warnOfFew(seen, jobs) {
  const prunes = jobs.some(
    ({ settings: { sparsity, targetLoss, method } }) => (sparsity || targetLoss) && method !== 'l1',
  );
  if (!prunes || seen === 0 || seen >= FEW) return;
  const pictures = `${seen} picture${seen === 1 ? ' is' : 's are'}`;
  console.error(
    `warning: ${pictures} few to prune by; ${FEW} or more, 128 at best, keep more of the accuracy.`,
  );
}

/** @param {number} saved share of the work @param {number} asked */
function warnOfLess(saved, asked) {
  if (saved >= asked / 2) return;
  const share = (saved * 100).toFixed(1);
  console.error(
    `warning: ${share} % of the work went with channels, not ${asked * 100} %: what is depthwise, shuffled or read ` +
      'in parts keeps its own.',
  );
}

/** @param {Line} line @param {number} seen @param {Yardstick | null} yardstick */
function sentence({ file, bytes, zeroBlocks, score }, seen, yardstick) {
  const zeros = zeroBlocks > 0.001 ? `, ${(zeroBlocks * 100).toFixed(1)} % of the blocks zero` : '';
  const pictures =
    seen === 0 ? 'as trained' : `calibrated on ${seen} picture${seen === 1 ? '' : 's'}`;
  const before = yardstick?.measure.float;
  const scored =
    score && before
      ? `; AP ${(score.ap * 100).toFixed(2)}, float ${(before.ap * 100).toFixed(2)}`
      : '';
  return `${path.normalize(file)}: ${(bytes / 1000).toFixed(0)} kB${zeros}, ${pictures}${scored}`;
}

/**
 * @param {string[]} files .html or .json
 * @param {{press: Press, seen: number, yardstick: Yardstick | null, lines: Line[]}} done
 */
function writeReports(files, { press, seen, yardstick, lines }) {
  markBest(lines);
  const { source, width, height, classes } = press.info;
  const report = {
    ...{ wisp: VERSION, date: new Date().toISOString(), source, input: { width, height } },
    ...{ classes, calibration: seen, measure: yardstick?.measure ?? null, lines },
  };
  for (const file of files) {
    const isPage = !/\.json$/i.test(file);
    writeWhole(file, isPage ? pageOf(report) : `${JSON.stringify(report, null, 2)}\n`);
    console.error(`${path.normalize(file)}: the report`);
  }
}

/** @param {string[]} places @param {string} why */
function nothingSeen(places, why) {
  const sentence = `${places.join(', ')}: ${why}; the press needs some, 32 or more are best.`;
  return new WispError('WISP_ERR_SOURCE', sentence);
}
