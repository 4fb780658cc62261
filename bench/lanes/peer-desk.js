// What the worker of a peer does with each message: loads the peer on "open", runs it on "detect".

/** @type {{info?: object, detect: (frames: any[]) => Promise<object>} | undefined} */
let peer;

/** @type {Record<string, () => Promise<{open: (spec: any) => Promise<NonNullable<typeof peer>>}>>} */
const kinds = {
  onnx: async () => (await import('./onnx-peer.js')).OnnxPeer,
  layers: async () => (await import('./layer-timer.js')).LayerTimer,
  litert: async () => (await import('./litert-peer.js')).LiteRtPeer,
};

/** @param {any} message */
async function act({ verb, kind, spec, frames }) {
  if (verb === 'detect') return peer?.detect(frames);
  const Peer = await kinds[kind]();
  peer = await Peer.open(spec);
  return peer.info;
}

/** @param {any} message @returns {Promise<{id: number, value?: any, error?: string}>} */
export async function reply(message) {
  const { id } = message;
  try {
    return { id, value: await act(message) };
  } catch (thrown) {
    return { id, error: String(/** @type {Error} */ (thrown)?.message ?? thrown) };
  }
}
