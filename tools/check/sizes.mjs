// What a browser downloads before the first box, without the model, in brotli kB, against its budget.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { referencesOf } from '../../bench/networks/imports.js';
import { root } from '../places.mjs';

const RUNTIME_BUDGET = 120_000;
const VARIANTS = ['wisp', 'wisp-mt', 'wisp-relaxed', 'wisp-relaxed-mt'];

/** @param {string} name */
function compressed(name) {
  return brotliCompressSync(readFileSync(path.join(root, name))).length;
}

/**
 * The modules that a page and its worker load before the first box.
 * @param {Set<string>} names the entries; grows by what they import
 */
function closure(names) {
  for (const name of names)
    for (const { by, to } of referencesOf(name, readFileSync(path.join(root, name), 'utf8')))
      if (by === 'import') names.add(to);
  return [...names];
}

/** @returns {{words: string, findings: string[]}} */
export function sizes() {
  const missing = VARIANTS.find((name) => !existsSync(path.join(root, 'dist', `${name}.wasm`)));
  if (missing)
    return {
      words: '',
      findings: [`dist/${missing}.wasm is not built`],
    };
  const modules = closure(new Set(['web/src/index.js', 'web/src/detect/worker.js']));
  const scripts = modules.reduce((sum, name) => sum + compressed(name), 0);
  const totals = VARIANTS.map(
    (name) => scripts + compressed(`dist/${name}.mjs`) + compressed(`dist/${name}.wasm`),
  );
  const kB = (/** @type {number} */ bytes) => (bytes / 1000).toFixed(1);
  return {
    words: `${totals.map(kB).join(', ')} kB brotli of ${kB(RUNTIME_BUDGET)} (JavaScript ${kB(scripts)} in each)`,
    findings: totals.flatMap((total, i) =>
      total > RUNTIME_BUDGET
        ? [`${VARIANTS[i]} and its JavaScript are ${kB(total)} kB, over ${kB(RUNTIME_BUDGET)}`]
        : [],
    ),
  };
}
