// ONNX bytes → float graph: constants folded, nodes translated, the decoding of the heads cut off.

import { FloatGraphBuilder } from '../graph/float-graph.js';
import { malformed, unsupported } from '../graph/graph-error.js';
import { classNames } from './class-names.js';
import { split } from './onnx-channels.js';
import { evaluate, shape } from './onnx-constant.js';
import { isFeature } from './onnx-feature.js';
import { findHeads, probe, readHeads } from './onnx-heads.js';
import { nodesBefore, writersOf } from './onnx-order.js';
import { readModel } from './onnx-proto.js';
import { translate } from './onnx-trunk.js';

/**
 * @typedef {import('../graph/float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('./onnx-feature.js').Feature} Feature
 * @typedef {import('./onnx-feature.js').Value} Value
 * @typedef {import('./onnx-heads.js').Head} Head
 * @typedef {import('./onnx-proto.js').OnnxModel} OnnxModel
 * @typedef {import('./onnx-proto.js').OnnxNode} OnnxNode
 */

/** The side of the picture where the model leaves it open: YOLOv5's own default. */
const DYNAMIC_SIZE = 640;

/** ONNX data types a picture in 0…1 can have: float32, float16. */
const PICTURE_TYPES = [1, 10];

/**
 * Reads a YOLOv5 (v5.0, v6, v7; any width and depth; FP32 or FP16) from an ONNX file.
 * Throws a WispError that says what is wrong with the file, or which node wisp can't run.
 *
 * @param {Uint8Array} bytes the whole file
 * @returns {FloatGraph}
 */
export function importOnnx(bytes) {
  const model = readModel(bytes);
  const { name, dims } = pictureInput(model);
  const [, , height, width] = dims;
  const graph = new FloatGraphBuilder();
  /** @type {Map<string, Value>} */
  const values = new Map(model.constants);
  values.set('', null).set(name, { id: 0, dims });
  const writers = writersOf(model.nodes);
  const last = findHeads(model, writers);
  const trunk = last.flatMap(({ inputs }) => inputs); // heads come behind all of it, as they were traced
  const needed = [...trunk, ...last.flatMap(({ outputs }) => outputs), model.outputs[0]];
  /** @type {Head[]} */
  const heads = [];
  for (const node of nodesBefore(writers, needed)) {
    const outputs = run(
      graph,
      node,
      node.inputs.map((input) => lookUp(values, node, input)),
    );
    if (last.includes(node)) heads.push(cut(node, outputs));
    node.outputs.forEach((output, index) => values.set(output, outputs[index] ?? null));
  }
  const decoded = values.get(model.outputs[0]) ?? null;
  const end = writers.get(model.outputs[0]);
  if (!end || decoded === null || isFeature(decoded)) {
    return unsupported('The first output is a feature map and not boxes, so this is not a YOLOv5.');
  }
  const read = readHeads(decoded, heads, { height, width }, end);
  return {
    input: { height, width },
    nodes: graph.nodesFor(read.map((head) => head.tensor)),
    heads: read,
    classes: classNames(model.metadata.get('names'), decoded.dims[2] - 5),
    source: { format: `ONNX, opset ${model.opset}`, producer: model.producer },
  };
}

/**
 * The one input that is not a weight, with its size.
 * @param {OnnxModel} model
 */
function pictureInput(model) {
  const inputs = model.inputs.filter(({ name }) => !model.constants.has(name));
  if (inputs.length !== 1) {
    unsupported(`A YOLOv5 reads one picture; this model has ${inputs.length} inputs.`);
  }
  const [{ name, type, dims }] = inputs;
  if (!PICTURE_TYPES.includes(type)) {
    unsupported(`Input "${name}" is of ONNX data type ${type}; wisp feeds real numbers in 0…1.`);
  }
  const [batch, colours, height, width] = (dims ?? [null, 3, null, null]).map((size, axis) =>
    size !== null && size > 0 ? size : [1, 3, DYNAMIC_SIZE, DYNAMIC_SIZE][axis],
  );
  if ((dims && dims.length !== 4) || colours !== 3) {
    unsupported(`Input "${name}" is ${dims?.join('×')}; a YOLOv5 reads 1×3×height×width.`);
  }
  return { name, dims: [batch, colours, height, width] };
}

/**
 * @param {Map<string, Value>} values
 * @param {OnnxNode} node
 * @param {string} name
 */
function lookUp(values, node, name) {
  const value = values.get(name);
  return value === undefined
    ? malformed(`Node "${node.name}" reads "${name}", which nobody writes.`)
    : value;
}

/**
 * Evaluates a node of constants; translates one that reads a feature map.
 * @param {FloatGraphBuilder} graph
 * @param {OnnxNode} node
 * @param {Value[]} inputs
 * @returns {Value[]}
 */
function run(graph, node, inputs) {
  const features = inputs.filter(isFeature);
  if (features.length === 0) return evaluate(node, /** @type {any[]} */ (inputs));
  if (node.op === 'Split') return split(graph, node, inputs);
  return node.op === 'Shape' ? [shape(node, features[0])] : [translate(graph, node, inputs)];
}

/**
 * Ends the graph at a head: those behind it see a probe.
 * @param {OnnxNode} node
 * @param {Value[]} outputs of the head's convolution; its feature map is replaced by the probe
 * @returns {Head}
 */
function cut(node, outputs) {
  const [feature] = outputs;
  if (!isFeature(feature)) return malformed(`Node "${node.name}" (Conv) reads no picture.`);
  const logits = probe(feature.dims);
  outputs[0] = logits;
  return { tensor: feature.id, logits };
}
