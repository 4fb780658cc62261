// wisp info: what is in a .wisp or an ONNX file.

import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { importOnnx } from '../web/src/import/onnx.js';
import { Detector, WispError } from '../web/src/index.js';
import { fileError } from './files.js';

/**
 * @typedef {object} Layer
 * @property {string} operation
 * @property {string} kernel
 * @property {string} channels
 * @property {string} blocks that are not all zero, of all
 * @property {string} bytes
 */

export function infoCommand() {
  return new Command('info')
    .summary('show what is in a model')
    .description('Shows input, classes, origin and layers of a .wisp file or of a YOLOv5 in ONNX.')
    .argument('<model>', 'a .wisp or .onnx file')
    .option('--json', 'as one JSON document')
    .addHelpText(
      'after',
      `
Examples:
  wisp info best.wisp
  wisp info best.onnx --json | jq '.classes'`,
    )
    .action(run);
}

/** @param {string} model @param {{json?: boolean}} options */
async function run(model, { json }) {
  const info = /\.onnx$/i.test(model) ? await onnxInfo(model) : await wispInfo(model);
  const { table, ...rest } = info;
  console.log(json ? JSON.stringify(rest, null, 2) : page(model, rest, table));
}

/** @param {string} model */
async function wispInfo(model) {
  const detector = await Detector.open(model, { threads: 1, warmUp: false });
  await detector.close();
  const { inputWidth, inputHeight, stride, classes, layers, provenance, macs } = detector.info;
  const input = { width: inputWidth, height: inputHeight };
  /** @type {Layer[]} */
  const table = layers.map((layer) => ({
    operation:
      layer.activation === 'none' ? layer.operation : `${layer.operation} + ${layer.activation}`,
    kernel: windowOf(layer),
    channels: `${layer.channelsIn} → ${layer.channelsOut}`,
    blocks: layer.blocks ? `${layer.blocksPresent} of ${layer.blocks}` : '',
    bytes: layer.bytes ? String(layer.bytes) : '',
  }));
  return { format: 'wisp', input, stride, classes, macs, provenance, layers, table };
}

/** @param {import('../web/src/engine.js').LayerInfo} layer */
function windowOf({ operation, kernelHeight, kernelWidth, stride }) {
  return operation === 'upsample' ? `× ${stride}` : `${kernelHeight}×${kernelWidth} / ${stride}`;
}

/** @param {string} model */
async function onnxInfo(model) {
  const bytes = await readFile(model).catch((cause) => {
    throw fileError(model, cause);
  });
  const { input, classes, heads, source, nodes } = imported(model, bytes);
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
    blocks: '',
    bytes: weights ? String(4 * weights) : '',
  }));
  const stride = Math.max(...heads.map((head) => head.stride));
  return {
    format: source.format,
    input,
    stride,
    classes,
    provenance: { source },
    heads,
    layers,
    table,
  };
}

/** @param {string} model @param {Uint8Array} bytes */
function imported(model, bytes) {
  try {
    return importOnnx(bytes);
  } catch (cause) {
    const { code, message } = /** @type {{code?: string, message: string}} */ (cause);
    if (code === undefined) throw cause;
    throw new WispError(code, `${model}: ${message}`, { cause });
  }
}

/**
 * @param {string} model
 * @param {{format: string, input: {width: number, height: number}, stride: number, classes: string[],
 *   provenance: any, macs?: number}} info
 * @param {Layer[]} layers
 */
function page(model, { format, input, stride, classes, provenance, macs }, layers) {
  const { source, settings, calibration, tool } = provenance ?? {};
  const bits = settings && `${settings.bits} bits, ${settings.ranging}, ${settings.rounding}`;
  const zeros =
    settings?.sparsity > 0 &&
    `${(settings.sparsity * 100).toFixed(0)} % of the ${settings.blocks} blocks zero by ${settings.method}`;
  const rows = [
    ['file', `${model} (${format})`],
    ['input', `${input.width} × ${input.height}, or other multiples of ${stride}`],
    ['classes', `${classes.length}: ${classes.join(', ')}`],
    ['source', [source?.name, source?.format, source?.producer].filter(Boolean).join(', ')],
    ['SHA-256', source?.sha256 ?? ''],
    [
      'pressed by',
      [tool, bits, zeros, calibration && `${calibration.pictures} pictures`]
        .filter(Boolean)
        .join('; '),
    ],
    ['work', macs ? `${(macs / 1e6).toFixed(1)} million multiply-adds a picture` : ''],
  ];
  const facts = rows
    .filter(([, value]) => value)
    .map(([name, value]) => `${name.padEnd(11)}${value}`);
  return [...facts, '', ...layerTable(layers)].join('\n');
}

/** @param {Layer[]} layers */
function layerTable(layers) {
  const head = {
    operation: 'layer',
    kernel: 'kernel / stride',
    channels: 'channels',
    blocks: 'blocks',
    bytes: 'bytes',
  };
  const keys = /** @type {(keyof Layer)[]} */ (Object.keys(head));
  const total = { ...head, operation: 'in all', kernel: '', channels: '', blocks: '', bytes: '' };
  const bytes = layers.reduce((sum, layer) => sum + Number(layer.bytes), 0);
  const rows = [head, ...layers, { ...total, bytes: String(bytes) }];
  const widths = keys.map((key) => Math.max(...rows.map((row) => row[key].length)));
  const shown = keys.filter(
    (_, i) => widths[i] > head[keys[i]].length || layers.some((l) => l[keys[i]]),
  );
  return rows.map((row, index) => {
    const number = index === 0 || index > layers.length ? '' : String(index - 1);
    const cells = shown.map((key) => {
      const width = widths[keys.indexOf(key)];
      return key === 'bytes' || key === 'blocks'
        ? row[key].padStart(width)
        : row[key].padEnd(width);
    });
    return `${number.padStart(4)}  ${cells.join('  ')}`.trimEnd();
  });
}
