/* curves.h - what each activation does to a number: in 16-bit fixed point, the same on eight lanes, in float.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A case of each switch for a row of WISP_ACTIVATION_ROWS; kernels need no other line. */
#ifndef WISP_KERNELS_CURVES_H
#define WISP_KERNELS_CURVES_H

#include "../kernel.h"
#include "f32x4.h"

/* The logistic function of -t on 0 <= t <= WISP_SIGMOID_RANGE is p(w)^4, w = 2 t / WISP_SIGMOID_RANGE - 1, with the
 * polynomial p below in fractions of 32768, lowest power first: least largest error of t * p^4, found by iterated
 * linear programming. t * p^4 is off by at most 0.0006, p^4 by 0.002. */
enum { WISP_SIGMOID_TERMS = 6 };
#define WISP_SIGMOID_POLYNOMIAL {9384, -11471, 7069, -3856, -1133, 3066}

/* ---- one number: the definition ---- */

/* The logistic function of -t; `t` in units, at most f->limit. Fractions of 32768. */
static inline int wisp_curve_falling(const wisp_finish *f, int t) {
  static const int16_t terms[WISP_SIGMOID_TERMS] = WISP_SIGMOID_POLYNOMIAL;
  const int w = 2 * t * f->fraction - 32768;
  int p = terms[WISP_SIGMOID_TERMS - 1];
  for (int i = WISP_SIGMOID_TERMS - 2; i >= 0; i--) p = wisp_q15(p, w) + terms[i];
  for (int i = 0; i < 2; i++) p = wisp_q15(p, p);
  return p;
}

/* x and the result are in units. */
static inline int wisp_curve(const wisp_finish *f, int x) {
  const int t = wisp_min(x < 0 ? -x : x, f->limit), near = wisp_min(t, f->limit / 2);
  switch (f->activation) {
    case WISP_ACT_NONE: return x;
    case WISP_ACT_RELU: return wisp_max(x, 0);
    case WISP_ACT_LEAKY: return wisp_max(x, wisp_q15(x, f->slope));
    case WISP_ACT_SILU: return wisp_max(x, 0) - wisp_q15(t, wisp_curve_falling(f, t));
    case WISP_ACT_HARDSWISH:
      return wisp_max(x, 0) - wisp_q15(near, (f->limit / 2 - near) * f->fraction);
    case WISP_ACT_SIGMOID:
      return x < 0 ? wisp_curve_falling(f, t) : 32767 - wisp_curve_falling(f, t);
    case WISP_ACT_HARDSIGMOID: return (x >> 1) + 0x4000; /* x is in 32767ths of its range */
  }
  return x;
}

/* ---- eight lanes ---- */

#if WISP_SIMD
#include "simd.h"

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

WISP_INLINE wisp_v128 wisp_curve_falling_x8(const wisp_finish_vectors *f, wisp_v128 t) {
  const wisp_v128 w = wasm_v128_xor(wasm_i16x8_mul(t, f->double_fraction), f->sign);
  wisp_v128 p = f->terms[WISP_SIGMOID_TERMS - 1];
  for (int i = WISP_SIGMOID_TERMS - 2; i >= 0; i--)
    p = wasm_i16x8_add(wisp_q15x8(p, w), f->terms[i]);
  for (int i = 0; i < 2; i++) p = wisp_q15x8(p, p);
  return p;
}

WISP_INLINE wisp_v128 wisp_curve_x8(const wisp_finish_vectors *f, wisp_activation activation,
                                    wisp_v128 x) {
  const wisp_v128 zero = wasm_i16x8_const_splat(0);
  const wisp_v128 t = wasm_u16x8_min(wasm_i16x8_abs(x), f->limit);
  switch (activation) {
    case WISP_ACT_NONE: return x;
    case WISP_ACT_RELU: return wasm_i16x8_max(x, zero);
    case WISP_ACT_LEAKY: return wasm_i16x8_max(x, wisp_q15x8(x, f->slope));
    case WISP_ACT_SILU:
      return wasm_i16x8_sub(wasm_i16x8_max(x, zero), wisp_q15x8(t, wisp_curve_falling_x8(f, t)));
    case WISP_ACT_HARDSWISH: {
      const wisp_v128 near = wasm_i16x8_min(t, f->half_limit);
      const wisp_v128 gate = wasm_i16x8_mul(wasm_i16x8_sub(f->half_limit, near), f->fraction);
      return wasm_i16x8_sub(wasm_i16x8_max(x, zero), wisp_q15x8(near, gate));
    }
    case WISP_ACT_SIGMOID: {
      const wisp_v128 falling = wisp_curve_falling_x8(f, t);
      const wisp_v128 rising = wasm_i16x8_sub(wasm_i16x8_const_splat(32767), falling);
      return wasm_v128_bitselect(falling, rising, wasm_i16x8_lt(x, zero));
    }
    case WISP_ACT_HARDSIGMOID:
      return wasm_i16x8_add(wasm_i16x8_shr(x, 1), wasm_i16x8_const_splat(0x4000));
  }
  return x;
}

#endif

/* ---- four floats, and the slope there: in the press ---- */

static inline wisp_f32x4 wisp_curve_real(wisp_f32x4 v, wisp_activation activation, float slope) {
  const wisp_f32x4 zero = wisp_splat_x4(0), one = wisp_splat_x4(1);
  switch (activation) {
    case WISP_ACT_NONE: return v;
    case WISP_ACT_RELU: return wisp_choose_x4(v < zero, zero, v);
    case WISP_ACT_LEAKY: return wisp_choose_x4(v < zero, v * wisp_splat_x4(slope), v);
    case WISP_ACT_SILU: return v / (one + wisp_exp_x4(-v));
    case WISP_ACT_HARDSWISH:
      return v * wisp_clamp_x4(v + wisp_splat_x4(3), 0, 6) / wisp_splat_x4(6);
    case WISP_ACT_SIGMOID: return one / (one + wisp_exp_x4(-v));
    case WISP_ACT_HARDSIGMOID: return wisp_clamp_x4(v + wisp_splat_x4(3), 0, 6) / wisp_splat_x4(6);
  }
  return v;
}

/* Its derivative at v. */
static inline wisp_f32x4 wisp_curve_slope(wisp_f32x4 v, wisp_activation activation, float slope) {
  const wisp_f32x4 zero = wisp_splat_x4(0), one = wisp_splat_x4(1);
  wisp_f32x4 sigmoid;
  switch (activation) {
    case WISP_ACT_NONE: return one;
    case WISP_ACT_RELU: return wisp_choose_x4(v < zero, zero, one);
    case WISP_ACT_LEAKY: return wisp_choose_x4(v < zero, wisp_splat_x4(slope), one);
    case WISP_ACT_SILU:
      sigmoid = one / (one + wisp_exp_x4(-v));
      return sigmoid * (one + v * (one - sigmoid));
    case WISP_ACT_HARDSWISH:
      return wisp_choose_x4(
          v < wisp_splat_x4(-3), zero,
          wisp_choose_x4(v > wisp_splat_x4(3), one, (v + v + wisp_splat_x4(3)) / wisp_splat_x4(6)));
    case WISP_ACT_SIGMOID:
      sigmoid = one / (one + wisp_exp_x4(-v));
      return sigmoid * (one - sigmoid);
    case WISP_ACT_HARDSIGMOID:
      return wisp_choose_x4(v < wisp_splat_x4(-3), zero,
                            wisp_choose_x4(v > wisp_splat_x4(3), zero, wisp_splat_x4(1.0f / 6)));
  }
  return one;
}

#endif
