// Options → lanes: which engine runs which network, where and with how many threads.

/**
 * @typedef {(typeof PLACES)[number]} PlaceName
 *
 * @typedef {object} NetworkName
 * @property {string} base "yolov5n" or another name of randomNames, or the path of an .onnx or .wisp file
 * @property {number} sparsity share of the blocks that are zeroed
 *
 * @typedef {object} Engine
 * @property {string} title
 * @property {'wisp' | 'onnx' | 'litert'} kind
 * @property {string} [build] of wisp, without threads
 * @property {'narrow' | 'fused'} [kernels] of wisp, if not those it chooses
 * @property {string} [peer] package on npm
 * @property {string} [module] its ES module, in the package
 * @property {string} [nodeModule] for Node, if another
 * @property {string} [wasm] folder of its WebAssembly, in the package
 * @property {'onnx' | 'onnxInt8' | 'tfliteInt8' | 'tfliteFp16'} [file] what it reads
 * @property {readonly PlaceName[]} places where it can run
 *
 * @typedef {object} Lane
 * @property {string} id
 * @property {string} engine
 * @property {string} model as asked for
 * @property {NetworkName} network
 * @property {number} threads
 * @property {PlaceName} place
 */

export const PLACES = /** @type {const} */ (['chromium', 'firefox', 'node']);
/** @type {PlaceName[]} */
const PAGES = ['chromium', 'firefox'];
const ORT_WEB = {
  peer: 'onnxruntime-web',
  module: 'dist/ort.wasm.min.mjs',
  nodeModule: 'dist/ort.node.min.mjs',
  wasm: 'dist/',
  places: PLACES,
};
const LITERT = { peer: '@litertjs/core', module: 'dist/index.js', wasm: 'wasm/', places: PAGES };

/** @type {Record<string, Engine>} */
export const engines = {
  'wisp-relaxed': {
    title: 'wisp, relaxed SIMD',
    kind: 'wisp',
    build: 'wisp-relaxed',
    places: PLACES,
  },
  'wisp-narrow': {
    title: 'wisp, relaxed SIMD, 16-bit sums',
    kind: 'wisp',
    build: 'wisp-relaxed',
    kernels: 'narrow',
    places: PLACES,
  },
  'wisp-fused': {
    title: 'wisp, relaxed SIMD, 32-bit sums',
    kind: 'wisp',
    build: 'wisp-relaxed',
    kernels: 'fused',
    places: PLACES,
  },
  'wisp-simd': { title: 'wisp, plain SIMD', kind: 'wisp', build: 'wisp', places: PLACES },
  'ort-web': { title: 'onnxruntime-web FP32', kind: 'onnx', file: 'onnx', ...ORT_WEB },
  'ort-web-int8': { title: 'onnxruntime-web INT8', kind: 'onnx', file: 'onnxInt8', ...ORT_WEB },
  'litert-int8': { title: 'LiteRT.js INT8', kind: 'litert', file: 'tfliteInt8', ...LITERT },
  'litert-fp16': { title: 'LiteRT.js FP16', kind: 'litert', file: 'tfliteFp16', ...LITERT },
  'ort-node': {
    title: 'onnxruntime-node FP32, native',
    kind: 'onnx',
    file: 'onnx',
    peer: 'onnxruntime-node',
    module: 'dist/index.js',
    places: ['node'],
  },
};

/** What ratios are against, unless told otherwise. */
export const BASELINE = 'ort-web';

/**
 * @typedef {object} Preset engines and networks that answer one question
 * @property {string} about
 * @property {{engines: string[], models: string[]}[]} groups each engine of a group with each of its models
 */

/** @type {Record<string, Preset>} */
export const presets = {
  quick: {
    about: 'wisp dense and at 50 and 75 %, onnxruntime-web',
    groups: [
      { engines: ['wisp-relaxed'], models: ['yolov5n', 'yolov5n@50', 'yolov5n@75'] },
      { engines: ['ort-web'], models: ['yolov5n'] },
    ],
  },
  dense: {
    about: 'both tiers of wisp and every peer in the browser, dense',
    groups: [
      {
        engines: [
          'wisp-relaxed',
          'wisp-simd',
          'ort-web',
          'ort-web-int8',
          'litert-int8',
          'litert-fp16',
        ],
        models: ['yolov5n'],
      },
    ],
  },
  sparse50: {
    about: 'both tiers at 50 %, onnxruntime-web',
    groups: [
      { engines: ['wisp-relaxed', 'wisp-simd'], models: ['yolov5n@50'] },
      { engines: ['ort-web'], models: ['yolov5n'] },
    ],
  },
  sparse75: {
    about: 'both tiers at 75 %, and wisp dense, onnxruntime-web',
    groups: [
      { engines: ['wisp-relaxed', 'wisp-simd'], models: ['yolov5n@75'] },
      { engines: ['wisp-relaxed', 'ort-web'], models: ['yolov5n'] },
    ],
  },
  native: {
    about: 'wisp at 50 %, onnxruntime-web and -node',
    groups: [
      { engines: ['wisp-relaxed'], models: ['yolov5n@50'] },
      { engines: ['ort-web', 'ort-node'], models: ['yolov5n'] },
    ],
  },
  small: {
    about: 'yolov5s dense and at 50 and 75 %, onnxruntime-web',
    groups: [
      { engines: ['wisp-relaxed'], models: ['yolov5s', 'yolov5s@50', 'yolov5s@75'] },
      { engines: ['ort-web'], models: ['yolov5s'] },
    ],
  },
};

/** @param {string} text e.g. yolov5n, yolov5s@75, folder/own.onnx@50 @returns {NetworkName} */
export function parseNetwork(text) {
  const [, base, percent] = /^(.*?)(?:@(\d+(?:\.\d+)?))?$/.exec(text) ?? ['', text];
  return { base, sparsity: Number(percent ?? 0) / 100 };
}

/**
 * @param {object} wish
 * @param {string[]} [wish.presets]
 * @param {string[]} [wish.engines] of these, each with each of `models`
 * @param {string[]} [wish.models]
 * @param {number[]} wish.threads
 * @param {PlaceName[]} wish.browsers
 * @param {string} [wish.view] other than side by side, only wisp has one
 * @returns {Lane[]} each once
 */
export function planLanes({
  presets: names = [],
  engines: chosen,
  models,
  threads,
  browsers,
  view,
}) {
  const groups = names.flatMap((name) => presets[name].groups);
  if (chosen || models) {
    const all = presets.quick.groups.flatMap((group) => group.engines);
    groups.push({ engines: chosen ?? all, models: models ?? ['yolov5n'] });
  }
  if (groups.length === 0) groups.push(...presets.quick.groups);
  /** @type {Map<string, Lane>} */
  const lanes = new Map();
  for (const place of browsers) {
    for (const count of threads) {
      for (const group of groups) {
        for (const lane of crossed(group, count, place)) lanes.set(lane.id, lane);
      }
    }
  }
  return [...lanes.values()].filter(({ engine }) => !view || engines[engine].kind === 'wisp');
}

/**
 * @param {{engines: string[], models: string[]}} group
 * @param {number} threads
 * @param {PlaceName} asked
 * @returns {Lane[]}
 */
function crossed(group, threads, asked) {
  return group.engines.flatMap((engine) => {
    const { kind, places } = engines[engine];
    const place = places.includes(asked) ? asked : places[0];
    return group.models.map((model) => {
      const network = parseNetwork(model);
      const shown = kind === 'wisp' ? model : network.base; // peers gain nothing from zeros
      const id = [place, engine, shown, threads].join('/');
      return { id, engine, model: shown, network, threads, place };
    });
  });
}
