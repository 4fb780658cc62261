// Nodes of ONNX, whatever file they come from → float graph: constants folded, nodes translated, the decoding of the
// heads cut off.

import { FloatGraphBuilder } from '../graph/float-graph.js';
import { malformed, unsupported } from '../graph/graph-error.js';
import { partConvolutions } from '../graph/part-convolutions.js';
import { classNames } from './class-names.js';
import { nodeFacts } from './graph-facts.js';
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

/** @typedef {{name: string, batch: number, sides: (number | null)[]}} Picture height and width, null where open */

/** ONNX data types a picture in 0…1 can have: float32, float16. */
const PICTURE_TYPES = [1, 10];

/**
 * @param {OnnxModel} model
 * @param {object} options
 * @param {string} options.format what the file is, for people
 * @param {number} options.bytes of the file and of those beside it
 * @param {boolean} options.isInteger whether its numbers were integers
 * @param {string[]} [options.remarks] further ones
 * @param {import('./onnx-heads.js').Rounding} options.rounding of its constants
 * @param {number[][]} [options.anchors] of heads that aren't decoded
 * @returns {FloatGraph}
 */
export function importNodes(model, options) {
  const { format, bytes, anchors, isInteger, remarks = [], rounding } = options;
  const picture = pictureInput(model);
  const writers = writersOf(model.nodes);
  const { last: list, ends } = findHeads(model, writers);
  const isOpen = picture.sides.includes(null);
  const [height, width] = isOpen
    ? openSize(model, picture, () => finestStride(model, picture, { writers, heads: list, bytes }))
    : /** @type {[number, number]} */ (picture.sides);
  const graph = new FloatGraphBuilder();
  const values = valuesOf(model, picture, [height, width]);
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
    facts: nodeFacts(model, { heads, isOpen, isDecoded: boxes.found !== undefined }),
    remarks: [...(isInteger ? [QUANTISED] : []), ...remarks, ...(remark ? [remark] : [])],
  };
}

/**
 * What nodes may read: the constants, the picture, nothing.
 * @param {OnnxModel} model
 * @param {Picture} picture
 * @param {[number, number]} size height and width
 * @returns {Map<string, Value>}
 */
function valuesOf({ constants }, { name, batch }, size) {
  /** @type {Map<string, Value>} */
  const values = new Map(constants);
  return values.set('', null).set(name, { id: 0, dims: [batch, 3, ...size] });
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
 * The one input that is not a weight.
 * @param {OnnxModel} model
 * @returns {Picture}
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
  const [batch, colours, ...sides] = (dims ?? [1, 3, null, null]).map((size, axis) =>
    size !== null && size > 0 ? size : [1, 3, null, null][axis],
  );
  if (sides.length !== 2 || colours !== 3)
    unsupported(`Input "${name}" is ${dims?.join('×')}; a YOLOv5 reads 1×3×height×width.`);
  return { name, batch: batch ?? 1, sides };
}

/**
 * The size of the picture where the model leaves it open: that for which a grid of cells was built in, if one was.
 * @param {OnnxModel} model
 * @param {Picture} picture
 * @param {() => number} strideOf the finest head
 * @returns {[number, number]} height and width
 */
function openSize({ constants, nodes }, { sides: [height, width] }, strideOf) {
  const values = nodes.map(({ attributes }) => attributes.get('value'));
  const sizes = [...constants.values(), ...values]
    .map((value) => Reflect.get(Object(value), 'dims') ?? [])
    .filter(({ length, 4: pair }) => length === 5 && pair === 2)
    .sort((a, b) => b[2] * b[3] - a[2] * a[3]);
  const [, , rows = 1, columns = 1] = sizes[0] ?? [];
  if (rows * columns === 1) return [height ?? DYNAMIC_SIZE, width ?? DYNAMIC_SIZE]; // anchors, the same for each cell
  const stride = strideOf();
  return [height ?? rows * stride, width ?? columns * stride];
}

/**
 * The stride of the finest head, as a picture of the usual size tells it.
 * @param {OnnxModel} model
 * @param {Picture} picture
 * @param {object} options
 * @param {import('./onnx-order.js').Writers} options.writers
 * @param {OnnxNode[]} options.heads their convolutions
 * @param {number} options.bytes of the file and of those beside it
 */
function finestStride(model, picture, { writers, heads, bytes }) {
  const graph = new FloatGraphBuilder();
  const values = valuesOf(model, picture, [DYNAMIC_SIZE, DYNAMIC_SIZE]);
  const room = new Room(bytes);
  const read = heads.map(({ inputs }) => inputs[0]);
  for (const node of nodesBefore(writers, read)) {
    const inputs = node.inputs.map((input) => lookUp(values, node, input));
    const outputs = run(graph, node, inputs, room);
    room.take(node, outputs);
    node.outputs.forEach((output, index) => values.set(output, outputs[index] ?? null));
  }
  const rows = read.map((name) => values.get(name)?.dims[2] ?? 1);
  return DYNAMIC_SIZE / Math.max(...rows);
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
