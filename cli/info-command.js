// wisp info: what is in a .wisp file or in a network that the press reads.

import { Command } from 'commander';
import { download } from '../web/src/bytes/download.js';
import { mayBeWisp } from '../web/src/bytes/magic.js';
import { pulledFile } from '../web/src/bytes/pulled.js';
import { Detector } from '../web/src/index.js';
import { importFrom } from '../web/src/pressing/press-source.js';
import { layerTimes } from './layer-times.js';
import { isModelName } from './zoo/list.js';

/**
 * @typedef {object} Layer
 * @property {string} operation
 * @property {string} kernel
 * @property {string} channels
 * @property {string} [blocks] that are not all zero, of all
 * @property {string} [zero] share of the blocks that are
 * @property {string} bytes
 * @property {string} [bits] of the file for a weight, zero or not
 * @property {string} [time] share of a picture's, here and now
 *
 * @typedef {object} Options
 * @property {boolean} [json]
 * @property {boolean} times
 */

export function infoCommand() {
  return new Command('info')
    .summary('show what is in a model')
    .description(
      'Shows input, classes, origin and layers of a .wisp file or of a YOLOv5 that the press reads,\n' +
        "and what each layer of a .wisp file costs: bytes, bits a weight, share of a picture's time.",
    )
    .argument('<model>', 'a .wisp, .onnx, .pt or .tflite file, or its address')
    .option('--json', 'as one JSON document')
    .option('--no-times', 'measure nothing: the same output every time')
    .addHelpText(
      'after',
      `
Examples:
  wisp info best.wisp
  wisp info best.onnx --json | jq '.classes'`,
    )
    .action(run);
}

/** @param {string} named @param {Options} options */
async function run(named, { json, times }) {
  const model = isModelName(named) ? await pulledFile(named) : named;
  const file = new File([await bytesOf(model)], model);
  const isWisp = mayBeWisp(new Uint8Array(await file.slice(0, 4).arrayBuffer()));
  const info = isWisp ? await wispInfo(file, times) : await networkInfo(model);
  const { table, ...rest } = info;
  console.log(json ? JSON.stringify(rest, null, 2) : page(model, rest, table));
}

/** @param {File} model @param {boolean} timed */
async function wispInfo(model, timed) {
  const detector = await Detector.open(model, { threads: 1, warmUp: false });
  await detector.close();
  const { inputWidth, inputHeight, stride, classes, provenance, macs } = detector.info;
  const times = timed ? await layerTimes(new Uint8Array(await model.arrayBuffer())) : [];
  const allMs = times.reduce((sum, ms) => sum + ms, 0);
  const layers = detector.info.layers.map((layer, i) => {
    const weights = countWeights(layer);
    const bitsPerWeight = weights ? (layer.bytes * 8) / weights : 0;
    const sparsity = layer.blocks ? 1 - layer.blocksPresent / layer.blocks : 0;
    return {
      ...layer,
      weights,
      bitsPerWeight,
      sparsity,
      ...(timed && { share: times[i] / allMs }),
    };
  });
  const input = { width: inputWidth, height: inputHeight };
  const table = layers.map(rowOf);
  return { format: 'wisp', input, stride, classes, macs, provenance, layers, table };
}

/** @param {string} model a path or an address */
async function bytesOf(model) {
  const { pieces } = await download(model);
  const parts = [];
  for await (const piece of pieces) parts.push(piece);
  return new Uint8Array(Buffer.concat(parts));
}

/** Their share of all. @param {{blocks: number, blocksPresent: number}[]} layers */
function zeroBlocks(layers) {
  const sum = (/** @type {'blocks' | 'blocksPresent'} */ key) =>
    layers.reduce((all, layer) => all + layer[key], 0);
  return 1 - sum('blocksPresent') / sum('blocks');
}

/** Zeros included. @param {import('../web/src/detect/engine.js').LayerInfo} layer */
function countWeights({ operation, blocks, channelsIn, channelsOut, kernelHeight, kernelWidth }) {
  if (!blocks) return 0;
  const each = kernelHeight * kernelWidth * channelsOut;
  return operation === 'depthwise' ? each : each * channelsIn;
}

/**
 * @typedef {{bitsPerWeight: number, sparsity: number, share?: number}} Measured
 * @param {import('../web/src/detect/engine.js').LayerInfo & Measured} layer
 * @returns {Layer}
 */
function rowOf(layer) {
  const { operation, activation, channelsIn, channelsOut, blocks, bytes, share } = layer;
  return {
    operation: activation === 'none' ? operation : `${operation} + ${activation}`,
    kernel: windowOf(layer),
    channels: `${channelsIn} → ${channelsOut}`,
    blocks: blocks ? `${layer.blocksPresent} of ${blocks}` : '',
    zero: blocks ? percent(layer.sparsity, 0) : '',
    bytes: bytes ? String(bytes) : '',
    bits: blocks ? layer.bitsPerWeight.toFixed(2) : '',
    time: share === undefined ? '' : percent(share, 1),
  };
}

/** @param {number} share @param {number} digits */
const percent = (share, digits) => `${(share * 100).toFixed(digits)} %`;

/** @param {import('../web/src/detect/engine.js').LayerInfo} layer */
function windowOf({ operation, kernelHeight, kernelWidth, stride }) {
  return operation === 'upsample' ? `× ${stride}` : `${kernelHeight}×${kernelWidth} / ${stride}`;
}

/** @param {string} model */
async function networkInfo(model) {
  const { graph } = await importFrom(model, {}); // by its address, beside which more of it may be
  const { input, classes, heads, source, nodes, facts = [], remarks = [] } = graph;
  const layers = nodes.map((node) => {
    if (node.op !== 'conv') return { name: node.name, operation: node.op };
    const { name, channels, kernel, stride, groups, weight, bias } = node;
    const weights = weight.length + (bias?.length ?? 0);
    return { name, operation: node.op, channels, kernel, stride, groups, weights };
  });
  /** @type {Layer[]} */
  const table = layers.map(({ operation, kernel, stride, channels, weights }) => ({
    operation,
    kernel: kernel && stride ? `${kernel.join('×')} / ${stride[0]}` : '',
    channels: channels ? channels.join(' → ') : '',
    bytes: weights ? String(4 * weights) : '',
  }));
  const stride = Math.max(...heads.map((head) => head.stride));
  return {
    format: source.format,
    input,
    stride,
    classes,
    provenance: { source },
    facts: [
      ...facts,
      ...remarks.map((remark) => /** @type {[string, string]} */ (['remark', remark])),
    ],
    heads,
    layers,
    table,
  };
}

/**
 * @param {string} model
 * @param {{format: string, input: {width: number, height: number}, stride: number, classes: string[],
 *   provenance: any, macs?: number, facts?: [string, string][], layers: any[]}} info
 * @param {Layer[]} table
 */
function page(
  model,
  { format, input, stride, classes, provenance, macs, facts = [], layers },
  table,
) {
  const { source, settings, calibration, tool } = provenance ?? {};
  const rounded = settings && `${settings.bits} bits, ${settings.ranging}, ${settings.rounding}`;
  const bits = settings?.trained ? 'integers as trained' : rounded;
  const share =
    settings?.sparsity ||
    (settings?.targetLoss > 0 && settings.bits !== 'auto' ? zeroBlocks(layers) : 0);
  const zeros =
    share > 0 &&
    `${(share * 100).toFixed(0)} % of the ${settings.blocks} blocks zero by ${settings.method}`;
  const rows = [
    ['file', `${model} (${format})`],
    ['input', `${input.width} × ${input.height}, or other multiples of ${stride}`],
    ['classes', classWords(classes)],
    ['source', [source?.name, source?.format, source?.producer].filter(Boolean).join(', ')],
    ['SHA-256', source?.sha256 ?? ''],
    [
      'pressed by',
      [tool, bits, zeros, calibration && !settings?.trained && `${calibration.pictures} pictures`]
        .filter(Boolean)
        .join('; '),
    ],
    ...facts,
    ['work', macs ? `${(macs / 1e6).toFixed(1)} million multiply-adds a picture` : ''],
  ];
  const lines = rows
    .filter(([, value]) => value)
    .map(([name, value]) => `${name.padEnd(11)}${value}`);
  return [...lines, '', ...layerTable(table)].join('\n');
}

/** @param {string[]} classes which the importers number where a file has no names */
function classWords(classes) {
  const isNamed = classes.some((name, label) => name !== `class${label}`);
  return isNamed ? `${classes.length}: ${classes.join(', ')}` : `${classes.length}, without names`;
}

const HEAD = {
  operation: 'layer',
  kernel: 'kernel / stride',
  channels: 'channels',
  blocks: 'blocks',
  zero: 'zero',
  bytes: 'bytes',
  bits: 'bits a weight',
  time: 'time',
};
const NUMBERS = ['blocks', 'zero', 'bytes', 'bits', 'time'];

/** @param {Layer[]} layers */
function layerTable(layers) {
  const keys = /** @type {(keyof Layer)[]} */ (Object.keys(HEAD));
  const shown = keys.filter((key) => layers.some((layer) => layer[key]));
  const bytes = layers.reduce((sum, layer) => sum + Number(layer.bytes), 0);
  const total = { operation: 'in all', kernel: '', channels: '', bytes: String(bytes) };
  const rows = /** @type {Layer[]} */ ([HEAD, ...layers, total]);
  return rows.map((row, index) => {
    const number = index === 0 || index > layers.length ? '' : String(index - 1);
    const cells = shown.map((key) => {
      const width = Math.max(...rows.map((other) => other[key]?.length ?? 0));
      const cell = row[key] ?? '';
      return NUMBERS.includes(key) ? cell.padStart(width) : cell.padEnd(width);
    });
    return `${number.padStart(4)}  ${cells.join('  ')}`.trimEnd();
  });
}
