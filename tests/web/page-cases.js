// What the Detector must do in any browser: functions that run inside a page, shared by the browsers' tests.
// `kit` is what setUpPage left in the page; each function is sent as text, so it may use nothing else.

/**
 * @typedef {object} Fixtures
 * @property {string} model base64 of a .wisp file
 * @property {string} png base64 of the picture as a file
 * @property {{width: number, height: number}} size of the picture
 * @property {string} boxes what Node finds in it, as JSON
 * @property {string} [from] the origin that wisp is served by, if not the page's own
 * @property {string} [workerUrl]
 */

/** As a CDN sends them. */
export const forAll = {
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
};

/** @type {any} the page's */
let kit;

/** @param {Fixtures} fixtures */
export async function setUpPage({ model, png, size, boxes, from = '', workerUrl }) {
  const bytes = (/** @type {string} */ text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const { Detector, WispError } = await import(`${from}/web/src/index.js`);
  const file = new Blob([bytes(png)], { type: 'image/png' });
  const canvas = Object.assign(document.createElement('canvas'), size);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.drawImage(await createImageBitmap(file), 0, 0);
  const image = context.getImageData(0, 0, size.width, size.height);
  const options = { confidence: 0.2 };
  const page = globalThis;
  Reflect.set(page, 'kit', {
    Detector,
    WispError,
    model: bytes(model),
    file,
    canvas,
    image,
    boxes,
    options,
  });
  /** Code and sentence of what it throws. @param {() => any} act */
  const refusal = async (act) => {
    try {
      await act();
    } catch (error) {
      const { code, message, name } = /** @type {any} */ (error);
      return `${error instanceof WispError ? code : name}: ${message}`;
    }
    return 'nothing was thrown';
  };
  Object.assign(Reflect.get(page, 'kit'), {
    refusal,
    detector: await Detector.open(bytes(model), { workerUrl }),
  });
  return { isolated: crossOriginIsolated, info: Reflect.get(page, 'kit').detector.info };
}

/** Each gives boxes as JSON that must be those of Node. @type {Record<string, () => Promise<string>>} */
export const sameBoxes = {
  '{data, width, height}': async () => {
    const { data, width, height } = kit.image;
    return JSON.stringify((await kit.detector.detect({ data, width, height }, kit.options)).boxes);
  },
  'an ImageData': async () => {
    return JSON.stringify((await kit.detector.detect(kit.image, kit.options)).boxes);
  },
  'a canvas element, drawn over right after the call': async () => {
    const canvas = Object.assign(document.createElement('canvas'), {
      width: kit.image.width,
      height: kit.image.height,
    });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.putImageData(kit.image, 0, 0);
    const going = kit.detector.detect(canvas, kit.options);
    context.clearRect(0, 0, canvas.width, canvas.height);
    return JSON.stringify((await going).boxes);
  },
  'an OffscreenCanvas': async () => {
    const canvas = new OffscreenCanvas(kit.image.width, kit.image.height);
    canvas.getContext('2d')?.putImageData(kit.image, 0, 0);
    return JSON.stringify((await kit.detector.detect(canvas, kit.options)).boxes);
  },
  'an ImageBitmap, which stays usable': async () => {
    const bitmap = await createImageBitmap(kit.file);
    await kit.detector.detect(bitmap, kit.options);
    const { boxes } = await kit.detector.detect(bitmap, kit.options);
    bitmap.close();
    return JSON.stringify(boxes);
  },
  'a VideoFrame, which stays usable': async () => {
    const { data, width, height } = kit.image;
    const layout = { codedWidth: width, codedHeight: height, timestamp: 0 };
    const frame = new VideoFrame(data, { format: 'RGBA', ...layout });
    await kit.detector.detect(frame, kit.options);
    const { boxes } = await kit.detector.detect(frame, kit.options);
    frame.close();
    return JSON.stringify(boxes);
  },
  'a VideoFrame of a canvas': async () => {
    const frame = new VideoFrame(kit.canvas, { timestamp: 0 });
    const { boxes } = await kit.detector.detect(frame, kit.options);
    frame.close();
    return JSON.stringify(boxes);
  },
  'a Blob': async () => {
    return JSON.stringify((await kit.detector.detect(kit.file, kit.options)).boxes);
  },
  'a File': async () => {
    const file = new File([kit.file], 'scene.png');
    return JSON.stringify((await kit.detector.detect(file, kit.options)).boxes);
  },
  'the bytes of a file': async () => {
    const bytes = await kit.file.arrayBuffer();
    await kit.detector.detect(new Uint8Array(bytes));
    return JSON.stringify((await kit.detector.detect(bytes, kit.options)).boxes);
  },
  'an address': async () => {
    const address = URL.createObjectURL(kit.file);
    await kit.detector.detect(new URL(address));
    return JSON.stringify((await kit.detector.detect(address, kit.options)).boxes);
  },
  'an image element that has loaded': async () => {
    const image = new Image();
    image.src = URL.createObjectURL(kit.file);
    await image.decode();
    return JSON.stringify((await kit.detector.detect(image, kit.options)).boxes);
  },
  'an image element that has not loaded yet': async () => {
    const image = new Image();
    image.src = URL.createObjectURL(kit.file);
    return JSON.stringify((await kit.detector.detect(image, kit.options)).boxes);
  },
  'the second of a batch': async () => {
    const small = new ImageData(3, 5);
    const results = await kit.detector.detect([small, kit.file, kit.image], kit.options);
    if (JSON.stringify(results[1].boxes) !== JSON.stringify(results[2].boxes)) return 'they differ';
    return JSON.stringify(results[1].boxes);
  },
  'a model by address': async () => {
    const address = URL.createObjectURL(new Blob([kit.model]));
    const detector = await kit.Detector.open(address, { threads: 1 });
    const { boxes } = await detector.detect(kit.image, kit.options);
    await detector.close();
    return JSON.stringify(boxes);
  },
  'a model as Response, Blob, stream and ArrayBuffer': async () => {
    const blob = new Blob([kit.model]);
    const models = [new Response(blob), blob, blob.stream(), kit.model.buffer.slice(0)];
    const found = new Set();
    for (const model of models) {
      const detector = await kit.Detector.open(model, { threads: 1 });
      found.add(JSON.stringify((await detector.detect(kit.image, kit.options)).boxes));
      await detector.close();
    }
    return [...found].join(' or ');
  },
  'builds without relaxed SIMD': async () => {
    const detector = await kit.Detector.open(kit.model, { variant: 'wisp' });
    const { boxes } = await detector.detect(kit.image, kit.options);
    await detector.close();
    return JSON.stringify(boxes);
  },
  'one, two and four threads': async () => {
    const found = new Set();
    for (const threads of [1, 2, 4]) {
      const detector = await kit.Detector.open(kit.model, { threads });
      found.add(JSON.stringify((await detector.detect(kit.image, kit.options)).boxes));
      await detector.close();
    }
    return [...found].join(' or ');
  },
  'many at once': async () => {
    const going = Array.from({ length: 8 }, () => kit.detector.detect(kit.canvas, kit.options));
    const found = new Set((await Promise.all(going)).map(({ boxes }) => JSON.stringify(boxes)));
    return [...found].join(' or ');
  },
};

/** Each gives a code and a sentence that must match. @type {Record<string, [() => Promise<string>, RegExp]>} */
export const refusals = {
  'a number': [
    () => kit.refusal(() => kit.detector.detect(7)),
    /^WISP_ERR_SOURCE: .*not the number 7/,
  ],
  'a text element': [
    () => kit.refusal(() => kit.detector.detect(document.createElement('p'))),
    /^WISP_ERR_SOURCE: .*not this HTMLParagraphElement/,
  ],
  'a broken image': [
    async () => {
      const image = new Image();
      image.src = URL.createObjectURL(new Blob(['no picture']));
      return kit.refusal(() => kit.detector.detect(image));
    },
    /^WISP_ERR_SOURCE: The image blob:\S+ has not loaded/,
  ],
  'a video without a frame': [
    () => kit.refusal(() => kit.detector.detect(document.createElement('video'))),
    /^WISP_ERR_SOURCE: The video has no frame yet .*readyState is 0.*loadeddata/,
  ],
  'an empty canvas': [
    () => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 0 });
      return kit.refusal(() => kit.detector.detect(canvas));
    },
    /^WISP_ERR_SOURCE: .*HTMLCanvasElement \(0 × 150\)/,
  ],
  'a closed VideoFrame': [
    () => {
      const frame = new VideoFrame(kit.canvas, { timestamp: 0 });
      frame.close();
      return kit.refusal(() => kit.detector.detect(frame));
    },
    /^WISP_ERR_SOURCE: .*closed/,
  ],
  'a text file': [
    () => kit.refusal(() => kit.detector.detect(new Blob(['hello'], { type: 'text/plain' }))),
    /^WISP_ERR_SOURCE: .*text\/plain, 5 bytes.* decode/,
  ],
  'a page instead of a picture': [
    () => kit.refusal(() => kit.detector.detect('/web/demo/index.html')),
    /^WISP_ERR_SOURCE: .*\/web\/demo\/index.html: It is a web page/,
  ],
  'a picture that is not there': [
    () => kit.refusal(() => kit.detector.detect('/web/demo/no.png')),
    /^WISP_ERR_FETCH: .*\/web\/demo\/no.png is not there.*404/,
  ],
  'a model that is not there': [
    () => kit.refusal(() => kit.Detector.open('/models/no.wisp')),
    /^WISP_ERR_FETCH: http\S+\/models\/no.wisp is not there.*404/,
  ],
  'a page instead of a model': [
    () => kit.refusal(() => kit.Detector.open('/web/demo/index.html')),
    /^WISP_ERR_FORMAT: .*index.html is no .wisp file but a web page/,
  ],
  'half a model': [
    () => kit.refusal(() => kit.Detector.open(kit.model.subarray(0, 5000))),
    /^WISP_ERR_TRUNCATED: The model buffer ends after 5000 of \d+ bytes/,
  ],
  'a build that is not there': [
    () => kit.refusal(() => kit.Detector.open(kit.model, { wasmBase: '/web/nowhere' })),
    /^WISP_ERR_ENGINE: .*\/web\/nowhere\/wisp\S*\.(mjs|wasm) .*wasmBase/,
  ],
  'a worker that is not there': [
    () => kit.refusal(() => kit.Detector.open(kit.model, { workerUrl: '/web/no-worker.js' })),
    /^WISP_ERR_ENGINE: The worker did not start: .*wisp copy .*base/,
  ],
  "a worker of another origin that doesn't allow it": [
    () => {
      const workerUrl = `http://localhost:${location.port}/web/src/detect/worker.js`;
      return kit.refusal(() => kit.Detector.open(kit.model, { workerUrl }));
    },
    /^WISP_ERR_ENGINE: /,
  ],
  'an aborted open': [
    () => {
      const stop = new AbortController();
      const onProgress = () => stop.abort();
      const { signal } = stop;
      return kit.refusal(() => kit.Detector.open(kit.model, { signal, onProgress }));
    },
    /^AbortError/,
  ],
  'a closed detector': [
    async () => {
      const detector = await kit.Detector.open(kit.model, { threads: 1 });
      await detector.close();
      return kit.refusal(() => detector.detect(kit.image));
    },
    /^WISP_ERR_CLOSED/,
  ],
};

/** Detectors of four threads, one after the other. */
export async function opening(/** @type {number} */ times) {
  let opened = 0;
  while (opened < times) {
    const detector = await kit.Detector.open(kit.model, { threads: 4 });
    await detector.close();
    opened++;
  }
  return opened;
}

/** A model in the page's Cache Storage: what happened, in order. */
export async function keeping() {
  const digest = await crypto.subtle.digest('SHA-256', kit.model);
  const integrity = `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
  /** @type {string[]} */
  const story = [];
  /** @param {any} source @param {string} hash */
  const open = async (source, hash) => {
    let from = 'nowhere';
    const onProgress = (/** @type {any} */ { phase, fromCache }) => {
      if (phase === 'model') from = fromCache ? 'the cache' : 'the source';
    };
    const said = await kit.refusal(async () => {
      const options = { threads: 1, warmUp: false, cache: true, onProgress, integrity: hash };
      await (await kit.Detector.open(source, options)).close();
    });
    const cache = await caches.open('wisp-models');
    story.push(`${from}; ${said.split(':')[0]}; ${(await cache.keys()).length} kept`);
    return cache;
  };
  const gone = '/models/gone.wisp';
  await open(kit.model, `sha256-${'A'.repeat(43)}=`);
  await open(kit.model, integrity);
  const cache = await open(gone, integrity);
  const damaged = kit.model.slice();
  damaged[damaged.length >> 1] ^= 1;
  for (const key of await cache.keys()) await cache.put(key, new Response(damaged));
  await open(gone, integrity);
  await open(kit.model, integrity);
  await open(gone, integrity);
  await caches.delete('wisp-models');
  return story;
}

/** What `keeping` tells. */
export const kept = [
  'the source; WISP_ERR_CHECKSUM; 0 kept',
  'the source; nothing was thrown; 1 kept',
  'the cache; nothing was thrown; 1 kept',
  'nowhere; WISP_ERR_FETCH; 0 kept',
  'the source; nothing was thrown; 1 kept',
  'the cache; nothing was thrown; 1 kept',
];

/** A photo taken with the camera on its side. @returns {Promise<number[]>} [width, height] seen by detect, twice */
export async function turnedPhoto() {
  const canvas = new OffscreenCanvas(64, 32);
  canvas.getContext('2d')?.fillRect(0, 0, 32, 32);
  const jpeg = await canvas.convertToBlob({ type: 'image/jpeg' });
  // behind the 20 bytes of start and JFIF
  const exif = [0xff, 0xe1, 0, 34, 69, 120, 105, 102, 0, 0, 73, 73, 42, 0, 8, 0, 0, 0, 1, 0];
  exif.push(0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0); // orientation 6
  const file = new Blob([jpeg.slice(0, 20), Uint8Array.from(exif), jpeg.slice(20)]);
  const image = new Image();
  image.src = URL.createObjectURL(file);
  const results = await kit.detector.detect([file, image]);
  return results.flatMap((/** @type {any} */ { width, height }) => [width, height]);
}

/** Ticks of a 4 ms clock on the page while a large network runs in the worker, and how long that took. */
export async function responsiveness(/** @type {string} */ model) {
  const bytes = Uint8Array.from(atob(model), (c) => c.charCodeAt(0));
  const detector = await kit.Detector.open(bytes, { size: 640, threads: 1 });
  let ticks = 0;
  const clock = setInterval(() => ticks++, 4);
  const started = performance.now();
  await detector.detect(Array(24).fill(kit.image));
  const took = performance.now() - started;
  clearInterval(clock);
  await detector.close();
  return { ticks, took };
}

/** Frames of the camera through detect: of a video element, then as VideoFrames of the track. */
export async function camera(/** @type {number} */ count) {
  const video = document.createElement('video');
  video.muted = true;
  const stream = await navigator.mediaDevices.getUserMedia({ video: true });
  video.srcObject = stream;
  await video.play();
  const results = [];
  for (let i = 0; i < count; i++) results.push(await kit.detector.detect(video, kit.options));
  const track = stream.getVideoTracks()[0];
  const Processor = Reflect.get(globalThis, 'MediaStreamTrackProcessor');
  const reader = Processor && new Processor({ track }).readable.getReader();
  for (let i = 0; reader && i < count; i++) {
    const { value: frame } = await reader.read();
    results.push(await kit.detector.detect(frame, kit.options));
    frame.close();
  }
  track.stop();
  const { videoWidth, videoHeight } = video;
  const sizes = results.map(({ width, height }) => width === videoWidth && height === videoHeight);
  const found = results.map(({ boxes }) => boxes.length);
  return { frames: results.length, sized: sizes.every(Boolean), least: Math.min(...found) };
}
