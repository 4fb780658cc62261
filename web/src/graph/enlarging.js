// Zero padding and transposed convolutions, of which the format has none, as convolutions that it has.

/**
 * @typedef {import('./float-graph.js').Conv} Conv
 * @typedef {import('./float-graph.js').FloatGraphBuilder} FloatGraphBuilder
 * @typedef {import('./float-graph.js').Pad} Pad
 */

/**
 * Rows and columns of zeros around each channel: a convolution by channel, whose one weight reads its own pixel.
 * @param {number} channels
 * @param {Pad} pad
 * @returns {Conv}
 */
export function zeroPadding(channels, [top, left, bottom, right]) {
  const [tall, wide] = [top + bottom, left + right];
  const taps = (tall + 1) * (wide + 1);
  const weight = new Float32Array(channels * taps);
  for (let c = 0; c < channels; c++) weight[c * taps + bottom * (wide + 1) + right] = 1;
  return {
    op: 'conv',
    ...{ weight, bias: null, channels: [channels, channels], groups: channels },
    ...{ kernel: [tall + 1, wide + 1], stride: [1, 1], pad: [tall, wide, tall, wide] },
  };
}

/**
 * @typedef {object} Transposed
 * @property {Float32Array} weight [in][out / groups][height][width]
 * @property {Float32Array | null} bias
 * @property {[number, number]} channels in, out
 * @property {[number, number]} kernel
 * @property {[number, number]} stride how many times larger the output is
 * @property {[number, number]} pad what is cut off before it
 * @property {[number, number]} more how much less than that is cut off behind it
 * @property {number} groups
 */

/**
 * Whether the output has `stride` pixels for each of the input, and each of them a weight.
 * @param {Pick<Transposed, 'kernel' | 'stride' | 'pad' | 'more'>} window
 */
export function enlargesWhole({ kernel, stride, pad, more }) {
  return [0, 1].every((axis) => {
    const [k, s, p, m] = [kernel[axis], stride[axis], pad[axis], more[axis]];
    return s >= 1 && p >= 0 && k >= s && Math.abs(m) < s && k - 2 * p + m === s;
  });
}

/**
 * Each place within the stride is a convolution of its own; their pixels take turns.
 * @param {FloatGraphBuilder} graph
 * @param {string} name
 * @param {number} input
 * @param {Transposed} of one that enlarges whole
 * @returns {number} tensor
 */
export function addTransposed(graph, name, input, of) {
  const { channels, stride, groups, bias } = of;
  const parts = [];
  for (let y = 0; y < stride[0]; y++)
    for (let x = 0; x < stride[1]; x++) {
      const axes = [axisOf(of, 0, y), axisOf(of, 1, x)];
      parts.push(
        graph.add(`${name}.${y}.${x}`, [input], {
          op: 'conv',
          ...{ weight: weightsOf(of, axes), bias: bias?.slice() ?? null, channels, groups },
          ...{ kernel: [axes[0].length, axes[1].length], stride: [1, 1] },
          pad: [axes[0].before, axes[1].before, axes[0].after, axes[1].after],
        }),
      );
    }
  if (parts.length === 1) return parts[0];
  return graph.add(name, parts, { op: 'upsample', factor: stride });
}

/**
 * @typedef {object} Axis of the convolution for one place within the stride
 * @property {number} length
 * @property {number} before padding
 * @property {number} after padding
 * @property {[number, number][]} taps its own, and which of the transposed one's it is
 */

/**
 * Output pixel stride · i + place is the sum over k of weight k times input pixel i + (place + pad − k) / stride, where
 * that is whole.
 * @param {Transposed} of
 * @param {0 | 1} axis
 * @param {number} place
 * @returns {Axis}
 */
function axisOf({ kernel, stride, pad }, axis, place) {
  const all = Array.from({ length: kernel[axis] }, (_, k) => k);
  const reached = all.filter((k) => (place + pad[axis] - k) % stride[axis] === 0);
  const steps = reached.map((k) => (place + pad[axis] - k) / stride[axis]);
  const [low, high] = [Math.min(0, ...steps), Math.max(0, ...steps)];
  return {
    ...{ length: high - low + 1, before: 0 - low, after: high },
    taps: reached.map((k, i) => [steps[i] - low, k]),
  };
}

/**
 * @param {Transposed} of
 * @param {Axis[]} axes
 * @returns {Float32Array} [out][in / groups][height][width]
 */
function weightsOf({ weight, channels: [inputs, outputs], kernel, groups }, [down, across]) {
  const [from, to] = [inputs / groups, outputs / groups];
  const made = new Float32Array(outputs * from * down.length * across.length);
  for (let o = 0; o < outputs; o++)
    for (let c = 0; c < from; c++) {
      const input = Math.floor(o / to) * from + c;
      const old = (input * to + (o % to)) * kernel[0] * kernel[1];
      const at = (o * from + c) * down.length * across.length;
      for (const [y, ky] of down.taps)
        for (const [x, kx] of across.taps)
          made[at + y * across.length + x] = weight[old + ky * kernel[1] + kx];
    }
  return made;
}
