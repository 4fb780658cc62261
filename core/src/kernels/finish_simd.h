/* finish_simd.h - wisp_finish on eight 16-bit lanes: what the SIMD kernels do with their sums. Bit-equal to
 * finish_scalar.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_KERNELS_FINISH_SIMD_H
#define WISP_KERNELS_FINISH_SIMD_H

#include <stddef.h>

#include "../kernel.h"
#include "simd.h"

#define WISP_INLINE static inline __attribute__((always_inline))

/* wisp_finish in vectors. */
typedef struct wisp_finish_vectors {
  wisp_v128 terms[WISP_SIGMOID_TERMS], sign;
  wisp_v128 limit, half_limit, fraction, double_fraction, slope;
  wisp_v128 out_scale, out_zero, residual_scale, residual_zero, flip;
} wisp_finish_vectors;

WISP_INLINE wisp_finish_vectors wisp_finish_spread(const wisp_finish *f) {
  static const int16_t terms[WISP_SIGMOID_TERMS] = WISP_SIGMOID_POLYNOMIAL;
  wisp_finish_vectors v;
  for (int i = 0; i < WISP_SIGMOID_TERMS; i++) v.terms[i] = wisp_hidden_splat(terms[i]);
  v.sign = wisp_hidden_splat(-32768);
  v.limit = wasm_i16x8_splat(f->limit);
  v.half_limit = wasm_i16x8_splat(f->limit / 2);
  v.fraction = wasm_i16x8_splat(f->fraction);
  v.double_fraction = wasm_i16x8_splat((int16_t)(2 * f->fraction));
  v.slope = wasm_i16x8_splat(f->slope);
  v.out_scale = wasm_i16x8_splat(f->out_scale);
  v.out_zero = wasm_i16x8_splat(f->out_zero);
  v.residual_scale = wasm_i16x8_splat(f->residual_scale);
  v.residual_zero = wasm_i16x8_splat(f->residual_zero);
  v.flip = wasm_u8x16_splat(f->flip);
  return v;
}

WISP_INLINE wisp_v128 wisp_finish_fixed(const wisp_v128 *sums, wisp_v128 scale) {
  const wisp_v128 low = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums[0]), scale);
  const wisp_v128 high = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums[1]), scale);
  return wasm_i16x8_narrow_i32x4(wisp_truncate(low), wisp_truncate(high));
}

WISP_INLINE wisp_v128 wisp_finish_falling(const wisp_finish_vectors *f, wisp_v128 t) {
  const wisp_v128 w = wasm_v128_xor(wasm_i16x8_mul(t, f->double_fraction), f->sign);
  wisp_v128 p = f->terms[WISP_SIGMOID_TERMS - 1];
  for (int i = WISP_SIGMOID_TERMS - 2; i >= 0; i--)
    p = wasm_i16x8_add(wisp_q15x8(p, w), f->terms[i]);
  for (int i = 0; i < 2; i++) p = wisp_q15x8(p, p);
  return p;
}

WISP_INLINE wisp_v128 wisp_finish_activate(const wisp_finish_vectors *f, wisp_activation activation,
                                           wisp_v128 x) {
  const wisp_v128 zero = wasm_i16x8_const_splat(0);
  const wisp_v128 t = wasm_u16x8_min(wasm_i16x8_abs(x), f->limit);
  switch (activation) {
    case WISP_ACT_NONE: return x;
    case WISP_ACT_RELU: return wasm_i16x8_max(x, zero);
    case WISP_ACT_LEAKY: return wasm_i16x8_max(x, wisp_q15x8(x, f->slope));
    case WISP_ACT_SILU:
      return wasm_i16x8_sub(wasm_i16x8_max(x, zero), wisp_q15x8(t, wisp_finish_falling(f, t)));
    case WISP_ACT_HARDSWISH: {
      const wisp_v128 near = wasm_i16x8_min(t, f->half_limit);
      const wisp_v128 gate = wasm_i16x8_mul(wasm_i16x8_sub(f->half_limit, near), f->fraction);
      return wasm_i16x8_sub(wasm_i16x8_max(x, zero), wisp_q15x8(near, gate));
    }
    case WISP_ACT_SIGMOID: {
      const wisp_v128 falling = wisp_finish_falling(f, t);
      const wisp_v128 rising = wasm_i16x8_sub(wasm_i16x8_const_splat(32767), falling);
      return wasm_v128_bitselect(falling, rising, wasm_i16x8_lt(x, zero));
    }
    case WISP_ACT_HARDSIGMOID:
      return wasm_i16x8_add(wasm_i16x8_shr(x, 1), wasm_i16x8_const_splat(0x4000));
  }
  return x;
}

/* Two pixels of four channels: y in units -> 16-bit output bytes, not yet clamped. */
WISP_INLINE wisp_v128 wisp_finish_scale(const wisp_finish_vectors *f, wisp_v128 y,
                                        const uint8_t *residual) {
  if (residual) {
    const wisp_v128 bytes = wasm_v128_xor(wasm_v128_load64_zero(residual), f->flip);
    const wisp_v128 r = wasm_i16x8_sub(wasm_u16x8_extend_low_u8x16(bytes), f->residual_zero);
    y = wasm_i16x8_add_sat(y, wisp_q15x8(wasm_i16x8_shl(r, 7), f->residual_scale));
  }
  return wasm_i16x8_add_sat(wisp_q15x8(y, f->out_scale), f->out_zero);
}

/* Four pixels of four channels from two vectors of two pixels. */
WISP_INLINE void wisp_finish_store(const wisp_finish_vectors *f, wisp_v128 y0, wisp_v128 y1,
                                   const uint8_t *residual, uint8_t *out) {
  const wisp_v128 low = wisp_finish_scale(f, y0, residual),
                  high = wisp_finish_scale(f, y1, residual ? residual + 8 : NULL);
  wasm_v128_store(out, wasm_v128_xor(wasm_u8x16_narrow_i16x8(low, high), f->flip));
}

#endif
