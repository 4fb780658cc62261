/* moments.h - the first and second moments of the windows that a convolution reads.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_MOMENTS_H
#define WISP_MOMENTS_H

#include <stddef.h>

#include "core/src/pool.h"
#include "net.h"

enum { WISP_MOMENT_STRIP = 8 /* rows of products that lie together */ };

/* Weighted sums over windows x [taps]: of x and of the products x x'. Of the symmetric products the lower triangle is
 * kept, in strips of eight rows: strip b is f32 [8][8 * (b + 1)]. */
typedef struct wisp_moments {
  int taps;
  double weight; /* of all windows; their number if each weighs 1 */
  float *sums;   /* [taps] */
  float *products;
} wisp_moments;

/* WISP_ERR_MEMORY leaves them closed. */
wisp_status wisp_moments_open(wisp_moments *moments, int taps);
void wisp_moments_close(wisp_moments *moments);

/* Floats of a window, rounded up. */
int wisp_moments_width(int taps);

/* Adds `n` windows f32 [n][width], zero past their taps. `weights` [n] may be NULL: all 1; else the windows are
 * scaled by their roots. */
void wisp_moments_add(wisp_moments *moments, float *windows, const float *weights, int n,
                      wisp_pool *pool);

/* Where the sum of x[i] x[j] is, j <= i. */
static inline size_t wisp_moment_at(int i, int j) {
  size_t strip = (size_t)(i / WISP_MOMENT_STRIP);
  size_t before = strip * (strip + 1) / 2 * WISP_MOMENT_STRIP * WISP_MOMENT_STRIP;
  return before + (size_t)(i % WISP_MOMENT_STRIP) * (strip + 1) * WISP_MOMENT_STRIP + (size_t)j;
}

/* The covariance of x[i] and x[j]. */
static inline float wisp_moment_covariance(const wisp_moments *m, int i, int j) {
  float n = (float)m->weight;
  size_t at = i >= j ? wisp_moment_at(i, j) : wisp_moment_at(j, i);
  return m->products[at] / n - m->sums[i] / n * (m->sums[j] / n);
}

#endif
