// What is known while the layers of a checkpoint become a float graph: nodes, sizes of feature maps, weights.

import { malformed } from '../../graph/graph-error.js';

/**
 * @typedef {import('../../graph/float-graph.js').FloatGraphBuilder} FloatGraphBuilder
 * @typedef {import('../../graph/float-graph.js').Operation} Operation
 * @typedef {import('./pt-module.js').PtModule} PtModule
 * @typedef {import('./weights.js').Weights} Weights
 * @typedef {{id: number, channels: number, height: number, width: number}} Feature
 * @typedef {(network: PtNetwork, module: PtModule, inputs: Feature[]) => Feature} Translate
 */

/** Inputs of all nodes together: YOLOv5x6 has some 1,500. */
const MOST_INPUTS = 50_000;

/** Channels of a feature map. */
const MOST_CHANNELS = 1 << 16;

/** What layers do that networks of today have and wisp has not. @type {[RegExp, string][]} */
const UNKNOWN = [
  [/^(C3k2?|C2PSA|PSABlock)$/, 'is a layer of YOLO11 and later'],
  [/^(A2C2f|ABlock|AAttn)$/, 'is a layer of YOLO12'],
  [/^(SCDown|C2fCIB|PSA)$/, 'is a layer of YOLOv10'],
  [/^(RepNCSPELAN4|ELAN1|ADown|AConv|CBLinear|SPPELAN)$/, 'is a layer of YOLOv9'],
  [/^(HGStem|HGBlock|AIFI|RepC3)$/, 'is a layer of RT-DETR'],
  [/TR$|Transformer|Attention|PSA|^AAttn/, 'is made of attention'],
  [/SE(Module|Layer|Block)$|AvgPool/, 'looks at the whole picture at once'],
  [/^(Mish|FReLU|AconC|MetaAconC|ReLU6|GELU|ELU|PReLU)$/, 'is an activation'],
];

/** @param {string} kind of a module */
const wordsFor = (kind) => UNKNOWN.find(([pattern]) => pattern.test(kind))?.[1] ?? 'is a layer';

export class PtNetwork {
  #weights;
  #table;
  #inputs = 0;

  /**
   * @param {FloatGraphBuilder} graph
   * @param {Weights} weights
   * @param {Map<string, Translate>} table what to do with a module, by its kind
   */
  constructor(graph, weights, table) {
    this.graph = graph;
    this.#weights = weights;
    this.#table = table;
  }

  /**
   * @param {PtModule} module
   * @param {Feature[]} inputs
   * @returns {Feature}
   */
  run(module, ...inputs) {
    const translate = this.#table.get(module.kind);
    if (!translate) return module.refuse(wordsFor(module.kind));
    const output = translate(this, module, inputs);
    module.requireWhole();
    return output;
  }

  /**
   * Appends a node.
   * @param {string} name
   * @param {Feature[]} inputs
   * @param {Operation} operation
   * @param {Partial<Feature>} [changed] what differs from the first input
   * @returns {Feature}
   */
  add(name, inputs, operation, changed = {}) {
    this.#inputs += inputs.length;
    if (this.#inputs > MOST_INPUTS)
      malformed(
        `The checkpoint's network joins more than ${MOST_INPUTS} feature maps; no YOLOv5 does.`,
      );
    const id = this.graph.add(
      name,
      inputs.map((input) => input.id),
      operation,
    );
    const output = { ...inputs[0], ...changed, id };
    const { channels, height, width } = output;
    if (!(height > 0 && width > 0)) malformed(`"${name}" leaves no pixel.`);
    if (!(channels > 0 && channels <= MOST_CHANNELS))
      malformed(`"${name}" gives ${channels} channels.`);
    return output;
  }

  /**
   * Numbers of a module.
   * @param {PtModule} module
   * @param {string} name
   * @returns {Float32Array | null}
   */
  maybeFloats(module, name) {
    const tensor = module.tensor(name);
    return tensor && this.#weights.floats(tensor, `${module.path}.${name}`);
  }

  /** @param {PtModule} module @param {string} name @param {number} count */
  floats(module, name, count) {
    const floats = this.maybeFloats(module, name);
    if (floats?.length === count) return floats;
    return malformed(
      `"${module.path}.${name}" has ${floats?.length ?? 'no'} numbers where ${count} are due.`,
    );
  }
}
