// Where the builds of dist/ are. Each address is a literal, so that bundlers copy the files and keep them apart.

/**
 * @typedef {object} BuildFiles
 * @property {string} glue address of the ES module that makes an instance
 * @property {string} wasm address of its WebAssembly
 */

/**
 * @param {string | URL} [base] folder that holds the files under their own names; without it, the package's
 * @returns {Record<import('./variant.js').Variant, BuildFiles>}
 */
export function runtimeFiles(base) {
  if (base !== undefined) {
    const folder = String(base).replace(/\/*$/, '/');
    const at = (/** @type {string} */ name) => ({
      glue: `${folder}${name}.mjs`,
      wasm: `${folder}${name}.wasm`,
    });
    return {
      wisp: at('wisp'),
      'wisp-mt': at('wisp-mt'),
      'wisp-relaxed': at('wisp-relaxed'),
      'wisp-relaxed-mt': at('wisp-relaxed-mt'),
    };
  }
  return {
    wisp: {
      glue: new URL('../../../dist/wisp.mjs', import.meta.url).href,
      wasm: new URL('../../../dist/wisp.wasm', import.meta.url).href,
    },
    'wisp-mt': {
      glue: new URL('../../../dist/wisp-mt.mjs', import.meta.url).href,
      wasm: new URL('../../../dist/wisp-mt.wasm', import.meta.url).href,
    },
    'wisp-relaxed': {
      glue: new URL('../../../dist/wisp-relaxed.mjs', import.meta.url).href,
      wasm: new URL('../../../dist/wisp-relaxed.wasm', import.meta.url).href,
    },
    'wisp-relaxed-mt': {
      glue: new URL('../../../dist/wisp-relaxed-mt.mjs', import.meta.url).href,
      wasm: new URL('../../../dist/wisp-relaxed-mt.wasm', import.meta.url).href,
    },
  };
}
