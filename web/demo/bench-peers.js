// bench-peers.js - other engines on the same network, where this page's own server has them.

/**
 * @typedef {object} Peer what `npm run bench` has fetched and made; addresses are of this server
 * @property {string} id
 * @property {string} title
 * @property {'onnx' | 'litert'} kind
 * @property {string} network
 * @property {number} width of its input, in pixels
 * @property {number} height
 * @property {string} model
 * @property {string} module
 * @property {string} files
 * @property {string} link of the module that runs it
 * @property {object} [scales] how a .tflite file is quantised
 */

const LIST = new URL('../../peers/list.json', import.meta.url);

/** No peers anywhere else than on a machine that has run the bench. @returns {Promise<Peer[]>} */
export async function findPeers() {
  const response = await fetch(LIST).catch(() => null);
  if (!response?.ok) return [];
  const { peers = [] } = await response.json().catch(() => ({}));
  return peers;
}

/**
 * @param {Peer} peer
 * @param {number} threads
 * @returns {Promise<import('./bench-run.js').Engine>}
 */
export async function openPeer({ link, ...peer }, threads) {
  const absolute = (/** @type {string} */ address) => new URL(address, LIST).href;
  const { PeerLink } = await import(absolute(link));
  const running = await PeerLink.open({
    kind: peer.kind,
    threads,
    input: { width: peer.width, height: peer.height },
    model: absolute(peer.model),
    module: absolute(peer.module),
    files: absolute(peer.files),
    scales: peer.scales,
  });
  return {
    async detect(scene) {
      const { pre, engine, post } = await running.detect([scene]);
      return { before: pre, network: engine, after: post };
    },
    close: () => running.close(),
  };
}
