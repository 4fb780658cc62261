// Float graph → the same for some of its classes: the heads' channels of the others are cut away.

import { WispError } from '../error.js';
import { unsupported } from './graph-error.js';
import { boxHeads, formOf } from './head-forms.js';

/**
 * @typedef {import('./float-graph.js').FloatGraph} FloatGraph
 * @typedef {import('./float-graph.js').GraphNode} GraphNode
 */

/** Names that are shown beside one that is unknown. */
const SHOWN = 5;

/**
 * Boxes and the logits of the classes that stay are what they were. The classes stand in the order they are given.
 * The graph that was given stays as it is.
 * @param {FloatGraph} graph
 * @param {(string | number)[]} wanted names or numbers; a number may be a text if no class is called so
 * @returns {FloatGraph}
 */
export function onlyClasses(graph, wanted) {
  const labels = wanted.map((one) => labelOf(one, graph.classes));
  if (labels.length === 0) refuse('classes is an empty list; name at least one class.');
  const again = labels.find((label, index) => labels.indexOf(label) < index);
  if (again !== undefined) refuse(`Class "${graph.classes[again]}" is asked for twice.`);
  const nodes = [...graph.nodes];
  for (const head of boxHeads(graph.heads))
    trim(nodes, head.tensor, channelsOf(head, labels, graph.classes.length));
  return { ...graph, nodes, classes: labels.map((label) => graph.classes[label]) };
}

/** @param {string} sentence @returns {never} */
function refuse(sentence) {
  throw new WispError('WISP_ERR_ARGUMENT', sentence);
}

/** @param {string | number} wanted @param {string[]} names @returns {number} */
function labelOf(wanted, names) {
  const named = names.indexOf(String(wanted));
  if (typeof wanted === 'string' && named >= 0) return named;
  const label = /^\d+$/.test(String(wanted)) ? Number(wanted) : -1;
  if (label >= 0 && label < names.length) return label;
  const range = `numbers 0 to ${names.length - 1}`;
  if (label >= 0) return refuse(`The network has no class ${label}; it has the ${range}.`);
  const near = nearest(String(wanted), names);
  const shown = near.length > 0 ? near : names.slice(0, SHOWN);
  const more = near.length === 0 && names.length > SHOWN ? ', …' : '';
  const advice = near.length > 0 ? 'near it' : 'there';
  return refuse(
    `The network has no class ${JSON.stringify(String(wanted))}; ${advice} are ${shown.join(', ')}${more} (${range}).`,
  );
}

/** The names that somebody may have meant, nearest first. @param {string} wanted @param {string[]} names */
function nearest(wanted, names) {
  const low = wanted.trim().toLowerCase();
  const most = Math.max(1, Math.floor(low.length / 3));
  return names
    .map((name) => ({ name, far: distance(low, name.toLowerCase()) }))
    .filter(({ name, far }) => far <= most || (low && name.toLowerCase().split(' ').includes(low)))
    .sort((a, b) => a.far - b.far)
    .slice(0, SHOWN)
    .map(({ name }) => name);
}

/** Letters to insert, leave out or change (Levenshtein). @param {string} a @param {string} b */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let k = 1; k <= b.length; k++) {
      const change = row[k - 1] + Number(a[i - 1] !== b[k - 1]);
      next.push(Math.min(change, row[k] + 1, next[k - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

/**
 * A head's channels that stay.
 * @param {import('./float-graph.js').GraphHead} head
 * @param {number[]} labels
 * @param {number} classes
 */
function channelsOf(head, labels, classes) {
  const { classes: first, masks } = formOf(head);
  const box = Array.from({ length: first }, (_, i) => i);
  const coefficients = Array.from({ length: masks }, (_, i) => first + classes + i);
  const fields = [...box, ...labels.map((label) => first + label), ...coefficients];
  return head.anchors.flatMap((_, anchor) =>
    fields.map((field) => anchor * (first + classes + masks) + field),
  );
}

/**
 * Only these channels of the convolution that ends in a tensor, and of batch norms after it.
 * @param {GraphNode[]} nodes
 * @param {number} tensor
 * @param {number[]} channels
 */
function trim(nodes, tensor, channels) {
  const index = nodes.findIndex(({ output }) => output === tensor);
  const node = nodes[index];
  const picked = (/** @type {Float32Array} */ values) =>
    Float32Array.from(channels, (channel) => values[channel]);
  if (node?.op === 'affine') {
    nodes[index] = { ...node, scale: picked(node.scale), bias: picked(node.bias) };
    return trim(nodes, node.inputs[0], channels);
  }
  if (node?.op !== 'conv' || node.groups !== 1) {
    return unsupported(
      `The head at node "${node?.name}" is no convolution, so it keeps all classes.`,
    );
  }
  const each = node.weight.length / node.channels[1];
  const weight = new Float32Array(channels.length * each);
  channels.forEach((channel, i) => {
    weight.set(node.weight.subarray(channel * each, (channel + 1) * each), i * each);
  });
  const bias = node.bias && picked(node.bias);
  nodes[index] = { ...node, weight, bias, channels: [node.channels[0], channels.length] };
}
