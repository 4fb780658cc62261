// One instance of the press module with one network. Beside wasm/, this alone touches its memory.

import { WispError } from '../error.js';
import { readBoxes } from '../wasm/boxes.js';
import { Door } from '../wasm/door.js';
import { compile, instantiate } from '../wasm/instance.js';
import { pressFiles } from './press-files.js';
import { completed, numbered } from './press-settings.js';

/**
 * @typedef {import('../graph/float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('../graph/float-graph.js').GraphNode} GraphNode
 * @typedef {import('../wasm/boxes.js').Box} Box
 * @typedef {import('./press-settings.js').QuantiseOptions} QuantiseOptions
 * @typedef {import('./press-settings.js').LayerAccount} LayerAccount
 * @typedef {{weight: Float32Array, bias: Float32Array}} Meant
 */

const ACCOUNT_FIELDS = 10; // f64, in the order of wasm/press.c

/** WISP_ACT_* of models/FORMAT.md @type {Record<string, number>} */
const ACTIVATIONS = { relu: 1, leaky: 2, silu: 3, hardswish: 4, sigmoid: 5 };

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
    const files = pressFiles(threads > 1, base);
    try {
      return new PressEngine(await instantiate(files, threads - 1, compile(files.wasm)), threads);
    } catch (thrown) {
      if (threads === 1 || thrown instanceof WispError) throw thrown;
      return PressEngine.load(1, base); // see Engine.load
    }
  }

  /**
   * Hands the network over, node by node, and folds it.
   * @param {FloatGraph} graph
   * @param {{width: number, height: number}} input the size it works at
   */
  build(graph, { width, height }) {
    this.#door.guard(() => {
      this.#door.require(this.#module._graph_input(height, width));
      const tensors = new Map([[0, 0]]);
      for (const node of graph.nodes) {
        const inputs = node.inputs.map((id) => /** @type {number} */ (tensors.get(id)));
        if (node.range) this.#module._graph_range(node.range.scale, node.range.zeroPoint);
        const tensor = this.#add(node, inputs);
        tensors.set(node.output, tensor);
        this.#nodes.set(tensor, node);
      }
      for (const { tensor, stride, anchors } of graph.heads) {
        this.#withNumbers(anchors.flat(), (at) => {
          const status = this.#module._graph_head(tensors.get(tensor), stride, at, anchors.length);
          this.#door.require(status);
        });
      }
      for (const name of graph.classes) {
        this.#withText(name, (at) => this.#door.require(this.#module._graph_class(at)));
      }
      this.#classes = graph.classes;
      this.#fold(graph, tensors);
    });
  }

  /** Whether the network was trained with wisp's integers, so that no picture is needed to choose any. */
  get trained() {
    return this.#module._trained() === 1;
  }

  /**
   * @param {FloatGraph} graph
   * @param {Map<number, number>} tensors of the press, by those of the graph
   */
  #fold(graph, tensors) {
    try {
      this.#door.require(this.#module._fold(this.threads));
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
      return this.#door.require(this.#call(node, inputs));
    } catch (cause) {
      throw named(cause, () => node);
    }
  }

  /** @param {GraphNode} node @param {number[]} inputs @returns {number} a tensor or a status */
  #call(node, inputs) {
    const m = this.#module;
    const [input] = inputs;
    switch (node.op) {
      case 'conv':
        return this.#conv(node, input);
      case 'affine':
        return this.#withNumbers(node.scale, (scale) =>
          this.#withNumbers(node.bias, (bias) =>
            m._graph_affine(input, scale, bias, node.scale.length),
          ),
        );
      case 'add':
        return m._graph_add(input, inputs[1]);
      case 'concat':
        return this.#withIntegers(inputs, (at) => m._graph_concat(at, inputs.length));
      case 'select':
        return this.#withIntegers(node.channels, (at) =>
          m._graph_select(input, at, node.channels.length),
        );
      case 'maxpool':
        return m._graph_maxpool(input, ...node.kernel, ...node.stride, ...node.pad);
      case 'upsample':
        return m._graph_upsample(input, ...node.factor);
      case 'focus':
        return m._graph_focus(input);
      case 'leaky':
        return m._graph_activation(input, ACTIVATIONS.leaky, node.slope);
      default:
        return m._graph_activation(input, ACTIVATIONS[node.op], 0);
    }
  }

  /**
   * @param {import('../graph/float-graph.js').Conv} conv
   * @param {number} input
   * @returns {number}
   */
  #conv({ weight, bias, channels, kernel, stride, pad, groups }, input) {
    const [cin, cout] = channels;
    return this.#withNumbers(weight, (weights) =>
      this.#withNumbers(bias ?? [], (biases) =>
        this.#module._graph_conv(
          input,
          weights,
          bias ? biases : 0,
          cout,
          cin / groups,
          ...kernel,
          ...stride,
          ...pad,
          groups,
        ),
      ),
    );
  }

  /**
   * Room for the RGBA bytes of the picture at hand. Valid until the next call of anything here.
   * @param {number} width
   * @param {number} height
   * @returns {Uint8ClampedArray<ArrayBuffer>}
   */
  frame(width, height) {
    return this.#door.guard(() => {
      const at = this.#module._frame_buffer(width, height);
      if (!at) throw noMemory(`a picture of ${width} × ${height} pixels`);
      this.#frame = { width, height };
      return this.#door.pixels(at, width, height);
    });
  }

  /** Keeps what the picture at hand shows of the network. */
  observe() {
    this.#naming(() => this.#module._observe());
  }

  /**
   * @param {QuantiseOptions} options
   * @param {(share: number) => void} [onProgress] how far it is, 0 … 1
   * @returns {{settings: Required<QuantiseOptions>, layers: LayerAccount[]}} what was done, and to each convolution
   */
  quantise(options, onProgress = () => {}) {
    const settings = completed(options);
    const numbers = numbered(settings);
    this.#module.onProgress = onProgress;
    this.#naming(() => this.#module._quantise(...numbers));
    return { settings, layers: this.#accounts() };
  }

  /** @returns {LayerAccount[]} */
  #accounts() {
    const layers = [];
    for (let at = this.#module._account(0); at; at = this.#module._account(layers.length)) {
      const fields = this.#door.numbers(at, ACCOUNT_FIELDS);
      const [node, bits, weights, zeros, blocks, zeroBlocks, macs, before, after, share] = fields;
      const counts = { bits, weights, zeros, blocks, zeroBlocks, macs };
      layers.push({
        name: this.#nodes.get(node)?.name ?? '',
        ...counts,
        error: { before, after },
        share,
      });
    }
    return layers;
  }

  /**
   * What the integers of each convolution stand for.
   * @returns {Map<number, Meant>} by the tensors of the graph that they write
   */
  meant() {
    const found = new Map();
    for (let i = 0, at = this.#module._account(i); at; at = this.#module._account(++i)) {
      const [number] = this.#door.numbers(at, 1);
      const node = this.#nodes.get(number);
      if (node?.op !== 'conv') continue;
      try {
        found.set(node.output, this.#meantBy(i, node));
      } catch (cause) {
        throw named(cause, () => node);
      }
    }
    return found;
  }

  /**
   * @param {number} convolution
   * @param {Extract<GraphNode, {op: 'conv'}>} conv
   * @returns {Meant}
   */
  #meantBy(convolution, { channels: [, outputs], weight, kernel, stride, pad }) {
    const room = new Float32Array(weight.length + outputs);
    return this.#withNumbers(room, (at) => {
      const sizes = [...kernel, ...stride, ...pad, weight.length, outputs];
      const biases = at + weight.byteLength;
      this.#door.require(this.#module._meant(convolution, ...sizes, at, biases));
      const all = new Float32Array(this.#door.memory.buffer, at, room.length).slice();
      return { weight: all.slice(0, weight.length), bias: all.slice(weight.length) };
    });
  }

  /**
   * Removes whole channels; pictures have to be observed again.
   * @param {number} share of the work, 0 … 0.7
   * @returns {number} what was saved of it
   */
  channels(share) {
    return this.#naming(() => this.#module._channels(share));
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
        this.#door.require(this.#module._pack(at)),
      );
      const at = this.#module._packed_data();
      const end = at + this.#module._packed_size();
      return new Uint8Array(this.#door.memory.buffer).slice(at, end);
    });
  }

  /**
   * The float network's boxes in the picture at hand.
   * @param {Omit<import('../detect/engine.js').DetectOptions, 'classes'>} options
   * @returns {{boxes: Box[], width: number, height: number}}
   */
  detect(options) {
    return this.#door.guard(() => {
      this.#door.record('options').fill(this.#module._press_options(), options);
      this.#door.require(this.#module._press_detect());
      const { boxes, count } = this.#door.record('result').read(this.#module._press_result());
      return { boxes: readBoxes(this.#door, boxes, count, this.#classes), ...this.#frame };
    });
  }

  /**
   * Bytes in the module's memory for the length of a call.
   * @template T
   * @param {Uint8Array} bytes
   * @param {(at: number) => T} call
   * @returns {T}
   */
  #withBytes(bytes, call) {
    const at = this.#module._alloc(Math.max(1, bytes.length));
    if (!at) throw noMemory(`${bytes.length} bytes of the network`);
    try {
      new Uint8Array(this.#door.memory.buffer).set(bytes, at);
      return call(at);
    } finally {
      this.#module._release(at);
    }
  }

  /**
   * @template T
   * @param {number[]} numbers
   * @param {(at: number) => T} call
   * @returns {T}
   */
  #withIntegers(numbers, call) {
    return this.#withBytes(new Uint8Array(Int32Array.from(numbers).buffer), call);
  }

  /**
   * @template T
   * @param {Float32Array | number[]} numbers
   * @param {(at: number) => T} call
   * @returns {T}
   */
  #withNumbers(numbers, call) {
    return this.#withBytes(new Uint8Array(Float32Array.from(numbers).buffer), call);
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
