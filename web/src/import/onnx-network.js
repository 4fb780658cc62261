// Nodes of ONNX, whatever file they come from → float graph: constants folded, nodes translated, the decoding of the
// heads cut off.

import { FloatGraphBuilder } from '../graph/float-graph.js';
import { malformed, unsupported } from '../graph/graph-error.js';
import { partConvolutions } from '../graph/part-convolutions.js';
import { classNames } from './class-names.js';
import { split } from './onnx-channels.js';
import { evaluate, shape } from './onnx-constant.js';
import { isFeature } from './onnx-feature.js';
import { BoxReader, beside, findHeads, probe, prototypesOf } from './onnx-heads.js';
import { nodesBefore, writersOf } from './onnx-order.js';
import { Room } from './onnx-room.js';
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

const SMALLEST_STRIDE = 8; // of every YOLOv5

/** ONNX data types a picture in 0…1 can have: float32, float16. */
const PICTURE_TYPES = [1, 10];

/**
 * @param {OnnxModel} model
 * @param {object} options
 * @param {string} options.format what the file is, for people
 * @param {number} options.bytes of the file and of those beside it
 * @param {boolean} options.isInteger whether its numbers were integers
 * @param {import('./onnx-heads.js').Rounding} options.rounding of its constants
 * @param {number[][]} [options.anchors] of heads that aren't decoded
 * @returns {FloatGraph}
 */
export function importNodes(model, { format, bytes, anchors, isInteger, rounding }) {
  const { name, dims } = pictureInput(model);
  const [, , height, width] = dims;
  const graph = new FloatGraphBuilder();
  /** @type {Map<string, Value>} */
  const values = new Map(model.constants);
  values.set('', null).set(name, { id: 0, dims });
  const writers = writersOf(model.nodes);
  const { last: list, ends } = findHeads(model, writers);
  const last = new Set(list);
  const trunk = list.flatMap(({ inputs }) => inputs); // heads come behind all of it, as they were traced
  const others = beside(model, writers, { last: list, ends });
  const needed = [...trunk, ...others, ...list.flatMap(({ outputs }) => outputs), ...ends];
  const boxes = new BoxReader({ graph, input: { height, width }, anchors, rounding });
  const room = new Room(bytes);
  const order = nodesBefore(writers, needed);
  const readers = readersOf(order, ends);
  for (const node of order) {
    const inputs = node.inputs.map((input) => lookUp(values, node, input));
    const outputs = run(graph, node, inputs, room);
    if (last.has(node)) boxes.heads.push(cut(node, outputs, room));
    if (node.outputs.some((output) => others.includes(output)))
      boxes.prototypes ??= prototypesOf(outputs[0] ?? null, { height, width });
    room.take(node, outputs);
    node.outputs.forEach((output, index) => values.set(output, outputs[index] ?? null));
    if (boxes.heads.length === last.size && boxes.look(node, outputs)) break; // the rest picks some of them
    for (const name of node.inputs) {
      const left = (readers.get(name) ?? 0) - 1;
      readers.set(name, left);
      if (left > 0 || !writers.has(name)) continue;
      room.drop(values.get(name) ?? null);
      values.delete(name);
    }
  }
  const { heads, classes, remark } =
    boxes.found ?? boxes.undecoded(ends.map((end) => values.get(end) ?? null));
  const tensors = heads.map((head) => head.tensor);
  return {
    input: { height, width },
    nodes: partConvolutions(nodesFor(graph, tensors), tensors),
    heads,
    classes: classNames(model.metadata.get('names'), classes),
    source: { format, producer: model.producer },
    remarks: [...(isInteger ? [QUANTISED] : []), ...(remark ? [remark] : [])],
  };
}

/**
 * How many will read each value.
 * @param {OnnxNode[]} nodes
 * @param {string[]} ends read at the end
 * @returns {Map<string, number>}
 */
function readersOf(nodes, ends) {
  const readers = new Map(ends.map((name) => [name, Infinity]));
  for (const name of nodes.flatMap(({ inputs }) => inputs))
    readers.set(name, (readers.get(name) ?? 0) + 1);
  return readers;
}

/** Four for each layer that models/FORMAT.md allows. */
const MOST_NODES = 4096;

/** @param {FloatGraphBuilder} graph @param {number[]} tensors */
function nodesFor(graph, tensors) {
  const nodes = graph.nodesFor(tensors);
  if (nodes.length <= MOST_NODES) return nodes;
  return unsupported(`The network has ${nodes.length} operations; wisp takes up to ${MOST_NODES}.`);
}

const QUANTISED =
  'The file was quantised already: its weights become real numbers again and are pressed anew, which loses a little ' +
  'more than pressing the network that it was made from';

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
  const otherwise = [1, 3, ...gridSize(model)];
  const [batch, colours, height, width] = (dims ?? [null, 3, null, null]).map((size, axis) =>
    size !== null && size > 0 ? size : otherwise[axis],
  );
  if ((dims && dims.length !== 4) || colours !== 3) {
    unsupported(`Input "${name}" is ${dims?.join('×')}; a YOLOv5 reads 1×3×height×width.`);
  }
  return { name, dims: [batch, colours, height, width] };
}

/**
 * The size of the picture where the model leaves it open: that for which a grid of cells was built in, if one was.
 * @param {OnnxModel} model
 * @returns {[number, number]} height and width
 */
function gridSize({ constants, nodes }) {
  const values = nodes.map(({ attributes }) => attributes.get('value'));
  const sizes = [...constants.values(), ...values]
    .map((value) => Reflect.get(Object(value), 'dims') ?? [])
    .filter(({ length, 4: pair }) => length === 5 && pair === 2)
    .sort((a, b) => b[2] * b[3] - a[2] * a[3]);
  const [, , rows = 1, columns = 1] = sizes[0] ?? [];
  if (rows * columns === 1) return [DYNAMIC_SIZE, DYNAMIC_SIZE]; // anchors, which are as many for each cell
  return [rows * SMALLEST_STRIDE, columns * SMALLEST_STRIDE];
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
 * @param {Room} room
 * @returns {Value[]}
 */
function run(graph, node, inputs, { most }) {
  const features = inputs.filter(isFeature);
  if (features.length === 0) return evaluate(node, /** @type {any[]} */ (inputs), most);
  if (node.op === 'Split') return split(graph, node, inputs);
  return node.op === 'Shape' ? [shape(node, features[0])] : [translate(graph, node, inputs)];
}

/**
 * Ends the graph at a head: those behind it see a probe.
 * @param {OnnxNode} node
 * @param {Value[]} outputs of the head's convolution; its feature map is replaced by the probe
 * @param {Room} room
 * @returns {Head}
 */
function cut(node, outputs, { most }) {
  const [feature] = outputs;
  if (!feature || !isFeature(feature))
    return malformed(`Node "${node.name}" (Conv) reads no picture.`);
  const logits = probe(feature.dims, most / 2);
  outputs[0] = logits;
  return { tensor: feature.id, logits };
}
