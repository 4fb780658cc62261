/* base.h - the words everyone shares: integers, the requantisation arithmetic, a borrowed tensor view.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_BASE_H
#define WISP_BASE_H

#include <stdint.h>

#include "format.h"

enum {
  WISP_LANES = 4, /* channels in a plane and in a weight block */
  WISP_GREY = 114 /* the letterbox border (Ultralytics YOLOv5, augmentations.py) */
};

static inline int wisp_min(int a, int b) { return a < b ? a : b; }
static inline int wisp_max(int a, int b) { return a > b ? a : b; }
static inline int wisp_clamp(int v, int low, int high) { return wisp_min(wisp_max(v, low), high); }
/* x / by, rounded down and up; by > 0. */
static inline int wisp_floor_div(int x, int by) { return x >= 0 ? x / by : -((by - 1 - x) / by); }
static inline int wisp_ceil_div(int x, int by) { return -wisp_floor_div(-x, by); }
static inline int wisp_planes(int channels) { return (channels + WISP_LANES - 1) / WISP_LANES; }

/* ---- requantisation arithmetic: the definition; kernels/simd.h has the same on eight lanes ---- */

/* The rounded product of two fractions of 32768; not both -32768. */
static inline int wisp_q15(int a, int b) { return (a * b + 0x4000) >> 15; }

static inline int wisp_sat16(int v) { return wisp_clamp(v, -32768, 32767); }

/* The logistic function of -t on 0 <= t <= WISP_SIGMOID_RANGE is p(w)^4, w = 2 t / WISP_SIGMOID_RANGE - 1, with the
 * polynomial p below in fractions of 32768, lowest power first: least largest error of t * p^4, found by iterated
 * linear programming. t * p^4 is off by at most 0.0006, p^4 by 0.002. */
#define WISP_SIGMOID_RANGE 10
enum { WISP_SIGMOID_TERMS = 6 };
#define WISP_SIGMOID_POLYNOMIAL {9384, -11471, 7069, -3856, -1133, 3066}

enum { WISP_RATIO_ONE = 1 << 16, WISP_RATIO_MOST = 1 << 23 /* times any byte, it has 31 bits */ };

/* The mean of `n` numbers that sum to `sum`, times `ratio` of WISP_RATIO_ONE, rounded; n * 255 and more is never
 * summed up to 2^35. */
static inline int wisp_mean(int64_t sum, int64_t n, int32_t ratio) {
  const int64_t twice = 2 * sum * ratio + n * WISP_RATIO_ONE, by = 2 * n * WISP_RATIO_ONE;
  return (int)(twice / by - (twice % by < 0));
}

/* A byte less its zero point, times `ratio` of WISP_RATIO_ONE, rounded. */
static inline int wisp_factor(int byte, int zero_point, int32_t ratio) {
  return ((byte - zero_point) * ratio + WISP_RATIO_ONE / 2) >> 16;
}

/* How a 32-bit sum becomes a byte (wisp_finish in kernels/finish_scalar.h is the definition). The sum is brought to a
 * 16-bit fixed-point number whose unit is chosen by finish.c, activated, added to the residual, and scaled to bytes. */
typedef struct wisp_finish {
  wisp_activation activation;
  int16_t limit;     /* the activation's range (operation.c) in units */
  int16_t fraction;  /* a unit in 32768ths of the limit: limit * fraction ~ 32767 */
  int16_t slope;     /* of leaky ReLU, q15 */
  int16_t out_scale; /* units of y -> output bytes, q15 */
  int16_t out_zero;
  int16_t residual_scale; /* residual bytes << 7 -> units of y, q15 */
  int16_t residual_zero;
  uint8_t flip; /* xor-ed to every activation byte read or written: 0 or 0x80 */
} wisp_finish;

/* u8 [planes][height][pitch][4], borrowed. Pixel (y, x) of plane p is data[p * plane + (y * pitch + x) * 4 + lane].
 * Around each plane lie `pad` rows above and below that hold the zero point; between the end of a row and the
 * start of the next lie pitch - width pixels that do so too and serve both. */
typedef struct wisp_view {
  uint8_t *data; /* pixel (0, 0) of plane 0 */
  int channels, height, width;
  int pitch; /* pixels from row to row */
  int pad;   /* border rows */
  int plane; /* bytes from plane to plane */
} wisp_view;

#endif
