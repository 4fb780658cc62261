// What this engine's SIMD can do at best: the inner loop of a convolution on numbers that stay in the first cache.

/**
 * The module is assembled here, byte by byte, so that no build step and no compiler stands between the loop and the
 * engine. Each loop reads vectors of pixels and one splatted block of weights, as wisp's kernels do.
 *
 * @typedef {object} Peak
 * @property {number} gmacs multiply-adds a nanosecond on one thread, of the fastest loop
 * @property {Record<string, number>} loops each loop's own
 */

const I32 = 0x7f;
const V128 = 0x7b;
const VECTORS = 8; // of 16 pixels, accumulated at once
const BLOCKS = 4; // of weights in one pass of the loop
const WEIGHTS_AT = 32768;
const PICTURE_MASK = 4095; // pixels stay within 4 KiB

/** LEB128 of a small unsigned or non-negative number. @param {number} value @returns {number[]} */
const leb = (value) => (value < 64 ? [value] : [(value & 127) | 128, ...leb(value >> 7)]);

const op = {
  get: (/** @type {number} */ local) => [0x20, local],
  set: (/** @type {number} */ local) => [0x21, local],
  number: (/** @type {number} */ value) => [0x41, ...leb(value)],
  add: [0x6a],
  and: [0x71],
  subtract: [0x6b],
  load: (/** @type {number} */ offset) => [0xfd, 0x00, 4, ...leb(offset)],
  loadBytes: (/** @type {number} */ offset) => [0xfd, 0x02, 3, ...leb(offset)], // 8 bytes → u16x8
  splat32: (/** @type {number} */ offset) => [0xfd, 0x09, 2, ...leb(offset)],
  splat64: (/** @type {number} */ offset) => [0xfd, 0x0a, 3, ...leb(offset)],
  splat16: [0xfd, 0x10],
  add16: [0xfd, 0x8e, 0x01],
  add32: [0xfd, 0xae, 0x01],
  dot32: [0xfd, 0xba, 0x01], // i32x4.dot_i16x8_s
  dot16: [0xfd, 0x92, 0x02], // i16x8.relaxed_dot_i8x16_i7x16_s
  dotAdd: [0xfd, 0x93, 0x02], // i32x4.relaxed_dot_i8x16_i7x16_add_s
  lane: [0xfd, 0x1b, 0], // i32x4.extract_lane 0
};

/** Locals of every loop. */
const PASSES = 0;
const ONE = 1;
const AT = 2;
const ONES = 3;
const WEIGHT = 4; // BLOCKS of them
const SUM = WEIGHT + BLOCKS; // VECTORS of them

/** @template T @param {number} count @param {(i: number) => T[]} make */
const repeat = (count, make) => Array.from({ length: count }, (_, i) => make(i)).flat();

/** 32-bit sums: each product is widened at once. */
const wide = repeat(BLOCKS, (block) => [
  ...op.number(0),
  ...op.splat32(WEIGHTS_AT + 4 * block),
  ...op.set(WEIGHT),
  ...repeat(VECTORS, (i) => [
    ...[...op.get(SUM + i), ...op.get(WEIGHT)],
    ...[...op.get(AT), ...op.load((block * VECTORS + i) * 16), ...op.dot16],
    ...[...op.get(ONES), ...op.dot32, ...op.add32, ...op.set(SUM + i)],
  ]),
]);

/** 16-bit sums of several blocks, widened together. */
const narrow = [
  ...repeat(BLOCKS, (block) => [
    ...[...op.number(0), ...op.splat32(WEIGHTS_AT + 4 * block), ...op.set(WEIGHT + block)],
  ]),
  ...repeat(VECTORS, (i) => [
    ...op.get(SUM + i),
    ...repeat(BLOCKS, (block) => [
      ...[...op.get(WEIGHT + block), ...op.get(AT), ...op.load((block * VECTORS + i) * 16)],
      ...[...op.dot16, ...(block > 0 ? op.add16 : [])],
    ]),
    ...[...op.get(ONES), ...op.dot32, ...op.add32, ...op.set(SUM + i)],
  ]),
];

/** 32-bit sums in one instruction, where the processor has it. */
const fused = repeat(BLOCKS, (block) => [
  ...op.number(0),
  ...op.splat32(WEIGHTS_AT + 4 * block),
  ...op.set(WEIGHT),
  ...repeat(VECTORS, (i) => [
    ...[...op.get(WEIGHT), ...op.get(AT), ...op.load((block * VECTORS + i) * 16)],
    ...[...op.get(SUM + i), ...op.dotAdd, ...op.set(SUM + i)],
  ]),
]);

/** Without relaxed SIMD: bytes widened while they are loaded; half as many products a step. */
const plain = repeat(BLOCKS, (block) => [
  ...[...op.number(0), ...op.splat64(WEIGHTS_AT + 8 * block), ...op.set(WEIGHT)],
  ...repeat(VECTORS, (i) => [
    ...[...op.get(SUM + i), ...op.get(AT), ...op.loadBytes((block * VECTORS + i) * 8)],
    ...[...op.get(WEIGHT), ...op.dot32, ...op.add32, ...op.set(SUM + i)],
  ]),
]);

/** @type {Record<string, {body: number[], macs: number, relaxed: boolean}>} multiply-adds of one pass */
const LOOPS = {
  'relaxed, 32-bit sums': { body: wide, macs: BLOCKS * VECTORS * 16, relaxed: true },
  'relaxed, 16-bit sums': { body: narrow, macs: BLOCKS * VECTORS * 16, relaxed: true },
  'relaxed, fused': { body: fused, macs: BLOCKS * VECTORS * 16, relaxed: true },
  plain: { body: plain, macs: BLOCKS * VECTORS * 8, relaxed: false },
};

/** A module with the function f(passes, one) → a sum, which keeps the loop alive. @param {number[]} body */
function moduleOf(body) {
  const code = [
    ...[3, 1, I32, 1 + BLOCKS, V128, VECTORS, V128], // locals after the two parameters
    ...[...op.get(ONE), ...op.splat16, ...op.set(ONES)],
    ...[0x03, 0x40], // loop
    ...body,
    ...[...op.get(AT), ...op.number(BLOCKS * VECTORS * 16), ...op.add],
    ...[...op.number(PICTURE_MASK), ...op.and, ...op.set(AT)],
    ...[...op.get(PASSES), ...op.number(1), ...op.subtract, 0x22, PASSES],
    ...[0x0d, 0, 0x0b], // branch back unless zero; end
    ...op.get(SUM),
    ...repeat(VECTORS - 1, (i) => [...op.get(SUM + 1 + i), ...op.add32]),
    ...[...op.lane, 0x0b],
  ];
  const section = (/** @type {number} */ id, /** @type {number[]} */ bytes) => [
    id,
    ...leb(bytes.length),
    ...bytes,
  ];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic, version
    ...section(1, [1, 0x60, 2, I32, I32, 1, I32]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]), // one page of memory
    ...section(7, [1, 1, 0x66, 0, 0]), // export "f"
    ...section(10, [1, ...leb(code.length), ...code]),
  ]);
}

const TRIES = 14; // the first ones run code that is not optimised yet
const TRY_MS = 12;

/** @param {boolean} relaxed whether relaxed SIMD may be used @returns {Peak} */
export function measurePeak(relaxed) {
  /** @type {Record<string, number>} */
  const loops = {};
  for (const [name, loop] of Object.entries(LOOPS)) {
    if (loop.relaxed !== relaxed) continue;
    const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleOf(loop.body)));
    loops[name] = fastest(/** @type {any} */ (instance.exports.f), loop.macs);
  }
  return { gmacs: Math.max(...Object.values(loops)), loops };
}

/** @param {(passes: number, one: number) => number} f @param {number} macs of a pass @returns {number} GMAC/s */
function fastest(f, macs) {
  let passes = 20_000;
  let best = 0;
  for (let i = 0; i < TRIES; i++) {
    const started = performance.now();
    f(passes, 1);
    const ms = performance.now() - started;
    best = Math.max(best, (passes * macs) / ms / 1e6);
    if (ms < TRY_MS) passes = Math.ceil((passes * TRY_MS) / Math.max(ms, 1));
  }
  return best;
}
