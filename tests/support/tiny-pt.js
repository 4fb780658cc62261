// A YOLOv5 of a few channels as a checkpoint, spelled as the versions of YOLOv5 and YOLOv5-Lite spell theirs.

import { Float, Tuple } from './pickle-writer.js';
import { CheckpointWriter } from './pt-writer.js';
import { ANCHORS } from './tiny-yolo.js';

/**
 * @typedef {import('./pt-writer.js').Contents} Contents
 * @typedef {object} PtOptions
 * @property {'v3' | 'v5' | 'v6' | 'v7' | 'lite'} [version]
 * @property {string} [type] of the weights: HalfStorage
 * @property {boolean} [fused] batch norms are folded and gone
 * @property {number} [classes]
 * @property {any} [names]
 * @property {any} [middle] a module in place of the one at stride 16: (tiny) => module
 * @property {any} [head] a module in place of Detect
 */

const WIDTH = 8;
const STRIDES = [8, 16, 32];

/** Modules of one version; `conv` and the others give what CheckpointWriter.module does. */
export class TinyPt {
  /** @param {PtOptions} [options] */
  constructor(options = {}) {
    const { version = 'v7', type, fused = false } = options;
    this.options = options;
    this.version = version;
    this.fused = fused;
    this.writer = new CheckpointWriter(type);
    this.seed = 1;
  }

  /** Different from each other, the same from run to run. @param {number} count */
  numbers(count) {
    this.seed += 97;
    return Array.from(
      { length: count },
      (_, i) => ((((i + 1) * 2654435761 + this.seed) % 2000) - 1000) / 2048,
    );
  }

  /** @param {string} type @param {Contents} contents */
  module(type, contents = {}) {
    return this.writer.module(type, contents);
  }

  /** torch.nn.Conv2d. @param {number} cin @param {number} cout @param {any} options */
  conv2d(cin, cout, { k = 1, s = 1, p = undefined, groups = 1, bias = false, ...settings } = {}) {
    const [ky, kx] = [k].flat().length === 2 ? /** @type {any} */ (k) : [k, k];
    const pad = p ?? [Math.floor(ky / 2), Math.floor(kx / 2)];
    const each = cin / groups;
    return this.module('torch.nn.modules.conv.Conv2d', {
      parameters: {
        weight: { values: this.numbers(cout * each * ky * kx), size: [cout, each, ky, kx] },
        bias: bias ? { values: this.numbers(cout) } : null,
      },
      settings: {
        in_channels: cin,
        out_channels: cout,
        kernel_size: new Tuple(ky, kx),
        stride: new Tuple(...[s, s].flat().slice(0, 2)),
        padding: Array.isArray(pad) ? new Tuple(...pad) : pad,
        dilation: new Tuple(1, 1),
        groups,
        padding_mode: 'zeros',
        ...settings,
      },
    });
  }

  /** torch.nn.BatchNorm2d. @param {number} channels */
  batchNorm(channels) {
    return this.module('torch.nn.modules.batchnorm.BatchNorm2d', {
      parameters: {
        weight: { values: this.numbers(channels).map((x) => 1 + x / 4) },
        bias: { values: this.numbers(channels) },
      },
      buffers: {
        running_mean: { values: this.numbers(channels) },
        running_var: { values: this.numbers(channels).map((x) => 1 + x / 2) },
        num_batches_tracked: { values: [7], size: [], type: 'LongStorage' },
      },
      settings: { num_features: channels, eps: new Float(0.001), momentum: 0.03, affine: true },
    });
  }

  act() {
    if (this.version === 'v3') return this.module('torch.nn.modules.activation.Hardswish');
    return this.module('torch.nn.modules.activation.SiLU', { settings: { inplace: true } });
  }

  relu() {
    return this.module('torch.nn.modules.activation.ReLU');
  }

  /** @param {number} cin @param {number} cout @param {any} [options] @param {string} [type] */
  conv(cin, cout, options = {}, type = 'models.common.Conv') {
    const { act = this.act(), ...rest } = options;
    const conv = this.conv2d(cin, cout, { ...rest, bias: this.fused });
    return this.module(type, {
      parts: this.fused ? { conv, act } : { conv, bn: this.batchNorm(cout), act },
    });
  }

  /** @param {any[]} parts */
  sequential(...parts) {
    return this.module('torch.nn.modules.container.Sequential', { parts: { ...parts } });
  }

  /** @param {number} c @param {boolean} add @param {string} [type] @param {any[]} [kernels] */
  bottleneck(c, add, type = 'models.common.Bottleneck', kernels = [1, 3]) {
    const [cv1, cv2] = kernels.map((k) => this.conv(c, c, { k }));
    return this.module(type, { parts: { cv1, cv2 }, settings: { add } });
  }

  /** @param {number} cin @param {number} cout @param {any} [inner] @param {string} [type] */
  c3(cin, cout, inner = this.bottleneck(cout / 2, true), type = 'models.common.C3') {
    const c = cout / 2;
    const parts = { cv1: this.conv(cin, c), cv2: this.conv(cin, c), cv3: this.conv(2 * c, cout) };
    return this.module(type, { parts: { ...parts, m: this.sequential(inner) } });
  }

  /** @param {number} cin @param {number} cout @param {string} [type] */
  csp(cin, cout, type = 'models.common.BottleneckCSP') {
    const c = cout / 2;
    return this.module(type, {
      parts: {
        cv1: this.conv(cin, c),
        cv2: this.conv2d(cin, c),
        cv3: this.conv2d(c, c),
        cv4: this.conv(2 * c, cout),
        bn: this.batchNorm(2 * c),
        act: this.module('torch.nn.modules.activation.LeakyReLU', {
          settings: { negative_slope: 0.1 },
        }),
        m: this.sequential(this.bottleneck(c, true)),
      },
    });
  }

  /** @param {number} k */
  pool(k, settings = {}) {
    return this.module('torch.nn.modules.pooling.MaxPool2d', {
      settings: {
        kernel_size: k,
        stride: 1,
        padding: Math.floor(k / 2),
        dilation: 1,
        ceil_mode: false,
        ...settings,
      },
    });
  }

  /** @param {number} c */
  spp(c) {
    const pools = this.module('torch.nn.modules.container.ModuleList', {
      parts: { ...[3, 5].map((k) => this.pool(k)) },
    });
    const parts = { cv1: this.conv(c, c / 2), cv2: this.conv((c / 2) * 3, c), m: pools };
    return this.module('models.common.SPP', { parts });
  }

  /** @param {number} c */
  sppf(c) {
    const parts = { cv1: this.conv(c, c / 2), cv2: this.conv(2 * c, c), m: this.pool(5) };
    return this.module('models.common.SPPF', { parts });
  }

  upsample(settings = {}) {
    return this.module('torch.nn.modules.upsampling.Upsample', {
      settings: {
        size: null,
        scale_factor: new Float(2),
        mode: 'nearest',
        align_corners: null,
        ...settings,
      },
    });
  }

  concat() {
    return this.module('models.common.Concat', { settings: { d: 1 } });
  }

  /** @param {number} cin @param {number} c @param {number} stride */
  shuffleBlock(cin, c, stride) {
    const half = c / 2;
    const from = stride > 1 ? cin : half;
    const depthwise = (/** @type {number} */ n) =>
      this.conv2d(n, n, { k: 3, s: stride, groups: n });
    const branch1 = () =>
      this.sequential(
        depthwise(cin),
        this.batchNorm(cin),
        this.conv2d(cin, half),
        this.batchNorm(half),
        this.relu(),
      );
    const branch2 = this.sequential(
      ...[this.conv2d(from, half), this.batchNorm(half), this.relu()],
      ...[depthwise(half), this.batchNorm(half)],
      ...[this.conv2d(half, half), this.batchNorm(half), this.relu()],
    );
    const parts = stride > 1 ? { branch1: branch1(), branch2 } : { branch2 };
    return this.module('models.common.Shuffle_Block', { parts, settings: { stride } });
  }

  /** @param {number} cin @param {number} cout */
  liteStem(cin, cout) {
    const conv = this.sequential(
      this.conv2d(cin, cout, { k: 3, s: 2 }),
      this.batchNorm(cout),
      this.relu(),
    );
    const maxpool = this.pool(3, { stride: 2 });
    return this.module('models.common.conv_bn_relu_maxpool', { parts: { conv, maxpool } });
  }

  /** @param {number} c @param {number} classes @param {any} [settings] */
  detect(c, classes, settings = {}) {
    const convolutions = STRIDES.map(() => this.conv2d(c, 3 * (5 + classes), { bias: true }));
    const cells = ANCHORS.flatMap((anchors, i) => anchors.flat().map((x) => x / STRIDES[i]));
    const isOld = ['v3', 'v5', 'lite'].includes(this.version);
    return this.module('models.yolo.Detect', {
      parts: {
        m: this.module('torch.nn.modules.container.ModuleList', { parts: { ...convolutions } }),
      },
      buffers: {
        anchors: { values: cells, size: [3, 3, 2] },
        ...(isOld && { anchor_grid: { values: ANCHORS.flat(2), size: [3, 1, 3, 1, 1, 2] } }),
      },
      settings: {
        nc: classes,
        no: classes + 5,
        nl: 3,
        na: 3,
        grid: [],
        ...(!isOld && { anchor_grid: [] }),
        stride: this.writer.tensor({ values: STRIDES, type: 'FloatStorage' }),
        ...settings,
      },
    });
  }

  /** The layers and what each reads. @returns {[any, number | number[]][]} */
  layers() {
    const { version, options } = this;
    const c = WIDTH;
    const { classes = 2 } = options;
    const down = (/** @type {number} */ cin) => this.conv(cin, c, { k: 3, s: 2 });
    const focus = () =>
      this.module('models.common.Focus', { parts: { conv: this.conv(12, c, { k: 3 }) } });
    /** @type {Record<string, () => any[]>} */
    const stems = {
      lite: () => [this.liteStem(3, c), this.shuffleBlock(c, c, 2), this.shuffleBlock(c, c, 1)],
      v3: () => [focus(), down(c), down(c)],
      v5: () => [focus(), down(c), down(c)],
    };
    const stem =
      stems[version] ?? (() => [this.conv(3, c, { k: 6, s: 2, p: [2, 2] }), down(c), down(c)]);
    const block = version === 'v3' ? this.csp(c, c) : this.c3(c, c);
    return [
      ...stem().map((module) => /** @type {[any, number]} */ ([module, -1])),
      [down(c), -1], // 3, stride 16
      [options.middle?.(this) ?? block, -1],
      [down(c), -1],
      [version === 'v3' || version === 'v5' ? this.spp(c) : this.sppf(c), -1], // 6, stride 32
      [this.upsample(), -1],
      [this.concat(), [-1, 4]],
      [this.conv(2 * c, c), -1], // 9
      [options.head?.(this) ?? this.detect(c, classes), [2, 9, 6]],
    ];
  }

  /** @param {any} [settings] */
  model(settings = {}) {
    const layers = this.layers().map(([module, f], i) => {
      Object.assign(module.state, { i, f, type: `layer ${i}` });
      return module;
    });
    const kind = this.version === 'v7' ? 'DetectionModel' : 'Model';
    return this.module(`models.yolo.${kind}`, {
      parts: { model: this.sequential(...layers) },
      settings: {
        yaml: { nc: 2, ch: 3 },
        yaml_file: 'tiny.yaml',
        names: this.options.names ?? ['fox', 'owl'],
        save: [2, 4, 6, 9],
        ...settings,
      },
    });
  }
}

/**
 * @param {PtOptions & import('./pt-writer.js').SaveOptions} [options]
 * @param {(model: any, tiny: TinyPt) => any} [wrap] what is saved
 * @returns {Uint8Array}
 */
export function tinyPt(
  options = {},
  wrap = (model) => ({ epoch: -1, model, ema: null, optimizer: null }),
) {
  const tiny = new TinyPt(options);
  return tiny.writer.save(wrap(tiny.model(), tiny), options);
}
