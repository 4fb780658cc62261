/* moments.c - the first and second moments of the windows that a convolution reads.
 * SPDX-License-Identifier: Apache-2.0 */
#include "moments.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { STRIP = WISP_MOMENT_STRIP };

/* More than a process can have, and some allocators don't see the product overflow. */
static const double MOST_PRODUCTS = (double)(PTRDIFF_MAX / 4);

int wisp_moments_width(int taps) { return (taps + STRIP - 1) / STRIP * STRIP; }

wisp_status wisp_moments_open(wisp_moments *moments, int taps) {
  *moments = (wisp_moments){.taps = taps};
  if ((double)taps * taps > MOST_PRODUCTS)
    return WISP_ERR_MEMORY; /* a triangle of floats, and room to spare */
  moments->sums = calloc((size_t)taps, sizeof *moments->sums);
  moments->products =
      calloc(wisp_moment_at(wisp_moments_width(taps), 0), sizeof *moments->products);
  if (moments->sums && moments->products) return WISP_OK;
  wisp_moments_close(moments);
  return WISP_ERR_MEMORY;
}

void wisp_moments_close(wisp_moments *moments) {
  free(moments->sums);
  free(moments->products);
  moments->sums = moments->products = NULL;
}

typedef struct products_job {
  const float *windows;
  int n;
  wisp_moments *moments;
} products_job;

/* Adds the products of eight taps, from `i` on, with eight taps from `j` on; `sums` has `pitch` numbers a row. */
static void add_products(const products_job *job, int width, int i, int j, float *sums, int pitch) {
  float block[STRIP][STRIP] = {{0}};
  const float *window = job->windows;
  for (int s = 0; s < job->n; s++, window += width)
    for (int r = 0; r < STRIP; r++)
      for (int k = 0; k < STRIP; k++) block[r][k] += window[i + r] * window[j + k];
  for (int r = 0; r < STRIP; r++)
    for (int k = 0; k < STRIP; k++) sums[r * pitch + k] += block[r][k];
}

static void products_task(void *context, int strip) {
  const products_job *job = context;
  const int width = wisp_moments_width(job->moments->taps), first = strip * STRIP;
  float *sums = job->moments->products + wisp_moment_at(first, 0);
  for (int j = 0; j <= first; j += STRIP)
    add_products(job, width, first, j, sums + j, first + STRIP);
}

void wisp_moments_add(wisp_moments *moments, float *windows, const float *weights, int n,
                      wisp_pool *pool) {
  const int width = wisp_moments_width(moments->taps);
  for (int s = 0; s < n; s++) {
    float *window = windows + (size_t)s * (size_t)width, weight = weights ? weights[s] : 1;
    for (int k = 0; k < moments->taps; k++) moments->sums[k] += weight * window[k];
    moments->weight += (double)weight;
    if (!weights) continue;
    const float root = sqrtf(weight);
    for (int k = 0; k < moments->taps; k++) window[k] *= root;
  }
  products_job job = {windows, n, moments};
  wisp_pool_run(pool, products_task, &job, width / STRIP);
}
