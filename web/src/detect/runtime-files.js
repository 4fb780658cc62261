// Where the builds of dist/ are. Each address is a literal, so that bundlers copy the files and keep them apart.

/**
 * @typedef {object} BuildFiles
 * @property {string | Function} glue what makes an instance, or the address of the ES module that has it
 * @property {string | WebAssembly.Module} wasm its WebAssembly, or the address of that
 */

/**
 * @param {string | URL} [base] folder that holds the files under their own names; without it, the package's
 * @param {{glue?: Record<string, Function>, wasm?: Record<string, WebAssembly.Module>}} [there] what is there already,
 *   by the name of the build
 * @returns {Record<import('./variant.js').Variant, BuildFiles>}
 */
export function runtimeFiles(base, { glue = {}, wasm } = {}) {
  // a place that compiles nothing has no addresses either
  const files = /** @type {Record<string, BuildFiles>} */ (addresses(base ?? (wasm && '.')));
  for (const name of Object.keys(glue)) files[name].glue = glue[name];
  for (const name of Object.keys(wasm ?? {})) files[name].wasm = /** @type {any} */ (wasm)[name];
  return files;
}

/** @param {string | URL} [base] @returns {Record<import('./variant.js').Variant, BuildFiles>} */
function addresses(base) {
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
