// The header of a .wisp file → the size of what each layer writes and which are heads, which the engine does not tell.

/**
 * @typedef {{width: number, height: number}} Size
 * @typedef {{operation: number, kernel: number[], stride: number[], pad: number[], input: number,
 *   output: number}} Layer
 */

const UPSAMPLE = 3; // of models/FORMAT.md, as all offsets here
const RESIDUAL = 1;
const PAYLOAD_BYTES = 12; // of a layer: size, CRC, blocks
const HEAD_BYTES = 8; // and its anchors, two f32 each

/**
 * @param {Uint8Array} bytes a .wisp file
 * @param {Size} input of the network
 * @returns {(Size & {isHead: boolean})[]} of each layer's output
 */
export function layerSizes({ buffer, byteOffset, byteLength }, input) {
  const view = new DataView(buffer, byteOffset, byteLength);
  const block = view.getUint8(30);
  const [tensors, layers, heads] = [32, 34, 36].map((offset) => view.getUint16(offset, true));
  /** @type {Map<number, Size>} */
  const sizes = new Map([[0, { width: input.width / block, height: input.height / block }]]);
  let at = 40 + 8 * tensors;
  const outputs = Array.from({ length: layers }, () => {
    const { layer, next } = readLayer(view, at);
    at = next;
    const from = /** @type {Size} */ (sizes.get(layer.input));
    const size = { height: sizeOn(0, from.height, layer), width: sizeOn(1, from.width, layer) };
    sizes.set(layer.output, size);
    return { ...size, tensor: layer.output };
  });
  const named = new Set();
  for (let i = 0; i < heads; i++) {
    named.add(view.getUint16(at, true));
    at += HEAD_BYTES + 8 * view.getUint8(at + 5);
  }
  return outputs.map(({ tensor, ...size }) => ({ ...size, isHead: named.has(tensor) }));
}

/** @param {DataView} view @param {number} at @returns {{layer: Layer, next: number}} */
function readLayer(view, at) {
  const byte = (/** @type {number} */ offset) => view.getUint8(at + offset);
  const inputs = byte(3);
  const residuals = byte(2) & RESIDUAL;
  const layer = {
    operation: byte(0),
    kernel: [byte(4), byte(5)],
    stride: [byte(6), byte(7)],
    pad: [byte(8) + byte(10), byte(9) + byte(11)],
    output: view.getUint16(at + 16, true),
    input: view.getUint16(at + 18, true),
  };
  return { layer, next: at + 18 + 2 * (inputs + residuals) + PAYLOAD_BYTES };
}

/** @param {number} axis 0: y, 1: x @param {number} size @param {Layer} layer */
function sizeOn(axis, size, { operation, kernel, stride, pad }) {
  if (operation === UPSAMPLE) return size * stride[axis];
  return Math.floor((size + pad[axis] - kernel[axis]) / stride[axis]) + 1;
}
