// sentences.js - what the page says: errors a reader can act on, counts, sizes.
/** One sentence for anything that was thrown. @param {unknown} error */
export function sentence(error) {
  const text = error instanceof Error ? error.message : String(error);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/**
 * What is wrong with a file that cannot be opened.
 * @param {string} name
 * @param {{what: string, advice?: string}} kind
 */
export const stranger = (name, { what, advice }) =>
  `${name} is ${what}, not a picture, a video, a .wisp model or a network to press.${advice ? ` ${advice}.` : ''}`;

/** @param {unknown} error whether it only says that somebody changed their mind */
export const isAbort = (error) => error instanceof Error && error.name === 'AbortError';

/** The names that models give to codes, and what people call one. @type {Record<string, string>} */
export const CODE_NAMES = {
  qr_code: 'QR code',
  micro_qr: 'Micro QR code',
  rmqr: 'rMQR code',
  data_matrix: 'Data Matrix code',
  aztec: 'Aztec code',
  pdf417: 'PDF417 code',
  maxicode: 'MaxiCode',
  linear: 'bar code',
};

/** What a class is called on the page. @param {string} name */
export const nameOfClass = (name) => (isCode(name) ? CODE_NAMES[name] : name);

/** With its number, if it is followed. @param {{name: string, id?: number | null}} box */
export const nameOfBox = ({ name, id }) => nameOfClass(name) + (id ? ` ${id}` : '');

const LONGEST = 28; // letters of what a code says, in a label

/**
 * What stands at a box: what a code says, if it was read.
 * @param {{name: string, id?: number | null, code?: import('./code-text.js').Code}} box
 */
export function labelOf(box) {
  if (!box.code || box.code.binary) return nameOfBox(box);
  const text = box.code.text.replaceAll(/\s+/g, ' ').trim();
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text || nameOfBox(box);
}

/** Why a code can't be read, and what helps. @param {string | null} why */
export const unreadable = (why) =>
  `Not readable${why ? `: ${why}` : ''}. ${HELP[why ?? ''] ?? HELP['']}`;

/** @type {Record<string, string>} */
const HELP = {
  'cut off': 'All of it must be in the picture.',
  'too small': 'Come closer.',
  'too faint': 'More light, or less of a glare, may help.',
  blurred: 'Hold still, or go back until it is sharp.',
  '': 'Closer, sharper or straighter may help.',
};

/** @param {string} name of a class */
export const isCode = (name) => Object.hasOwn(CODE_NAMES, name);

const EXAMPLES = 4;

/** What a model finds, as a sentence. @param {string[]} classes */
export function finds(classes) {
  if (classes.some(isCode)) return 'This model finds bar codes and 2D codes, and reads them.';
  if (classes.every((name) => /^class\d+$/.test(name)))
    return `This model finds ${classes.length} kinds of things, for which its file has no names.`;
  const some = classes.slice(0, EXAMPLES + 1).join(', ');
  if (classes.length <= EXAMPLES + 1) return `This model finds ${some}.`;
  const first = classes.slice(0, EXAMPLES).join(', ');
  return `This model finds ${classes.length} kinds of things: ${first} and so on.`;
}

const KINDS = 5; // named in a summary; the table has all

/**
 * “3 persons, 1 bus”, most frequent first.
 * @param {{name: string}[]} boxes
 */
export function summary(boxes) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const box of boxes) {
    const name = nameOfClass(box.name);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if (!counts.size) return 'Nothing found';
  const kinds = [...counts].sort((a, b) => b[1] - a[1]);
  const named = kinds.slice(0, kinds.length > KINDS + 1 ? KINDS : KINDS + 1);
  const text = named.map(([name, n]) => `${n} ${n === 1 ? name : plural(name)}`).join(', ');
  const more = kinds.length - named.length;
  return more ? `${text} and ${more} other kinds` : text;
}

/** The English plural of a class name; only the last word changes. @param {string} name */
export function plural(name) {
  if (/(sheep|broccoli|[^su]s)$/.test(name)) return name; // scissors, skis
  if (/(s|x|z|ch|sh)$/.test(name)) return `${name}es`;
  if (/[^aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`;
  if (/(kni|li|wi)fe$/.test(name)) return `${name.slice(0, -2)}ves`;
  if (/mouse$/.test(name)) return `${name.slice(0, -5)}mice`;
  return `${name}s`;
}

/**
 * What opening a model is doing, and how far it is.
 * @param {string} name
 * @param {{phase: string, loaded?: number, total?: number}} progress
 * @returns {[text: string, share: number | undefined]}
 */
export function opening(name, { phase, loaded = 0, total = 0 }) {
  if (phase === 'engine') return ['Loading the engine …', total ? loaded / total : undefined];
  if (phase === 'warmup') return [`Warming up ${name} …`, undefined];
  if (!total) return [`Opening ${name} …`, undefined];
  return [`Opening ${name}: ${bytes(loaded)} of ${bytes(total)}`, loaded / total];
}

/** A file's name without folder and ending. @param {string} name */
export const stem = (name) => name.replace(/^.*\//, '').replace(/\.\w+$/, '') || name;

/** @param {number} n bytes */
export function bytes(n) {
  if (n < 1000) return `${n} bytes`;
  if (n < 1e6) return `${Math.round(n / 1000)} kB`;
  return `${(n / 1e6).toFixed(n < 1e7 ? 2 : 1)} MB`;
}

/** @param {number} ms */
export const milliseconds = (ms) => (ms < 10 ? ms.toFixed(1) : ms.toFixed(0));
