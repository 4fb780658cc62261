// What a browser downloads before the first box, without the model, in brotli kB, against its budget.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { root } from '../places.mjs';

const RUNTIME_BUDGET = 86_000;
const VARIANTS = ['wisp', 'wisp-mt', 'wisp-relaxed', 'wisp-relaxed-mt'];

/** @param {string} name */
function compressed(name) {
  return brotliCompressSync(readFileSync(path.join(root, name))).length;
}

/** Of the scripts that a page and its worker load before the first box, as they are built. */
async function scriptsSize() {
  const { scripts } = await import('../bundle.mjs'); // its bundler is there once npm's packages are
  const all = new Map((await scripts()).map((script) => [script.name, script]));
  const loaded = new Set(['index.js', 'worker.js']);
  let size = 0;
  for (const name of loaded) {
    const { bytes, imports } = /** @type {import('../bundle.mjs').Script} */ (all.get(name));
    size += brotliCompressSync(bytes).length;
    for (const other of imports) loaded.add(other);
  }
  return size;
}

/** @returns {Promise<{words: string, findings: string[]}>} */
export async function sizes() {
  const missing = VARIANTS.find((name) => !existsSync(path.join(root, 'dist', `${name}.wasm`)));
  if (missing)
    return {
      words: '',
      findings: [`dist/${missing}.wasm is not built`],
    };
  const size = await scriptsSize();
  const totals = VARIANTS.map(
    (name) => size + compressed(`dist/${name}.mjs`) + compressed(`dist/${name}.wasm`),
  );
  const kB = (/** @type {number} */ bytes) => (bytes / 1000).toFixed(1);
  return {
    words: `${totals.map(kB).join(', ')} kB brotli of ${kB(RUNTIME_BUDGET)} (JavaScript ${kB(size)} in each)`,
    findings: totals.flatMap((total, i) =>
      total > RUNTIME_BUDGET
        ? [`${VARIANTS[i]} and its JavaScript are ${kB(total)} kB, over ${kB(RUNTIME_BUDGET)}`]
        : [],
    ),
  };
}
