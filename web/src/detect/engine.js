// One WebAssembly instance with one model and one detector. Beside wasm/, this alone touches its memory.

import { WispError } from '../error.js';
import { readBoxes, readMasks } from '../wasm/boxes.js';
import { Door } from '../wasm/door.js';
import { compile, instantiate, orAlone } from '../wasm/instance.js';
import { withoutThreads } from './variant.js';

/**
 * @typedef {import('../wasm/boxes.js').Box} Box
 *
 * @typedef {object} Times milliseconds
 * @property {number} pixels from the source to RGBA bytes
 * @property {number} prep letterbox and input quantisation
 * @property {number} run the network
 * @property {number} post decode and NMS
 * @property {number} total
 *
 * @typedef {object} Result
 * @property {Box[]} boxes best first
 * @property {number} width of the source, in pixels
 * @property {number} height
 * @property {Times} times
 *
 * @typedef {object} DetectOptions
 * @property {number} [confidence] boxes score above it, 0 … 1; default 0.25
 * @property {number} [iou] boxes of one class overlap by at most this, 0 … 1; default 0.45
 * @property {number} [maxDetections] default 300
 * @property {readonly (string | number)[]} [classes] names or indices of the classes wanted; default all
 * @property {boolean} [classAgnostic] suppress across classes; default false
 * @property {boolean} [multiLabel] every class above `confidence` gives a box, not only the best; default false
 * @property {boolean} [rect] compute only the rectangle of whole strides that the letterboxed picture needs of the
 *   input, as YOLOv5's detect does; false: all of it, as exports of a fixed size and a press do; default true
 * @property {'none' | 'auto' | Tiles} [tiles] to find small things in large pictures: besides the whole picture,
 *   overlapping tiles of it are looked at, each as large as the whole; a thing that several show comes once, and the
 *   times are of all together. 'auto': of pictures r > 2 times as wide or high as the input, tiles of up to √r times
 *   its size; default 'none'
 * @property {'none' | 'bitmap' | 'rle'} [masks] of a model that segments: whether each box has a `mask`, the pixels of
 *   the source that are the object, and in which form; default 'none'
 *
 * @typedef {object} Tiles
 * @property {number} columns 1 … 32
 * @property {number} rows
 * @property {number} [overlap] of neighbours, as a share of a tile's side, 0 … 0.5; default 0.2
 *
 * @typedef {Omit<DetectOptions, 'tiles'> & {tiles?: 'none' | 'auto' | 'grid', tileColumns?: number, tileRows?: number,
 *   tileOverlap?: number}} Detection the options as the module takes them
 *
 * @typedef {object} LayerInfo
 * @property {string} operation
 * @property {string} activation
 * @property {number} channelsIn
 * @property {number} channelsOut
 * @property {number} kernelHeight
 * @property {number} kernelWidth
 * @property {number} stride
 * @property {number} blocks 1×4 weight blocks, 0 without weights
 * @property {number} blocksPresent those that are not all zero
 * @property {boolean} isHead whether what it writes is decoded to boxes
 * @property {number} bytes in the file
 *
 * @typedef {object} LayerRun
 * @property {number} width of what the layer writes
 * @property {number} height
 * @property {number} ms in the last detect
 *
 * @typedef {object} ModelInfo
 * @property {number} inputWidth the size that the file asks for
 * @property {number} inputHeight
 * @property {number} stride width and height are multiples of it
 * @property {string[]} classes
 * @property {number} masks prototypes that masks are made of; 0: it finds boxes only
 * @property {LayerInfo[]} layers
 * @property {any} provenance where the file comes from, as it says itself
 *
 * @typedef {object} DetectorInfo
 * @property {number} width of the network's input
 * @property {number} height
 * @property {number} threads
 * @property {string} kernels "simd", "relaxed" or "relaxed-fused"
 * @property {boolean} signedBytes whether activations are stored with their top bit flipped, as Arm's dot product needs
 * @property {number} memory bytes of the whole engine
 * @property {number} macs multiply-adds a frame, absent blocks not counted
 */

/**
 * Which kernels run: "narrow" has dot products with 16-bit sums, "fused" with 32-bit sums, faster on processors with
 * VNNI and on Arm; both need relaxed SIMD. "auto" takes what is faster here.
 * @typedef {'auto' | 'narrow' | 'fused'} Kernels
 */

export class Engine {
  /** @type {any} the instance's exports */
  #module;
  #door;
  /** @type {string[]} */
  #classes = [];
  /** @type {{width: number, height: number}[]} */
  #frames = [];
  #landing = 0; // bytes

  /** @param {any} module @param {import('./variant.js').Choice} choice */
  constructor(module, choice) {
    this.#module = module;
    this.#door = new Door(module, 'runtime', ['The engine crashed', 'Open the detector again']);
    /** What runs; may have fewer threads than was asked for. */
    this.choice = choice;
  }

  /**
   * @param {import('./variant.js').Choice} choice
   * @param {Record<import('./variant.js').Variant, import('./runtime-files.js').BuildFiles>} files
   * @param {WebAssembly.Module} [compiled] the choice's, if someone has it already
   */
  static async load(choice, files, compiled = undefined) {
    const start = async (
      /** @type {import('./variant.js').Choice} */ one,
      /** @type {WebAssembly.Module | undefined} */ module,
    ) => {
      const build = files[one.variant];
      const compiling = module ?? compile(build.wasm);
      return new Engine(await instantiate(build, workersFor(one.threads), compiling), one);
    };
    if (choice.threads === 1 || choice.binding) return await start(choice, compiled);
    const alone = (/** @type {string} */ why) => start(withoutThreads(choice, why), undefined);
    return await orAlone(() => start(choice, compiled), alone);
  }

  /**
   * What the detector will be: known before the model, most of the work is done while its bytes arrive.
   * @param {number} width of the network's input; 0: the model's own
   * @param {number} height
   * @param {boolean} warmUp whether every layer runs once, so that the first picture is no slower than the next
   * @param {Kernels} [kernels]
   */
  expect(width, height, warmUp, kernels) {
    const { threads } = this.choice;
    const settings = { width, height, threads, warmUp, kernels };
    this.#door.record('settings').fill(this.#module._runtime_expect(), settings);
  }

  /**
   * Takes the next bytes of a model.
   * @param {Uint8Array} bytes
   * @returns {number} bytes of the whole file, 0 while unknown
   */
  feed(bytes) {
    return this.#door.guard(() => {
      const at = this.#module._runtime_model_buffer(bytes.length);
      if (!at)
        throw new WispError(
          'WISP_ERR_MEMORY',
          `There is no memory for ${bytes.length} bytes of the model.`,
        );
      this.#door.bytes(at, bytes.length).set(bytes);
      this.#door.require(this.#module._runtime_feed(bytes.length));
      return this.#module._runtime_model_size();
    });
  }

  /** What the file says of itself; its header must have arrived. @returns {ModelInfo} */
  describeModel() {
    return this.#door.guard(() => {
      const at = this.#module._runtime_model();
      if (!at) throw new WispError('WISP_ERR_TRUNCATED', "The model's header has not arrived.");
      const { classes, layers, provenance, ...sizes } = this.#door.record('model').read(at);
      return {
        ...sizes,
        classes: Array.from({ length: classes }, (_, i) =>
          this.#door.text(this.#module._runtime_class(i)),
        ),
        layers: Array.from({ length: layers }, (_, i) =>
          this.#door.record('layer').read(this.#module._runtime_layer(i)),
        ),
        provenance: parsed(provenance),
      };
    });
  }

  /**
   * The detector that was expected, of the model that has arrived.
   * @returns {DetectorInfo}
   */
  open() {
    return this.#door.guard(() => {
      this.#door.require(this.#module._runtime_open());
      this.#classes = this.describeModel().classes;
      return this.describeDetector();
    });
  }

  /** @returns {DetectorInfo} */
  describeDetector() {
    const told = this.#door.record('detector').read(this.#module._runtime_detector());
    return { ...told, memory: this.#door.memory.buffer.byteLength };
  }

  /**
   * Room for the RGBA bytes of picture i of the batch. Valid until the next call of anything here.
   * @param {number} i
   * @param {number} width
   * @param {number} height
   * @returns {Uint8ClampedArray<ArrayBuffer>}
   */
  frame(i, width, height) {
    return this.#door.guard(() => {
      const at = this.#module._runtime_frame_buffer(i, width, height);
      if (!at)
        throw new WispError(
          'WISP_ERR_MEMORY',
          `There is no memory for a picture of ${width} × ${height} pixels.`,
        );
      this.#frames[i] = { width, height };
      return this.#door.pixels(at, width, height);
    });
  }

  /**
   * Room that the page may write the next picture into by itself, whatever happens here; an earlier landing is void.
   * @param {number} size bytes, at least
   * @returns {Uint8Array<SharedArrayBuffer> | undefined} nothing where memory is not shared, or none is left
   */
  landing(size) {
    const shares = typeof SharedArrayBuffer === 'function';
    if (!shares || !(this.#door.memory.buffer instanceof SharedArrayBuffer)) return undefined;
    this.#landing = Math.max(size, this.#landing);
    const at = this.#module._runtime_landing(this.#landing);
    if (at) return new Uint8Array(this.#door.memory.buffer, at, this.#landing);
    this.#landing = 0;
    return undefined;
  }

  /**
   * Picture i of the batch is the one in that room.
   * @param {number} i
   * @param {number} width
   * @param {number} height
   * @returns {Uint8ClampedArray<ArrayBuffer>} it
   */
  land(i, width, height) {
    const at = this.#module._runtime_land(i, width, height);
    if (!at) {
      const sentence = `There is no room for a picture of ${width} × ${height} pixels.`;
      throw new WispError('WISP_ERR_MEMORY', sentence);
    }
    this.#frames[i] = { width, height };
    return this.#door.pixels(at, width, height);
  }

  /** Lays picture i, where it is transparent, on a colour. @param {number} i @param {number} colour 0xRRGGBB */
  flatten(i, colour) {
    this.#door.guard(() => this.#module._runtime_flatten(i, colour));
  }

  /**
   * Boxes of pictures 0 … n − 1, which stand in frame(i) or have landed.
   * @param {number} n
   * @param {Detection} options
   * @returns {Result[]} with `pixels` still 0
   */
  detect(n, options) {
    const { classes, ...rest } = options;
    return this.#door.guard(() => {
      this.#wantClasses(classes);
      this.#door.record('options').fill(this.#module._runtime_options(), rest);
      this.#door.require(this.#module._runtime_detect(n));
      return Array.from({ length: n }, (_, i) => this.#result(i, rest.masks));
    });
  }

  /** @param {readonly (string | number)[] | undefined} wanted */
  #wantClasses(wanted) {
    const filter = this.#door.bytes(this.#module._runtime_class_filter(), this.#classes.length);
    if (wanted === undefined) {
      filter.fill(1);
      return;
    }
    const labels = wanted.map((one) => this.#label(one));
    filter.fill(0);
    for (const label of labels) filter[label] = 1;
  }

  /** @param {string | number} wanted */
  #label(wanted) {
    const label = typeof wanted === 'string' ? this.#classes.indexOf(wanted) : wanted;
    if (Number.isInteger(label) && label >= 0 && label < this.#classes.length) return label;
    const some = this.#classes.slice(0, 5).join(', ') + (this.#classes.length > 5 ? ', …' : '');
    throw new WispError(
      'WISP_ERR_ARGUMENT',
      `The model has no class ${JSON.stringify(wanted)}; its ${this.#classes.length} are ${some}.`,
    );
  }

  /** @param {number} i @param {DetectOptions['masks']} form @returns {Result} */
  #result(i, form) {
    const { boxes, count, masks, prep, run, post } = this.#door
      .record('result')
      .read(this.#module._runtime_result(i));
    const found = readBoxes(this.#door, boxes, count, this.#classes);
    if (form && form !== 'none') readMasks(this.#door, masks, found, form, this.#frames[i]);
    return {
      boxes: found,
      ...this.#frames[i],
      times: { pixels: 0, prep, run, post, total: prep + run + post },
    };
  }

  /** What each layer does at the size that was opened. @returns {LayerRun[]} */
  describeRun() {
    const { layers } = this.describeModel();
    return layers.map((_, i) =>
      this.#door.record('layerRun').read(this.#module._runtime_layer_run(i)),
    );
  }

  /** Frees the model and the detector. The instance takes another model afterwards. */
  close() {
    this.#module._runtime_close();
  }
}

/** The engine sleeps while its threads, one more than share the work, detect. @param {number} threads */
const workersFor = (threads) => (threads > 1 ? threads : 0);

/** @param {string} json */
function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}
