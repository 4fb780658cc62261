// The class names that YOLOv5 writes into a model's metadata: a Python dict or list, or JSON.

/**
 * @param {string | undefined} text
 * @param {number} count
 * @returns {string[]} `count` names; class0, class1, … where the text gives none
 */
export function classNames(text, count) {
  const named = text ? (fromJson(text) ?? fromPython(text)) : new Map();
  return Array.from({ length: count }, (_, index) => named.get(index) ?? `class${index}`);
}

/** @param {string} text @returns {Map<number, string> | null} */
function fromJson(text) {
  try {
    const entries = Object.entries(JSON.parse(text));
    return new Map(entries.map(([key, name]) => [Number(key), String(name)]));
  } catch {
    return null;
  }
}

/** Quoted strings, each perhaps with its number before it. */
const PYTHON_ENTRY = /(?:(\d+)\s*:\s*)?('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")/gs;

/** @param {string} text @returns {Map<number, string>} */
function fromPython(text) {
  const entries = [...text.matchAll(PYTHON_ENTRY)];
  return new Map(
    entries.map(([, key, quoted], index) => [Number(key ?? index), unescape(quoted.slice(1, -1))]),
  );
}

/** @type {Record<string, string>} */
const ESCAPES = { n: '\n', r: '\r', t: '\t' };

/** @param {string} text of a Python string literal */
function unescape(text) {
  return text.replace(/\\(?:x(..)|u(.{4})|U(.{8})|(.))/gs, (_, x, u, long, single) => {
    const code = x ?? u ?? long;
    return code ? String.fromCodePoint(Number.parseInt(code, 16)) : (ESCAPES[single] ?? single);
  });
}
