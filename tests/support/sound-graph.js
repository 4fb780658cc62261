// What every float graph is that an importer gives, whatever file it read.

import assert from 'node:assert/strict';

/** @typedef {import('../../web/src/graph/float-graph.js').FloatGraph} FloatGraph */

/** @param {FloatGraph} graph */
export function requireSound({ nodes, heads, input, classes }) {
  const written = new Set([0]);
  for (const node of nodes) {
    for (const tensor of node.inputs)
      assert.ok(written.has(tensor), `${node.name} reads ${tensor}`);
    written.add(node.output);
    if (node.op === 'select')
      assert.ok(node.channels.every((channel) => Number.isInteger(channel) && channel >= 0));
    if (node.op !== 'conv') continue;
    const [cin, cout] = node.channels;
    const taps = (cin / node.groups) * node.kernel[0] * node.kernel[1];
    assert.equal(node.weight.length, taps * cout, node.name);
    assert.ok(node.weight.every(Number.isFinite), node.name);
    if (node.bias) assert.equal(node.bias.length, cout, node.name);
  }
  for (const { tensor, stride, anchors } of heads) {
    assert.ok(written.has(tensor) && stride > 0 && anchors.length > 0);
    for (const side of anchors.flat()) assert.ok(Number.isFinite(side) && side > 0);
  }
  assert.ok(Number.isInteger(input.height) && input.height > 0 && input.width > 0);
  assert.ok(
    heads.length > 0 && classes.length > 0 && classes.every((name) => typeof name === 'string'),
  );
}
