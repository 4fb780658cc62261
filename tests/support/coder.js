// The payload of a convolution for the models of JavaScript tests, written from models/FORMAT.md alone.

/**
 * @typedef {object} Parts of a convolution
 * @property {number} channels out
 * @property {number} kernel its side
 * @property {number[]} lanes channels in each plane
 * @property {boolean} masked
 * @property {number[]} scale
 * @property {number[]} bias
 * @property {Int8Array} weights [channels][y][x][planes][4]
 *
 * @typedef {{one: number, seen: number}} Bit
 */

const STEPS = [
  3, 7, 12, 18, 26, 36, 49, 65, 85, 110, 142, 182, 232, 296, 376, 477, 604, 764, 965, 1220, 1540,
  1943, 2451, 3092, 3899,
];
const WORD = 1n << 64n;

const rate = (/** @type {number} */ n) => Math.floor(131072 / (2 * n + 3));
const bitLength = (/** @type {number} */ value) => 32 - Math.clz32(value);
const most = (/** @type {number[]} */ limits, /** @type {number} */ value) =>
  limits.filter((limit) => value > limit).length;

/** The nearest f32 whose lowest bits are 0. @param {number} value @param {number} bits */
export function rounded(value, bits) {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  view.setUint32(0, ((view.getUint32(0) + 2 ** (bits - 1)) & -(2 ** bits)) >>> 0);
  return view.getFloat32(0);
}

/** @param {number} value */
function floatBits(value) {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return view.getUint32(0);
}

/** One for a file. */
export class Coder {
  /** @type {Map<string, Bit>} */
  #bits = new Map();
  #low = 0n;
  #range = WORD - 1n;
  /** @type {number[]} */
  #bytes = [];

  /** @param {Parts} parts @returns {Uint8Array} */
  payload(parts) {
    this.#low = 0n;
    this.#range = WORD - 1n;
    this.#bytes = [];
    const row = parts.weights.length / parts.channels;
    const layer = {
      column: new Array(row).fill(0),
      share: new Array(row / 4).fill(2048),
      mean: 768,
      present: 2048,
      last: [0, 0, 0],
      blocks: 1,
    };
    for (let o = 0, before = 0; o < parts.channels; o++) {
      const bits = floatBits(parts.scale[o]);
      this.#scale((bits >>> 16) - before);
      before = bits >>> 16;
      this.#bias(floatBits(parts.bias[o]));
      layer.last.fill(layer.mean >> 6);
      layer.blocks = 1;
      this.#row(parts, layer, o, parts.weights.subarray(o * row, (o + 1) * row));
    }
    return this.#finish();
  }

  /** The rest of the number, without the zeros at its end. */
  #finish() {
    this.#add(this.#range - 1n);
    this.#word();
    this.#word();
    const kept = this.#bytes.length - 8;
    while (this.#bytes.length > kept && this.#bytes.at(-1) === 0) this.#bytes.pop();
    return Uint8Array.from(this.#bytes);
  }

  /** @param {bigint} part */
  #add(part) {
    this.#low += part;
    if (this.#low < WORD) return;
    this.#low -= WORD;
    let i = this.#bytes.length - 1;
    for (; this.#bytes[i] === 255; i--) this.#bytes[i] = 0;
    this.#bytes[i]++;
  }

  #word() {
    for (let shift = 56n; shift >= 32n; shift -= 8n)
      this.#bytes.push(Number((this.#low >> shift) & 255n));
    this.#low = (this.#low << 32n) % WORD;
  }

  /** @param {bigint} part @param {boolean} first */
  #side(part, first) {
    if (!first) this.#add(part);
    this.#range = first ? part : this.#range - part;
    if (this.#range >> 32n) return;
    this.#word();
    this.#range <<= 32n;
  }

  /** @param {string} name of the probability @param {number} one 0 or 1 */
  #bit(name, one) {
    let bit = this.#bits.get(name);
    if (!bit) {
      bit = { one: 32768, seen: 0 };
      this.#bits.set(name, bit);
    }
    this.#side((this.#range >> 12n) * BigInt(bit.one >> 4), one === 1);
    bit.one += Math.floor((((one ? 65504 : 32) - bit.one) * rate(bit.seen)) / 65536);
    bit.seen = Math.min(bit.seen + 1, 255);
  }

  /** @param {number} value @param {number} n lowest bits of it */
  #plain(value, n) {
    for (let i = n - 1; i >= 0; i--) this.#side(this.#range >> 1n, ((value >> i) & 1) === 1);
  }

  /** @param {string} name @param {number} value @param {number} n */
  #tree(name, value, n) {
    for (let i = n - 1; i >= 0; i--)
      this.#bit(`${name} ${i} ${value >> (i + 1)}`, (value >> i) & 1);
  }

  /** @param {number} change */
  #scale(change) {
    const folded = change < 0 ? -2 * change - 1 : 2 * change;
    const length = bitLength(folded);
    this.#tree('scale', length, 5);
    if (length < 2) return;
    this.#bit(`scale top ${length}`, (folded >> (length - 2)) & 1);
    this.#plain(folded, length - 2);
  }

  /** @param {number} bits */
  #bias(bits) {
    this.#bit('sign', bits >>> 31);
    this.#tree('exponent', (bits >>> 23) & 255, 8);
    this.#plain((bits >>> 13) & 1023, 10);
  }

  /** @param {Parts} parts @param {any} layer @param {number} o @param {Int8Array} row */
  #row({ kernel, lanes, masked }, layer, o, row) {
    const has = (/** @type {number} */ block) =>
      Number(
        row
          .subarray(block * 4)
          .slice(0, 4)
          .some(Boolean),
      );
    for (let block = 0; block < row.length / 4; block++) {
      const plane = block % lanes.length;
      const x = Math.floor(block / lanes.length) % kernel;
      const y = Math.floor(block / lanes.length / kernel);
      const [left, above] = [block - lanes.length, block - lanes.length * kernel];
      if (masked) {
        const s = (9 * layer.share[block] + 7 * layer.present) >> 4;
        const near = [block && has(block - 1), x && has(left), y && has(above)];
        this.#bit(`mask ${s >> 7} ${near}`, has(block));
        const aim = has(block) ? 4095 : 0;
        layer.share[block] += Math.floor(
          ((aim - layer.share[block]) * rate(Math.min(o, 9))) / 65536,
        );
        layer.present += (aim - layer.present) >> 5;
        if (!has(block)) continue;
      }
      let sum = 0;
      for (let lane = 0; lane < lanes[plane]; lane++) {
        const at = block * 4 + lane;
        const beside = { left: x ? row[left * 4 + lane] : 0, above: y ? row[above * 4 + lane] : 0 };
        const corner = x && y ? row[(above - lanes.length) * 4 + lane] : 0;
        this.#weight(layer, o, at, row[at], { x, y, ...beside, corner });
        sum += Math.abs(row[at]);
      }
      const step =
        (sum * Math.floor(64 / lanes[plane]) - layer.mean) * rate(Math.min(layer.blocks++, 60));
      layer.mean += Math.floor(step / 65536);
    }
  }

  /**
   * @param {any} layer @param {number} o @param {number} at @param {number} weight
   * @param {Record<'x' | 'y' | 'left' | 'above' | 'corner', number>} window
   */
  #weight(layer, o, at, weight, { x, y, left, above, corner }) {
    const { last, column, mean } = layer;
    const means = (9 * mean + 7 * (o ? column[at] : mean)) >> 4;
    let near = 21 * (last[0] + last[1] + last[2]);
    if (x || y) {
      const n = (Math.abs(left) + Math.abs(above)) * (x && y ? 32 : 64);
      near = ((2 * n + 32 * (last[0] + last[1])) * 21) >> 6;
    }
    const centre = 64 * (left + above) - 40 * corner;
    const size = (14 * means + 2 * near) >> 4;
    const unit = size + 24;
    const level = STEPS.filter((step) => step <= 4 * (size >> 2)).length;
    const trend = most([1, 3, 7, 13, 20], (8 * Math.abs(centre)) / unit);
    const likeness = most([8, 14, 21], (16 * near) / unit);
    const beyond = Number(trend > 0 && weight !== 0 && weight < 0 !== centre < 0);
    if (trend) this.#bit(`beyond ${trend} ${level}`, beyond);
    this.#magnitude(
      Math.abs(weight),
      level,
      `${likeness} ${beyond ? 6 + Number(trend > 2) : trend}`,
    );
    if (weight && !trend) this.#plain(Number(weight < 0), 1);
    const m = Math.abs(weight);
    column[at] = o
      ? column[at] + Math.floor(((64 * m - column[at]) * rate(Math.min(o, 14))) / 65536)
      : 64 * m;
    last.unshift(m);
    last.pop();
  }

  /** @param {number} m @param {number} level @param {string} context */
  #magnitude(m, level, context) {
    const length = bitLength(m);
    this.#tree(`length ${level} ${context}`, length, 3);
    const name = `magnitude ${level} ${length}`;
    if (length === 2) this.#bit(`${name}`, m & 1);
    if (length < 3 || length > 6) return;
    this.#tree(name, (m >> (length - 3)) & 3, 2);
    this.#plain(m, length - 3);
  }
}
