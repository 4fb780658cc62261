// The error every importer throws: a code of the C API and one sentence.

export class ImportError extends Error {
  /**
   * @param {'WISP_ERR_FORMAT' | 'WISP_ERR_TRUNCATED' | 'WISP_ERR_UNSUPPORTED' | 'WISP_ERR_ARGUMENT'} code
   * @param {string} message one sentence that names the offending value and what to do
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.name = 'ImportError';
    this.code = code;
  }
}

/** @param {string} message @returns {never} */
export function unsupported(message) {
  throw new ImportError('WISP_ERR_UNSUPPORTED', message);
}

/** @param {string} message @returns {never} */
export function malformed(message) {
  throw new ImportError('WISP_ERR_FORMAT', message);
}
