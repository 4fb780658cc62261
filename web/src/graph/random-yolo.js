// Backbone and neck of YOLOv5 (v6), which YOLOv5u shares, and of YOLOv8, with random weights and the modules' names.

/**
 * @typedef {import('./random-layers.js').RandomLayers} RandomLayers
 * @typedef {import('./random-layers.js').Feature} Feature
 *
 * @typedef {object} Scale multiples of what the family's l has
 * @property {number} depth
 * @property {number} width
 * @property {number} [most] channels at the width of l
 */

/** @param {Scale} scale */
function sizes({ depth, width, most = 1024 }) {
  return {
    wide: (/** @type {number} */ channels) => Math.ceil((Math.min(channels, most) * width) / 8) * 8,
    deep: (/** @type {number} */ count) => Math.max(1, Math.round(count * depth)),
  };
}

/**
 * @param {RandomLayers} layers
 * @param {Scale} scale
 * @returns {Feature[]} what the heads read, finest first
 */
export function yolov5(layers, scale) {
  const { wide, deep } = sizes(scale);
  const conv = (/** @type {string} */ name, /** @type {Feature} */ x, outputs = 0, side = 1) =>
    layers.conv(name, x, wide(outputs), { side, stride: side === 1 ? 1 : 2 });
  /** A stride and a C3 behind it. */
  const down = (/** @type {number} */ index, /** @type {Feature} */ x, outputs = 0, count = 0) =>
    layers.c3(`model.${index + 1}`, conv(`model.${index}`, x, outputs, 3), wide(outputs), {
      ...{ count: deep(count), residual: true },
    });
  /** A concat and a C3 behind it. */
  const meet = (/** @type {number} */ index, /** @type {Feature[]} */ parts, outputs = 0) =>
    layers.c3(`model.${index}`, layers.concat(`model.${index - 1}`, parts), wide(outputs), {
      count: deep(3),
    });
  const stem = conv('model.0', { tensor: 0, channels: 3 }, 64, 6);
  const p2 = down(1, stem, 128, 3);
  const p3 = down(3, p2, 256, 6);
  const p4 = down(5, p3, 512, 9);
  const p5 = pyramid(layers, 'model.9', down(7, p4, 1024, 3));
  const top = conv('model.10', p5, 512);
  const middle = meet(13, [layers.enlarge('model.11', top), p4], 512);
  const low = conv('model.14', middle, 256);
  const fine = meet(17, [layers.enlarge('model.15', low), p3], 256);
  const mid = meet(20, [conv('model.18', fine, 256, 3), low], 512);
  const coarse = meet(23, [conv('model.21', mid, 512, 3), top], 1024);
  return [fine, mid, coarse];
}

/**
 * @param {RandomLayers} layers
 * @param {Scale} scale
 * @returns {Feature[]} what the heads read, finest first
 */
export function yolov8(layers, scale) {
  const { wide, deep } = sizes(scale);
  const halve = (/** @type {number} */ index, /** @type {Feature} */ x, outputs = 0) =>
    layers.conv(`model.${index}`, x, wide(outputs), { side: 3, stride: 2 });
  /** A stride and a C2f behind it. */
  const down = (/** @type {number} */ index, /** @type {Feature} */ x, outputs = 0, count = 0) =>
    c2f(layers, `model.${index + 1}`, halve(index, x, outputs), wide(outputs), {
      ...{ count: deep(count), residual: true },
    });
  /** A concat and a C2f behind it. */
  const meet = (/** @type {number} */ index, /** @type {Feature[]} */ parts, outputs = 0) =>
    c2f(layers, `model.${index}`, layers.concat(`model.${index - 1}`, parts), wide(outputs), {
      ...{ count: deep(3), residual: false },
    });
  const stem = halve(0, { tensor: 0, channels: 3 }, 64);
  const p2 = down(1, stem, 128, 3);
  const p3 = down(3, p2, 256, 6);
  const p4 = down(5, p3, 512, 6);
  const p5 = pyramid(layers, 'model.9', down(7, p4, 1024, 3));
  const middle = meet(12, [layers.enlarge('model.10', p5), p4], 512);
  const fine = meet(15, [layers.enlarge('model.13', middle), p3], 256);
  const mid = meet(18, [halve(16, fine, 256), middle], 512);
  const coarse = meet(21, [halve(19, mid, 512), p5], 1024);
  return [fine, mid, coarse];
}

/**
 * As small as UltraFastYoloV5: a backbone and neck of YOLOv5 with few channels, pruned to uneven numbers, without the
 * way down again.
 * @param {RandomLayers} layers
 * @returns {Feature[]} what the heads read, finest first
 */
export function trimmed(layers) {
  const down = (/** @type {number} */ index, /** @type {Feature} */ x, outputs = 0) =>
    layers.c3(
      `model.${index + 1}`,
      layers.conv(`model.${index}`, x, outputs, { side: 3, stride: 2 }),
      outputs,
      { residual: true },
    );
  const meet = (/** @type {number} */ index, /** @type {Feature[]} */ parts, outputs = 0) =>
    layers.c3(`model.${index}`, layers.concat(`model.${index - 1}`, parts), outputs);
  const stem = layers.conv('model.0.conv', layers.focus('model.0'), 13, { side: 3 });
  const p3 = down(3, down(1, stem, 22), 46);
  const p4 = down(5, p3, 86);
  const p5 = pyramid(layers, 'model.9', down(7, p4, 118));
  const top = layers.conv('model.10', p5, 66);
  const middle = meet(13, [layers.enlarge('model.11', top), p4], 66);
  const low = layers.conv('model.14', middle, 42);
  return [meet(17, [layers.enlarge('model.15', low), p3], 42), middle, top];
}

/**
 * Two halves, one of them on and on through bottlenecks of 3×3; all side by side.
 * @param {RandomLayers} layers
 * @param {string} name
 * @param {Feature} input
 * @param {number} outputs
 * @param {{count: number, residual: boolean}} how
 */
function c2f(layers, name, input, outputs, { count, residual }) {
  const hidden = outputs / 2;
  const all = [0, 1].map((half) => layers.conv(`${name}.cv1.${half}`, input, hidden));
  for (let i = 0; i < count; i++)
    all.push(layers.bottleneck(`${name}.m.${i}`, all[i + 1], { side: 3, residual }));
  return layers.conv(`${name}.cv2`, layers.concat(name, all), outputs);
}

/**
 * SPPF: three max-pools in a row, all side by side.
 * @param {RandomLayers} layers
 * @param {string} name
 * @param {Feature} input
 */
function pyramid(layers, name, input) {
  const levels = [layers.conv(`${name}.cv1`, input, input.channels / 2)];
  for (let i = 0; i < 3; i++) levels.push(layers.pool(`${name}.m`, levels[i], 5));
  return layers.conv(`${name}.cv2`, layers.concat(name, levels), input.channels);
}
