// Whether a file is ONNX, which has no magic number: by the first fields of its outermost message, ModelProto.

/** Numbers of its fields by what they hold; onnx.proto. */
const NUMBERS = [1, 5]; // ir_version, model_version
const WORDS = [2, 3, 4]; // producer_name, producer_version, domain
const GRAPH = 7;
/** doc_string, opset_import, metadata_props, training_info, functions, configuration */
const OTHERS = [6, 8, 14, 20, 25, 26];
const LONGEST_WORD = 1000; // bytes

/** @param {Uint8Array} bytes the first of a file, the more the surer */
export function beginsAsOnnx(bytes) {
  let at = 0;
  let fields = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const size = varint(); // of a number: itself
    if (tag % 8 === 0 && NUMBERS.includes(field)) fields++;
    else if (tag % 8 !== 2) return false;
    else if (field === GRAPH) return true;
    else if (WORDS.includes(field) && isWord(bytes.subarray(at, at + size), size)) at += size;
    else if (OTHERS.includes(field)) at += size;
    else return false;
  }
  return fields > 0;
}

/** @param {Uint8Array} bytes as much as is there @param {number} size */
function isWord(bytes, size) {
  return size <= LONGEST_WORD && bytes.every((byte) => byte >= 32 && byte !== 127);
}
