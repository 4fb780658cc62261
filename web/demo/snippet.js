// snippet.js - the program that does what is on the screen, for the reader's own page.

/**
 * @typedef {object} Shown
 * @property {string | null} model address or name of its file; null: the one that comes with wisp
 * @property {object} opening options of Detector.open that differ from its own
 * @property {object} detecting options of detect that differ from its own
 * @property {'picture' | 'video' | 'camera'} kind
 * @property {boolean} counting
 */

/** @param {Shown} shown @returns {string} a module */
export function snippetOf(shown) {
  const { model, opening, kind } = shown;
  const counting = shown.counting && kind !== 'picture';
  const imports = [
    "import { Detector } from 'wisp-yolo';",
    !model && "import codes from 'wisp-yolo/codes';",
    "import { draw } from 'wisp-yolo/draw';",
    counting && "import { Tracker } from 'wisp-yolo/track';",
  ];
  const open = call('Detector.open', model ? literal(model) : 'codes', opening);
  const begin = [`const detector = await ${open};`, counting && 'const tracker = new Tracker();'];
  const rest = kind === 'picture' ? picture(shown) : video(shown, counting);
  return [imports, begin, ...rest].map((lines) => lines.filter(Boolean).join('\n')).join('\n\n');
}

/** @param {Shown} shown */
const picture = ({ detecting }) => [
  [
    "const picture = document.querySelector('img');",
    `const result = await ${call('detector.detect', 'picture', detecting)};`,
    'console.log(result.boxes);',
  ],
  [
    "const context = document.querySelector('canvas').getContext('2d');",
    'context.canvas.width = result.width;',
    'context.canvas.height = result.height;',
    'context.drawImage(picture, 0, 0);',
    'draw(context, result);',
    '',
  ],
];

/** @param {Shown} shown @param {boolean} counting */
const video = ({ detecting, kind }, counting) => [
  [
    "const video = document.querySelector('video');",
    kind === 'camera' &&
      'video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });',
    'await video.play();',
  ],
  [
    "const context = document.querySelector('canvas').getContext('2d');",
    'while (!video.ended) {',
    '  await new Promise(requestAnimationFrame);',
    '  if (video.readyState < 2) continue; // it has no frame while it seeks',
    `  const result = await ${call('detector.detect', 'video', detecting)};`,
    counting && '  result.boxes = tracker.update(result.boxes, video.currentTime);',
    '  context.canvas.width = result.width;',
    '  context.canvas.height = result.height;',
    '  context.drawImage(video, 0, 0);',
    '  draw(context, result);',
    '}',
    counting && 'console.log(tracker.counts);',
    'await detector.close();\n',
  ],
];

/** @param {string} name @param {string} source @param {object} options */
function call(name, source, options) {
  return Object.keys(options).length
    ? `${name}(${source}, ${literal(options)})`
    : `${name}(${source})`;
}

/** As people write it. @param {unknown} value @returns {string} */
function literal(value) {
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&')}'`;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object' || !value) return String(value);
  const fields = Object.entries(value).map(([key, one]) => `${key}: ${literal(one)}`);
  return `{ ${fields.join(', ')} }`;
}
