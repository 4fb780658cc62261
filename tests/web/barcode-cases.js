// What BarcodeDetector must do in any browser: functions that run inside a page, shared by the browsers' tests.
// `kit` is what setUpPage left in the page; each function is sent as text, so it may use nothing else.

/** @type {any} the page's */
let kit;

/** @param {{picture: string, foreign: string}} addresses of a picture, and of the same on another origin */
export async function setUpPage({ picture, foreign }) {
  const at = (/** @type {string} */ place) => new URL(place, location.origin).href;
  const { BarcodeDetector, prepare } = await import(at('/dist/web/barcode-detector.js'));
  const settings = { zxingWasm: '/vendor/zxing-wasm/reader/zxing_reader.wasm', threads: 1 };
  prepare({ ...settings, zxing: await import(at('/vendor/zxing-wasm/es/reader/index.js')) });
  /** @param {string} src @param {boolean} [isSound] */
  const imageOf = async (src, isSound = true) => {
    const image = new Image();
    image.src = src;
    if (isSound) await image.decode();
    return image;
  };
  const image = await imageOf(picture);
  const { naturalWidth: width, naturalHeight: height } = image;
  /** @param {any} canvas @param {any} [settings] of its pixels */
  const drawnOn = (canvas, settings) => {
    Object.assign(canvas, { width, height });
    const context = canvas.getContext('2d', settings);
    context.drawImage(image, 0, 0);
    return { canvas, context };
  };
  /** What it says about what is thrown. @param {() => any} act */
  const refusal = async (act) => {
    try {
      await act();
    } catch (error) {
      const { name } = /** @type {Error} */ (error);
      return `${error instanceof DOMException ? 'DOMException' : 'Error'} ${name}`;
    }
    return 'nothing was thrown';
  };
  const drawn = () => drawnOn(document.createElement('canvas'));
  const detector = new BarcodeDetector();
  const texts = async (/** @type {any} */ source, by = detector) =>
    (await by.detect(source)).map((/** @type {{rawValue: string}} */ { rawValue }) => rawValue);
  const page = globalThis;
  Reflect.set(page, 'kit', {
    ...{ BarcodeDetector, prepare, settings, detector, picture, foreign, width, height },
    ...{ image, imageOf, drawnOn, drawn, refusal, texts },
  });
}

/** Sources, each of which shows the same picture. @type {Record<string, () => Promise<string[]>>} */
export const sources = {
  'an image element': async () => kit.texts(kit.image),
  'an image element that is still loading': async () =>
    kit.texts(await kit.imageOf(`${kit.picture}?again`, false)),
  'a canvas element': async () => kit.texts(kit.drawn().canvas),
  'an OffscreenCanvas': async () => kit.texts(kit.drawnOn(new OffscreenCanvas(1, 1)).canvas),
  'an ImageBitmap': async () => kit.texts(await createImageBitmap(kit.image)),
  'an ImageData': async () =>
    kit.texts(kit.drawn().context.getImageData(0, 0, kit.width, kit.height)),
  'a Blob': async () => kit.texts(await (await fetch(kit.picture)).blob()),
  'an SVG image element': async () => {
    const image = document.createElementNS('http://www.w3.org/2000/svg', 'image');
    for (const [name, value] of Object.entries({ ...kit, href: kit.picture }))
      if (/^(width|height|href)$/.test(name)) image.setAttribute(name, String(value));
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.append(image);
    const loaded = new Promise((resolve) => image.addEventListener('load', resolve));
    document.documentElement.append(svg);
    await loaded;
    return kit.texts(image);
  },
  'a VideoFrame': async () => {
    const frame = new VideoFrame(kit.drawn().canvas, { timestamp: 0 });
    const found = await kit.texts(frame);
    frame.close();
    return found;
  },
  'a video element': async () => {
    const { canvas, context } = kit.drawn();
    const video = document.createElement('video');
    const stream = canvas.captureStream(10);
    Object.assign(video, { srcObject: stream, muted: true });
    const shown = new Promise((resolve) => video.addEventListener('loadeddata', resolve));
    void video.play();
    const timer = setInterval(() => context.drawImage(kit.image, 0, 0), 50);
    await shown;
    const found = await kit.texts(video);
    clearInterval(timer);
    for (const track of stream.getTracks()) track.stop();
    return found;
  },
};

/** What is refused, and how. @type {Record<string, [() => Promise<string>, string]>} */
export const refusals = {
  'no argument': [async () => kit.refusal(() => kit.detector.detect()), 'Error TypeError'],
  'what is no picture': [
    async () => kit.refusal(() => kit.detector.detect({ width: 1, height: 1 })),
    'Error TypeError',
  ],
  'an address': [
    async () => kit.refusal(() => kit.detector.detect(kit.picture)),
    'Error TypeError',
  ],
  'an image element of another origin': [
    async () => kit.refusal(async () => kit.detector.detect(await kit.imageOf(kit.foreign))),
    'DOMException SecurityError',
  ],
  'a bitmap of such an image': [
    async () =>
      kit.refusal(async () =>
        kit.detector.detect(await createImageBitmap(await kit.imageOf(kit.foreign))),
      ),
    'DOMException SecurityError',
  ],
  'a canvas with such an image': [
    async () => {
      const { canvas, context } = kit.drawn();
      context.drawImage(await kit.imageOf(kit.foreign), 0, 0);
      return kit.refusal(() => kit.detector.detect(canvas));
    },
    'DOMException SecurityError',
  ],
  'an image that does not load': [
    async () =>
      kit.refusal(async () => kit.detector.detect(await kit.imageOf('/no/such.png', false))),
    'DOMException InvalidStateError',
  ],
  'an image without an address': [
    async () => kit.refusal(() => kit.detector.detect(new Image())),
    'DOMException InvalidStateError',
  ],
  'a video without a frame': [
    async () => kit.refusal(() => kit.detector.detect(document.createElement('video'))),
    'DOMException InvalidStateError',
  ],
  'an ImageBitmap that was closed': [
    async () => {
      const bitmap = await createImageBitmap(kit.image);
      bitmap.close();
      return kit.refusal(() => kit.detector.detect(bitmap));
    },
    'DOMException InvalidStateError',
  ],
  'an ImageData whose pixels were sent away': [
    async () => {
      const image = new ImageData(64, 64);
      new MessageChannel().port1.postMessage('', [image.data.buffer]);
      return kit.refusal(() => kit.detector.detect(image));
    },
    'DOMException InvalidStateError',
  ],
  'a Blob that is no picture': [
    async () => kit.refusal(() => kit.detector.detect(new Blob(['no picture']))),
    'DOMException InvalidStateError',
  ],
  'a VideoFrame that was closed': [
    async () => {
      const frame = new VideoFrame(kit.drawn().canvas, { timestamp: 0 });
      frame.close();
      return kit.refusal(() => kit.detector.detect(frame));
    },
    'DOMException InvalidStateError',
  ],
};

/** How many of the hints are taken otherwise than they should be. */
export async function hints() {
  /** @type {any[]} */
  const bad = [[], ['unknown'], ['qr_code', 'foo'], 'qr_code', 1, null, ['QR_CODE']];
  const wrong = [];
  for (const formats of bad)
    if ((await kit.refusal(() => new kit.BarcodeDetector({ formats }))) !== 'Error TypeError')
      wrong.push(formats);
  for (const options of [undefined, null, {}, { formats: undefined, hint: 1 }])
    if (!(new kit.BarcodeDetector(options) instanceof kit.BarcodeDetector)) wrong.push(options);
  if ((await kit.refusal(() => kit.BarcodeDetector())) !== 'Error TypeError') wrong.push('call');
  return wrong;
}

/** What a detector is by its looks. */
export async function looks() {
  const { BarcodeDetector, detector } = kit;
  const names = await BarcodeDetector.getSupportedFormats();
  names.pop(); // the list is the caller's own
  const again = await BarcodeDetector.getSupportedFormats();
  return {
    formats: again,
    name: BarcodeDetector.name,
    lengths: [
      BarcodeDetector.length,
      BarcodeDetector.getSupportedFormats.length,
      detector.detect.length,
    ],
    kind: String(detector),
    operations: Object.keys(BarcodeDetector.prototype),
    statics: Object.keys(BarcodeDetector),
  };
}

/** Only what was asked for; a set of formats is a list as well. */
export async function asked() {
  const { BarcodeDetector, texts, image } = kit;
  const only = new BarcodeDetector({ formats: new Set(['code_128']) });
  const none = new BarcodeDetector({ formats: ['ean_13', 'aztec'] });
  return { only: await texts(image, only), none: await texts(image, none) };
}

/** One that is sent on, and its box as the platform has it. */
export async function result() {
  const found = await kit.detector.detect(kit.image);
  const { port1, port2 } = new MessageChannel();
  const sent = new Promise((resolve) => {
    port2.onmessage = ({ data }) => resolve(data);
  });
  port1.postMessage(found);
  const same = JSON.stringify(await sent) === JSON.stringify(found);
  port1.close();
  const boxes = found.map((/** @type {any} */ { boundingBox }) => boundingBox);
  return {
    same,
    kinds: boxes.map((/** @type {object} */ box) => box.constructor.name),
    keys: Object.keys(found[0]).sort(),
    found: JSON.parse(JSON.stringify(found)),
  };
}

/** Many at once, one of them no picture: the others don't mind. */
export async function atOnce() {
  const { detector, texts, image, refusal } = kit;
  const sources = Array.from({ length: 4 }, () => texts(image));
  const bad = refusal(() => detector.detect(new Blob(['no picture'])));
  return { texts: await Promise.all(sources), bad: await bad };
}

/** A picture without pixels has no codes. */
export async function nothing() {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"></svg>';
  const image = await kit.imageOf(`data:image/svg+xml,${encodeURIComponent(svg)}`);
  const canvas = Object.assign(document.createElement('canvas'), { width: 0 });
  const found = [image, canvas, new OffscreenCanvas(0, 4)].map((one) => kit.detector.detect(one));
  return Promise.all(found);
}

/** Without the decoder's address, and with it again. */
export async function unprepared() {
  const { prepare, settings, refusal, detector, image, texts } = kit;
  prepare({ threads: 1 });
  const refused = await refusal(() => detector.detect(image));
  const at = new URL('/vendor/zxing-wasm/es/reader/index.js', location.origin).href;
  prepare({ ...settings, zxing: await import(at) });
  return { refused, texts: await texts(image) };
}

/** The texts that a worker of the page reads. @returns {Promise<string[]>} */
export async function inWorker() {
  const at = (/** @type {string} */ place) => JSON.stringify(new URL(place, location.origin).href);
  const code = `import { BarcodeDetector, prepare } from ${at('/dist/web/barcode-detector.js')};
    import * as zxing from ${at('/vendor/zxing-wasm/es/reader/index.js')};
    const zxingWasm = ${at('/vendor/zxing-wasm/reader/zxing_reader.wasm')};
    prepare({ zxing, zxingWasm, threads: 1 });
    onmessage = async ({ data }) => {
      const found = await new BarcodeDetector().detect(data).catch(String);
      postMessage(Array.isArray(found) ? found.map(({ rawValue }) => rawValue) : [found]);
    };
    postMessage([]);`;
  const address = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  const worker = new Worker(address, { type: 'module' });
  const answer = () =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  await answer();
  worker.postMessage(await createImageBitmap(kit.image));
  const texts = await answer();
  worker.terminate();
  return /** @type {string[]} */ (texts);
}
