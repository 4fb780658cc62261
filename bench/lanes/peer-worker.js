// The worker of an engine in a page: loads it on "open", runs it on "detect". A classic worker, as LiteRT.js needs.

/** @type {{info?: object, detect: (frames: any[]) => Promise<object>} | undefined} */
let peer;

const kinds = {
  onnx: async () => (await import('./onnx-peer.js')).OnnxPeer,
  layers: async () => (await import('./layer-timer.js')).LayerTimer,
  litert: async () => (await import('./litert-peer.js')).LiteRtPeer,
};

/** @param {any} message */
async function answer({ verb, kind, spec, frames }) {
  if (verb === 'detect') return peer?.detect(frames);
  const Peer = await kinds[/** @type {keyof typeof kinds} */ (kind)]();
  peer = await Peer.open(spec);
  return peer.info;
}

onmessage = async ({ data }) => {
  try {
    postMessage({ id: data.id, value: await answer(data) });
  } catch (thrown) {
    postMessage({ id: data.id, error: String(/** @type {Error} */ (thrown)?.message ?? thrown) });
  }
};
