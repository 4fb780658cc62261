// Where the builds of the press are. Each address is a literal, so that bundlers copy the files.

/**
 * @param {boolean} threaded
 * @param {string} [base]
 * @returns {import('../detect/runtime-files.js').BuildFiles}
 */
export function pressFiles(threaded, base) {
  if (base !== undefined) {
    const name = `${base.replace(/\/*$/, '/')}${threaded ? 'press-mt' : 'press'}`;
    return { glue: `${name}.mjs`, wasm: `${name}.wasm` };
  }
  if (threaded) {
    return {
      glue: new URL('../../../dist/press-mt.mjs', import.meta.url).href,
      wasm: new URL('../../../dist/press-mt.wasm', import.meta.url).href,
    };
  }
  return {
    glue: new URL('../../../dist/press.mjs', import.meta.url).href,
    wasm: new URL('../../../dist/press.wasm', import.meta.url).href,
  };
}
