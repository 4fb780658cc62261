/* f32x4.h - four floats, which every compiler turns into the machine's vectors: the press computes with them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_KERNELS_F32X4_H
#define WISP_KERNELS_F32X4_H

#include <stdint.h>
#include <string.h>

typedef float wisp_f32x4 __attribute__((vector_size(16)));
typedef int32_t wisp_i32x4 __attribute__((vector_size(16)));

static inline wisp_f32x4 wisp_load_x4(const float *from) {
  wisp_f32x4 v;
  memcpy(&v, from, sizeof v);
  return v;
}

static inline void wisp_store_x4(float *to, wisp_f32x4 v) { memcpy(to, &v, sizeof v); }

static inline wisp_f32x4 wisp_splat_x4(float v) { return (wisp_f32x4){v, v, v, v}; }

/* `yes` where the mask is all ones, `no` where it is zero. */
static inline wisp_f32x4 wisp_choose_x4(wisp_i32x4 mask, wisp_f32x4 yes, wisp_f32x4 no) {
  return (wisp_f32x4)((mask & (wisp_i32x4)yes) | (~mask & (wisp_i32x4)no));
}

static inline wisp_f32x4 wisp_clamp_x4(wisp_f32x4 v, float low, float high) {
  v = wisp_choose_x4(v < wisp_splat_x4(low), wisp_splat_x4(low), v);
  return wisp_choose_x4(v > wisp_splat_x4(high), wisp_splat_x4(high), v);
}

/* e^x by 2^n * e^r, |r| <= ln 2 / 2, with e^r's Taylor polynomial: off by some 1e-7 of itself. */
static inline wisp_f32x4 wisp_exp_x4(wisp_f32x4 x) {
  x = wisp_clamp_x4(x, -87.0f, 88.0f);
  const wisp_f32x4 round =
      wisp_splat_x4(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
  wisp_f32x4 n = x * wisp_splat_x4(1.44269504f) + round;
  const wisp_i32x4 exponent = (wisp_i32x4)n - (wisp_i32x4)round;
  n -= round;
  const wisp_f32x4 r = x - n * wisp_splat_x4(0.693359375f) +
                       n * wisp_splat_x4(2.12194440e-4f); /* ln 2 in two parts */
  wisp_f32x4 p = wisp_splat_x4(1.0f / 720);
  p = p * r + wisp_splat_x4(1.0f / 120);
  p = p * r + wisp_splat_x4(1.0f / 24);
  p = p * r + wisp_splat_x4(1.0f / 6);
  p = p * r + wisp_splat_x4(0.5f);
  p = p * r + wisp_splat_x4(1);
  p = p * r + wisp_splat_x4(1);
  return p * (wisp_f32x4)((exponent + 127) << 23);
}

#endif
