// `--sweep sparsity=0.1..0.6`: one press for each value of a setting.

import { InvalidArgumentError } from 'commander';

/**
 * @typedef {object} Sweep
 * @property {'bits' | 'sparsity'} setting
 * @property {number[]} values ascending
 */

/** What may be swept: from, to, and the step where none is given. @type {Record<string, [number, number, number]>} */
const SETTINGS = { bits: [2, 7, 1], sparsity: [0, 0.95, 0.1] };

const MOST = 50;

/**
 * setting=a..b, setting=a..b:step or setting=a,b,c
 * @param {string} text
 * @returns {Sweep}
 */
export function sweep(text) {
  const [, setting, values] = /^(\w+)=(.+)$/.exec(text) ?? [];
  if (!Object.hasOwn(SETTINGS, setting ?? '')) {
    const names = Object.keys(SETTINGS).join(' or ');
    throw new InvalidArgumentError(`It is ${names}, =, and values, e.g. sparsity=0.1..0.6.`);
  }
  const [least, most, step] = SETTINGS[setting];
  const listed = [...new Set(valuesOf(values, step))].sort((a, b) => a - b);
  const fits = (/** @type {number} */ v) => v >= least && v <= most && (step < 1 || v % 1 === 0);
  if (listed.length === 0 || listed.length > MOST || !listed.every(fits)) {
    const kind = step < 1 ? 'numbers' : 'whole numbers';
    throw new InvalidArgumentError(
      `The values of ${setting} are 1 to ${MOST} ${kind} from ${least} to ${most}: a..b, a..b:step or a,b,c.`,
    );
  }
  return { setting: /** @type {Sweep['setting']} */ (setting), values: listed };
}

/** @param {string} text @param {number} usual step @returns {number[]} */
function valuesOf(text, usual) {
  const range = /^([\d.]+)\.\.([\d.]+)(?::([\d.]+))?$/.exec(text);
  if (!range) return text.split(',').map((one) => (one.trim() === '' ? Number.NaN : Number(one)));
  const [first, last, step] = [range[1], range[2], range[3] ?? usual].map(Number);
  const count = Math.floor((last - first) / step + 1e-9) + 1;
  if (!(step > 0 && count >= 1 && count <= MOST)) return [];
  return Array.from({ length: count }, (_, i) => Number((first + i * step).toFixed(6)));
}

/**
 * Where the file of one value goes: best.wisp, best-sparsity0.3.wisp; half.onnx, half-bits6.onnx.
 * @param {string} output
 * @param {string} [which]
 */
export function fileOf(output, which) {
  return which ? output.replace(/(\.(?:wisp|onnx))?$/i, `-${which}$1`) : output;
}
