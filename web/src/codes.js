// Where the model is that comes with wisp: it finds bar codes and 2D codes. In a module of its own, so that nobody else
// carries it: a bundler copies the file only for those who import this.

/** For Detector.open. */
const codes = new URL('../../models/codes.wisp', import.meta.url);

export default codes;
