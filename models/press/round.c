/* round.c - rounds weights so that a convolution's outputs, not its weights, stay close.
 * SPDX-License-Identifier: Apache-2.0 */
#include "round.h"

#include <math.h>
#include <stdlib.h>

/* Part of the mean energy that is added to every tap's: few pictures don't know everything. */
static const float DAMPING = 0.01f;

/* Covariance of taps i and j, in their units. */
static float covariance(const wisp_moments *moments, const float *step, int i, int j) {
  float n = (float)moments->samples;
  size_t at = i >= j ? wisp_moment_at(i, j) : wisp_moment_at(j, i);
  float product = moments->products[at] / n - moments->sums[i] / n * (moments->sums[j] / n);
  return product / (step[i] * step[j]);
}

typedef struct ranked {
  float energy;
  int tap;
} ranked;

static int by_energy(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  if (x->energy != y->energy) return x->energy < y->energy ? -1 : 1;
  return x->tap - y->tap;
}

static int fill_order(wisp_rounder *rounder, const wisp_moments *moments, const float *step) {
  ranked *taps = malloc((size_t)rounder->taps * sizeof *taps);
  if (!taps) return 0;
  for (int i = 0; i < rounder->taps; i++) taps[i] = (ranked){covariance(moments, step, i, i), i};
  qsort(taps, (size_t)rounder->taps, sizeof *taps, by_energy);
  for (int i = 0; i < rounder->taps; i++) rounder->order[i] = taps[i].tap;
  free(taps);
  return 1;
}

/* The upper triangle of the covariance, damped. */
static void fill_covariance(wisp_rounder *rounder, const wisp_moments *moments, const float *step) {
  int n = rounder->taps;
  double total = 0;
  for (int i = 0; i < n; i++) {
    float *row = rounder->factor + (size_t)i * (size_t)n;
    for (int j = i; j < n; j++)
      row[j] = covariance(moments, step, rounder->order[i], rounder->order[j]);
    total += row[i];
  }
  float damping = total > 0 ? DAMPING * (float)(total / n) : 1;
  for (int i = 0; i < n; i++) {
    float *diagonal = rounder->factor + (size_t)i * (size_t)n + i;
    *diagonal = fmaxf(*diagonal, 0) + damping;
    rounder->energy[i] = damping; /* no pivot may fall below it */
  }
}

/* Cholesky, in place: the covariance becomes R, row by row, and what is left of it below shrinks. */
static void factorise(wisp_rounder *rounder) {
  int n = rounder->taps;
  for (int i = 0; i < n; i++) {
    float *row = rounder->factor + (size_t)i * (size_t)n;
    float pivot = fmaxf(row[i], rounder->energy[i]);
    rounder->energy[i] = pivot;
    for (int k = i + 1; k < n; k++) row[k] /= pivot;
    for (int j = i + 1; j < n; j++) {
      float *below = rounder->factor + (size_t)j * (size_t)n;
      float share = row[j] * pivot;
      for (int k = j; k < n; k++) below[k] -= share * row[k];
    }
  }
}

wisp_status wisp_round_open(wisp_rounder **out, const wisp_moments *moments, const float *step) {
  *out = NULL;
  wisp_rounder *rounder = calloc(1, sizeof *rounder);
  if (!rounder) return WISP_ERR_MEMORY;
  size_t n = (size_t)moments->taps;
  rounder->taps = moments->taps;
  rounder->order = malloc(n * sizeof *rounder->order);
  rounder->factor = malloc(n * n * sizeof *rounder->factor);
  rounder->energy = malloc(n * sizeof *rounder->energy);
  rounder->errors = malloc(n * sizeof *rounder->errors);
  int complete = rounder->order && rounder->factor && rounder->energy && rounder->errors;
  if (!complete || !fill_order(rounder, moments, step)) {
    wisp_round_close(&rounder);
    return WISP_ERR_MEMORY;
  }
  fill_covariance(rounder, moments, step);
  factorise(rounder);
  *out = rounder;
  return WISP_OK;
}

void wisp_round_close(wisp_rounder **out) {
  wisp_rounder *rounder = *out;
  if (!rounder) return;
  *out = NULL;
  free(rounder->order);
  free(rounder->factor);
  free(rounder->energy);
  free(rounder->errors);
  free(rounder);
}

/* Eight sums side by side, so that the compiler may use vectors. */
static float dot(const float *a, const float *b, int n) {
  float sums[8] = {0};
  int i = 0;
  for (; i + 8 <= n; i += 8)
    for (int k = 0; k < 8; k++) sums[k] += a[i + k] * b[i + k];
  float sum = 0;
  for (; i < n; i++) sum += a[i] * b[i];
  for (int k = 0; k < 8; k++) sum += sums[k];
  return sum;
}

double wisp_round(wisp_rounder *rounder, const float *weights, int low, int high,
                  int8_t *integers) {
  int n = rounder->taps;
  double total = 0;
  for (int i = n - 1; i >= 0; i--) {
    const float *row = rounder->factor + (size_t)i * (size_t)n;
    float weight = weights[rounder->order[i]];
    float wanted = weight + dot(row + i + 1, rounder->errors + i + 1, n - i - 1);
    int chosen = (int)lrintf(fminf(fmaxf(wanted, (float)low), (float)high));
    float miss = wanted - (float)chosen;
    integers[rounder->order[i]] = (int8_t)chosen;
    rounder->errors[i] = weight - (float)chosen;
    total += (double)rounder->energy[i] * miss * miss;
  }
  return total;
}
