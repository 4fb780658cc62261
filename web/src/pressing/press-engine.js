// One instance of the press module with one network. Beside wasm/, this alone touches its memory.

import { WispError } from '../error.js';
import { readBoxes, readMasks } from '../wasm/boxes.js';
import { Door } from '../wasm/door.js';
import { compile, instantiate, orAlone } from '../wasm/instance.js';
import { bytesOf, nodeValues } from './graph-record.js';
import { pressFiles } from './press-files.js';

/**
 * @typedef {import('../graph/float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('../graph/float-graph.js').GraphNode} GraphNode
 * @typedef {import('../wasm/boxes.js').Box} Box
 * @typedef {import('./press-settings.js').QuantiseOptions} QuantiseOptions
 * @typedef {import('./press-settings.js').LayerAccount} LayerAccount
 * @typedef {{weight: Float32Array, bias: Float32Array}} Dequantised
 */

export class PressEngine {
  /** @type {any} the instance's exports */
  #module;
  #door;
  /** @type {string[]} */
  #classes = [];
  /** By the tensors that they write here. @type {Map<number, GraphNode>} */
  #nodes = new Map();
  #frame = { width: 0, height: 0 };

  /** @param {any} module @param {number} threads */
  constructor(module, threads) {
    this.#module = module;
    this.#door = new Door(module, 'press', ['The press crashed', 'Open it again']);
    this.threads = threads;
  }

  /**
   * @param {number} threads more than one need shared memory
   * @param {string} [base] folder that holds the press's files under their own names; without it, the package's
   * @returns {Promise<PressEngine>}
   */
  static async load(threads, base) {
    const start = async (/** @type {number} */ count) => {
      const files = pressFiles(count > 1, base);
      return new PressEngine(await instantiate(files, count - 1, compile(files.wasm)), count);
    };
    return threads === 1
      ? await start(1)
      : await orAlone(
          () => start(threads),
          () => start(1),
        );
  }

  /**
   * Hands the network over, node by node, and folds it.
   * @param {FloatGraph} graph
   * @param {{width: number, height: number}} input the size it works at
   */
  build(graph, { width, height }) {
    this.#door.guard(() => {
      this.#door.require(this.#module._press_input(height, width));
      const tensors = new Map([[0, 0]]);
      for (const node of graph.nodes) {
        const inputs = node.inputs.map((id) => /** @type {number} */ (tensors.get(id)));
        const tensor = this.#add(node, inputs);
        tensors.set(node.output, tensor);
        this.#nodes.set(tensor, node);
      }
      for (const head of graph.heads) {
        const values = { ...head, tensor: tensors.get(head.tensor) };
        this.#telling('head', this.#module._press_head(), values, this.#module._press_add_head);
      }
      for (const name of graph.classes) {
        this.#withText(name, (at) => this.#door.require(this.#module._press_class(at)));
      }
      this.#classes = graph.classes;
      this.#fold(graph, tensors);
    });
  }

  /** Whether the network was trained with wisp's integers, so that no picture is needed to choose any. */
  get trained() {
    return this.#module._press_trained() === 1;
  }

  /**
   * @param {FloatGraph} graph
   * @param {Map<number, number>} tensors of the press, by those of the graph
   */
  #fold(graph, tensors) {
    try {
      this.#door.require(this.#module._press_fold(this.threads));
    } catch (cause) {
      const written = (/** @type {GraphNode} */ { output }) => tensors.get(output);
      throw named(cause, (tensor) => graph.nodes.find((node) => written(node) === tensor));
    }
  }

  /**
   * @param {GraphNode} node
   * @param {number[]} inputs tensors of the press
   * @returns {number} the tensor it writes
   */
  #add(node, inputs) {
    try {
      const values = nodeValues(node, inputs, this.#door.record('node').words('activation'));
      return this.#telling(
        'node',
        this.#module._press_node(),
        values,
        this.#module._press_add_node,
      );
    } catch (cause) {
      const told = named(cause, () => node);
      if (!(told instanceof WispError) || told.message.includes(node.name)) throw told;
      throw new WispError(told.code, `Node "${node.name}": ${told.message}`, { cause });
    }
  }

  /**
   * Room for the RGBA bytes of the picture at hand. Valid until the next call of anything here.
   * @param {number} width
   * @param {number} height
   * @returns {Uint8ClampedArray<ArrayBuffer>}
   */
  frame(width, height) {
    return this.#door.guard(() => {
      const at = this.#module._press_frame_buffer(width, height);
      if (!at) throw noMemory(`a picture of ${width} × ${height} pixels`);
      this.#frame = { width, height };
      return this.#door.pixels(at, width, height);
    });
  }

  /** Lays the picture at hand, where it is transparent, on a colour. @param {number} colour 0xRRGGBB */
  flatten(colour) {
    this.#door.guard(() => this.#module._flatten_frame(colour));
  }

  /** Keeps what the picture at hand shows of the network. */
  observe() {
    this.#naming(() => this.#module._press_observe());
  }

  /**
   * @param {QuantiseOptions} options
   * @param {(share: number) => void} [onProgress] how far it is, 0 … 1
   * @returns {{settings: Required<QuantiseOptions>, layers: LayerAccount[]}} what was done, and to each convolution
   */
  quantise(options, onProgress = () => {}) {
    const settings = this.settings(options);
    this.#module.onProgress = onProgress;
    this.#naming(() => this.#module._press_quantise());
    return { settings, layers: this.#accounts() };
  }

  /**
   * With what `quantise` would do where they say nothing; an error where they can't be.
   * @param {QuantiseOptions} options
   * @returns {Required<QuantiseOptions>}
   */
  settings(options) {
    const given = Object.fromEntries(
      Object.entries(options).filter(([, value]) => value !== undefined),
    );
    return this.#door.guard(() => {
      const record = this.#door.record('settings');
      const at = this.#module._press_settings();
      record.fill(at, given);
      this.#door.require(this.#module._press_complete());
      return { ...record.read(at), ...given };
    });
  }

  /** Of convolution i; nothing past the last. @param {number} i @returns {any} */
  #account(i) {
    const at = this.#module._press_account(i);
    return at ? this.#door.record('account').read(at) : undefined;
  }

  /** @returns {LayerAccount[]} */
  #accounts() {
    const layers = [];
    for (let told = this.#account(0); told; told = this.#account(layers.length)) {
      const { node, errorBefore: before, errorAfter: after, share, ...counts } = told;
      const name = this.#nodes.get(node)?.name ?? '';
      layers.push({ name, ...counts, error: { before, after }, share });
    }
    return layers;
  }

  /**
   * What the integers of each convolution stand for.
   * @returns {Map<number, Dequantised>} by the tensors of the graph that they write
   */
  dequantise() {
    const found = new Map();
    for (let i = 0, told = this.#account(i); told; told = this.#account(++i)) {
      const node = this.#nodes.get(told.node);
      if (node?.op !== 'conv') continue;
      try {
        const made = this.#dequantised(i, node);
        found.set(node.output, merged(found.get(node.output), made));
      } catch (cause) {
        throw named(cause, () => node);
      }
    }
    return found;
  }

  /**
   * @param {number} convolution
   * @param {Extract<GraphNode, {op: 'conv'}>} conv
   * @returns {Dequantised}
   */
  #dequantised(convolution, { channels: [, channels], weight, kernel, stride, pad }) {
    const count = weight.length;
    return this.#withBytes(new Uint8Array(4 * (count + channels)), (at) => {
      const room = { weight: at, bias: at + 4 * count };
      const values = { kernel, stride, pad, count, channels, ...room };
      this.#door.record('weights').fill(this.#module._press_weights(), values);
      this.#door.require(this.#module._press_dequantise(convolution));
      const all = new Float32Array(this.#door.memory.buffer, at, count + channels).slice();
      return { weight: all.slice(0, count), bias: all.slice(count) };
    });
  }

  /**
   * Removes whole channels; pictures have to be observed again.
   * @param {number} share of the work, 0 … 0.7
   * @returns {number} what was saved of it
   */
  channels(share) {
    return this.#naming(() => this.#module._press_channels(share));
  }

  /** What `call` gives, or a sentence with a node's own name. @param {() => number} call */
  #naming(call) {
    try {
      return this.#door.guard(() => this.#door.require(call()));
    } catch (cause) {
      throw named(cause, (number) => this.#nodes.get(number));
    }
  }

  /**
   * @param {object} provenance
   * @returns {Uint8Array<ArrayBuffer>} a .wisp file
   */
  pack(provenance) {
    return this.#door.guard(() => {
      this.#withText(JSON.stringify(provenance), (at) =>
        this.#door.require(this.#module._press_pack(at)),
      );
      const at = this.#module._press_packed_data();
      const end = at + this.#module._press_packed_size();
      return new Uint8Array(this.#door.memory.buffer).slice(at, end);
    });
  }

  /**
   * The float network's boxes in the picture at hand.
   * @param {Omit<import('../detect/engine.js').Detection, 'classes'>} options
   * @returns {{boxes: Box[], width: number, height: number}}
   */
  detect(options) {
    return this.#door.guard(() => {
      this.#door.record('options').fill(this.#module._press_options(), options);
      this.#door.require(this.#module._press_detect());
      const { boxes, count, masks } = this.#door
        .record('result')
        .read(this.#module._press_result());
      const found = readBoxes(this.#door, boxes, count, this.#classes);
      const { masks: form = 'none' } = options;
      if (form !== 'none') readMasks(this.#door, masks, found, form, this.#frame);
      return { boxes: found, ...this.#frame };
    });
  }

  /**
   * A struct, filled, for the length of a call.
   * @param {string} name of its record
   * @param {number} at
   * @param {{[field: string]: any}} values
   * @param {() => number} call
   * @returns {number} what it gives, if that is no error
   */
  #telling(name, at, values, call) {
    /** @type {number[]} */
    const placed = [];
    try {
      this.#door.record(name).fill(at, values, (field, value) => {
        const bytes = bytesOf(field, value);
        placed.push(this.#place(bytes));
        return [placed[placed.length - 1], bytes.length / 4];
      });
      return this.#door.require(call());
    } finally {
      for (const one of placed) this.#module._press_release(one);
    }
  }

  /** Into the module's memory. @param {Uint8Array} bytes @returns {number} where, to be released */
  #place(bytes) {
    const at = this.#module._press_alloc(Math.max(1, bytes.length));
    if (!at) throw noMemory(`${bytes.length} bytes of the network`);
    this.#door.bytes(at, bytes.length).set(bytes);
    return at;
  }

  /**
   * Bytes in the module's memory for the length of a call.
   * @template T
   * @param {Uint8Array} bytes
   * @param {(at: number) => T} call
   * @returns {T}
   */
  #withBytes(bytes, call) {
    const at = this.#place(bytes);
    try {
      return call(at);
    } finally {
      this.#module._press_release(at);
    }
  }

  /**
   * @template T
   * @param {string} text
   * @param {(at: number) => T} call
   * @returns {T}
   */
  #withText(text, call) {
    return this.#withBytes(new TextEncoder().encode(`${text}\0`), call);
  }
}

/**
 * The layers of one node, each with zeros where others have its channels.
 * @param {Dequantised | undefined} one
 * @param {Dequantised} other
 * @returns {Dequantised}
 */
const merged = (one, other) =>
  one
    ? {
        weight: one.weight.map((value, i) => value + other.weight[i]),
        bias: one.bias.map((value, i) => value + other.bias[i]),
      }
    : other;

/** @param {string} what */
const noMemory = (what) =>
  new WispError('WISP_ERR_MEMORY', `There is no memory for ${what} in the press.`);

/**
 * The core counts nodes by the tensors they write and has no names for them.
 * @param {unknown} cause
 * @param {(tensor: number) => GraphNode | undefined} find
 */
function named(cause, find) {
  if (!(cause instanceof WispError)) return cause;
  const sentence = cause.message.replace(/\b(node) (\d+)/i, (words, kind, number) => {
    const node = find(Number(number));
    return node ? `${kind} "${node.name}"` : words;
  });
  return new WispError(cause.code, sentence, { cause });
}
