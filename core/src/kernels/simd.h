/* simd.h - the only file with intrinsics: what the kernels need of WebAssembly SIMD, in its plain and relaxed level.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Both levels give the same bits. The relaxed instructions used are exact within the ranges the
 * callers keep: products of two bytes and two 7-bit weights never saturate (models/FORMAT.md),
 * no q15 factor pair is (-32768, -32768), no float that is truncated leaves the 32-bit range
 * (lower.c, filter.c). */
#ifndef WISP_KERNELS_SIMD_H
#define WISP_KERNELS_SIMD_H

#include <stdint.h>
#include <wasm_simd128.h>

typedef v128_t wisp_v128;

#define WISP_INLINE static inline __attribute__((always_inline))

#if WISP_RELAXED

/* i16x8: sums + products of neighbouring channels, two numbers for each of four pixels. */
static inline wisp_v128 wisp_dot(wisp_v128 pixels, wisp_v128 weights) {
  return wasm_i16x8_relaxed_dot_i8x16_i7x16(weights, pixels);
}

/* i32x4: sums + the products of all four channels of each of four pixels. */
static inline wisp_v128 wisp_dot_add32(wisp_v128 sums, wisp_v128 pixels, wisp_v128 weights) {
  return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(weights, pixels, sums);
}

static inline wisp_v128 wisp_q15x8(wisp_v128 a, wisp_v128 b) {
  return wasm_i16x8_relaxed_q15mulr(a, b);
}

static inline wisp_v128 wisp_truncate(wisp_v128 f) { return wasm_i32x4_relaxed_trunc_f32x4(f); }

#else

static inline wisp_v128 wisp_q15x8(wisp_v128 a, wisp_v128 b) {
  return wasm_i16x8_q15mulr_sat(a, b);
}

static inline wisp_v128 wisp_truncate(wisp_v128 f) { return wasm_i32x4_trunc_sat_f32x4(f); }

#endif

/* i32x4: sums + the two 16-bit numbers of each of four pixels. */
static inline wisp_v128 wisp_widen_add(wisp_v128 sums, wisp_v128 pairs, wisp_v128 ones) {
  return wasm_i32x4_add(sums, wasm_i32x4_dot_i16x8(pairs, ones));
}

/* All lanes `value`, in a local that the compiler can't see through: V8 rebuilds a constant at
 * every use inside a loop. */
static inline wisp_v128 wisp_hidden_splat(int16_t value) {
  const volatile int16_t hidden = value;
  return wasm_i16x8_splat(hidden);
}

#endif
