// What went wrong, as a code for programs and one sentence for people.

/**
 * Codes of the C core: WISP_ERR_ARGUMENT, _MEMORY, _FORMAT, _VERSION, _TRUNCATED, _CHECKSUM, _UNSUPPORTED, _LIMIT.
 * Of the JavaScript around it: WISP_ERR_SOURCE (no picture could be made of what was given), WISP_ERR_FETCH (a file
 * did not arrive), WISP_ERR_ENGINE (this browser or page can't run wisp), WISP_ERR_CRASH (the engine died),
 * WISP_ERR_CLOSED (the detector was closed). What was aborted rejects with the signal's own reason instead.
 */
export class WispError extends Error {
  /**
   * @param {string} code
   * @param {string} sentence holds the offending value and says what to do
   * @param {ErrorOptions} [options]
   */
  constructor(code, sentence, options) {
    super(sentence, options);
    this.name = 'WispError';
    this.code = code;
  }
}

/**
 * What anything that was thrown says, with its cause where Node hides it there, without a stop at its end.
 * @param {unknown} thrown
 */
export function saying(thrown) {
  if (!(thrown instanceof Error)) return String(thrown);
  const { cause } = thrown;
  const hidden = thrown.name !== 'WispError' && cause instanceof Error ? ` (${cause.message})` : '';
  return (thrown.message || thrown.name).replace(/\.\s*$/, '') + hidden;
}

/** The class of anything, also of another window's objects. @param {unknown} value */
export function kindOf(value) {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** How a sentence calls a value that it refuses. @param {unknown} value */
export function naming(value) {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'object') return `this ${kindOf(value)}`;
  const text = String(value).slice(0, 80);
  return `the ${typeof value} ${typeof value === 'string' ? JSON.stringify(text) : text}`;
}
