// A worker of a page, from wherever its file is: one of another origin is imported by a worker of the page's own.

/** The addresses of those workers, each a line long, by what they import. @type {Map<string, string>} */
const importing = new Map();

/** @param {URL} address */
export const isForeign = ({ origin }) => origin !== 'null' && origin !== globalThis.origin;

/**
 * The one line of a worker of the page's own that runs one of another origin.
 * @param {URL} address
 * @param {WorkerOptions} [options] of the latter
 */
export function lineFor({ href }, options) {
  const address = JSON.stringify(href);
  return options?.type === 'module' ? `import ${address};` : `importScripts(${address});`;
}

/**
 * @param {URL} address
 * @param {WorkerOptions} [options]
 */
export function newWorker(address, options) {
  if (!isForeign(address)) return new Worker(address, options);
  const line = lineFor(address, options);
  const own =
    importing.get(line) ?? URL.createObjectURL(new Blob([line], { type: 'text/javascript' }));
  importing.set(line, own);
  return new Worker(own, options);
}
