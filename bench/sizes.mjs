// What a .wisp file's weights cost against the general compressors, and against their entropy layer by layer.
//   node bench/sizes.mjs FILE.wisp…
import { execFileSync, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { root } from '../tools/places.mjs';
import { table } from './report/columns.js';

const TOOL = path.join(root, 'build', 'native', 'wisp-weights');
const MOST = 1 << 30; // bytes of output

/** Bytes that a coder would need which knew how often each value comes, and nothing else. @param {Uint8Array} bytes */
function entropyOf(bytes) {
  const counts = new Float64Array(256);
  for (const byte of bytes) counts[byte]++;
  return counts.reduce((sum, n) => sum - (n && n * Math.log2(n / bytes.length)), 0) / 8;
}

/** @param {Uint8Array} bytes */
function brotli(bytes) {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_LGWIN]: 24,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  return brotliCompressSync(bytes, { params }).length;
}

/** @param {Uint8Array} bytes */
const xz = (bytes) => execFileSync('xz', ['-9e', '-c'], { input: bytes, maxBuffer: MOST }).length;

/** @param {string} file */
function sizesOf(file) {
  const { status, stdout, stderr } = spawnSync(TOOL, [file], { maxBuffer: MOST });
  if (status !== 0) throw new Error(`${TOOL} ${file}: ${stderr}`);
  const lines = String(stderr).trim().split('\n');
  const layers = lines.map((line) => line.split(' ').map(Number));
  let at = 0;
  let entropy = 0;
  let above = 0; // layers that cost more than their entropy
  for (const [bytes, coded] of layers) {
    const least = entropyOf(stdout.subarray(at, at + bytes));
    entropy += least;
    above += Number(coded > least);
    at += bytes;
  }
  const sum = (/** @type {number} */ column) => layers.reduce((all, row) => all + row[column], 0);
  const [weights, coded, whole] = [0, 1, 2].map(sum);
  const zeros = stdout.reduce((all, value) => all + Number(value === 0), 0);
  const sizes = { weights, coded, whole, entropy, above, layers: layers.length, zeros };
  return { ...sizes, file: statSync(file).size, brotli: brotli(stdout), xz: xz(stdout) };
}

const files = process.argv.slice(2);
execFileSync('cmake', ['--build', path.join(root, 'build', 'native'), '--target', 'wisp-weights']);
const kB = (/** @type {number} */ bytes) => (bytes / 1000).toFixed(1);
const rows = files.map((name) => {
  const s = sizesOf(name);
  const better = Math.min(s.brotli, s.xz);
  const saved = (/** @type {number} */ of) => `${((1 - s.coded / of) * 100).toFixed(1)} %`;
  return [
    path.basename(name),
    ...[s.file, s.whole, s.coded, s.entropy, s.brotli, s.xz].map(kB),
    ...[saved(better), saved(s.entropy), `${s.above} of ${s.layers}`],
    `${((s.zeros / s.weights) * 100).toFixed(1)} %`,
  ];
});
const head =
  'file|kB|payloads|weights alone|entropy|brotli -q 11|xz -9e|below the better|below entropy|layers above it|zeros';
console.log(table([head.split('|'), ...rows]).join('\n'));
