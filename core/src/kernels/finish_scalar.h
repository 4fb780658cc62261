/* finish_scalar.h - how a 32-bit sum becomes a byte, the definition: activation, residual, output scale.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_KERNELS_FINISH_SCALAR_H
#define WISP_KERNELS_FINISH_SCALAR_H

#include <stddef.h>

#include "../kernel.h"

/* The logistic function of -t; `t` in units, at most f->limit. Fractions of 32768. */
static inline int wisp_finish_falling(const wisp_finish *f, int t) {
  static const int16_t terms[WISP_SIGMOID_TERMS] = WISP_SIGMOID_POLYNOMIAL;
  const int w = 2 * t * f->fraction - 32768;
  int p = terms[WISP_SIGMOID_TERMS - 1];
  for (int i = WISP_SIGMOID_TERMS - 2; i >= 0; i--) p = wisp_q15(p, w) + terms[i];
  for (int i = 0; i < 2; i++) p = wisp_q15(p, p);
  return p;
}

/* x and the result are in units. */
static inline int wisp_finish_activate(const wisp_finish *f, int x) {
  const int t = wisp_min(x < 0 ? -x : x, f->limit), near = wisp_min(t, f->limit / 2);
  switch (f->activation) {
    case WISP_ACT_NONE: return x;
    case WISP_ACT_RELU: return wisp_max(x, 0);
    case WISP_ACT_LEAKY: return wisp_max(x, wisp_q15(x, f->slope));
    case WISP_ACT_SILU: return wisp_max(x, 0) - wisp_q15(t, wisp_finish_falling(f, t));
    case WISP_ACT_HARDSWISH:
      return wisp_max(x, 0) - wisp_q15(near, (f->limit / 2 - near) * f->fraction);
    case WISP_ACT_SIGMOID:
      return x < 0 ? wisp_finish_falling(f, t) : 32767 - wisp_finish_falling(f, t);
    case WISP_ACT_HARDSIGMOID: return (x >> 1) + 0x4000; /* x is in 32767ths of its range */
  }
  return x;
}

/* The definition of wisp_finish; `residual` may be NULL. */
static inline uint8_t wisp_finish_one(const wisp_finish *f, int32_t sum, float scale,
                                      const uint8_t *residual) {
  int y = wisp_finish_activate(f, wisp_sat16((int32_t)((float)sum * scale)));
  if (residual) {
    const int r = (*residual ^ f->flip) - f->residual_zero;
    y = wisp_sat16(y + wisp_q15(r * 128, f->residual_scale));
  }
  return (uint8_t)(wisp_clamp(wisp_q15(y, f->out_scale) + f->out_zero, 0, 255) ^ f->flip);
}

#endif
