/* round.c - rounds weights so that a convolution's outputs, not its weights, stay close.
 * SPDX-License-Identifier: Apache-2.0 */
#include "round.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solve.h"

/* Part of the mean energy that is added to every tap's: few pictures don't know everything. */
static const float DAMPING = 0.01f;

/* Covariance of taps i and j, in their units. */
static float covariance(const wisp_moments *moments, const float *step, int i, int j) {
  return wisp_moment_covariance(moments, i, j) / (step[i] * step[j]);
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

static int fill_order(wisp_rounder *rounder, const wisp_moments *moments, const float *step,
                      const int *kept) {
  ranked *taps = malloc((size_t)rounder->n * sizeof *taps);
  if (!taps) return 0;
  for (int i = 0; i < rounder->n; i++) {
    const int tap = kept ? kept[i] : i;
    taps[i] = (ranked){covariance(moments, step, tap, tap), tap};
  }
  qsort(taps, (size_t)rounder->n, sizeof *taps, by_energy);
  for (int i = 0; i < rounder->n; i++) rounder->order[i] = taps[i].tap;
  free(taps);
  return 1;
}

static float least_damping(const wisp_rounder *rounder, const wisp_moments *moments,
                           const float *step) {
  double total = 0;
  for (int i = 0; i < rounder->n; i++)
    total += (double)covariance(moments, step, rounder->order[i], rounder->order[i]);
  return total > 0 ? DAMPING * (float)(total / rounder->n) : 1;
}

/* The upper triangle of the covariance, damped. */
static void fill_covariance(wisp_rounder *rounder, const wisp_moments *moments, const float *step) {
  const int n = rounder->n;
  for (int i = 0; i < n; i++) {
    float *row = rounder->factor + (size_t)i * (size_t)n;
    for (int j = i; j < n; j++)
      row[j] = covariance(moments, step, rounder->order[i], rounder->order[j]);
    row[i] = fmaxf(row[i], 0) + rounder->damping;
  }
}

static void factor(wisp_rounder *rounder, const wisp_moments *moments, const float *step) {
  rounder->damping = least_damping(rounder, moments, step);
  for (;; rounder->damping *= WISP_SOLVE_MORE) {
    fill_covariance(rounder, moments, step);
    const float pivot =
        wisp_solve_factor(rounder->factor, rounder->n, rounder->damping, rounder->energy);
    if (!wisp_solve_is_noisy((double)pivot, (double)rounder->damping)) return;
  }
}

wisp_status wisp_round_open(wisp_rounder **out, const wisp_moments *moments, const float *step,
                            const int *kept, int count) {
  *out = NULL;
  wisp_rounder *rounder = calloc(1, sizeof *rounder);
  if (!rounder) return WISP_ERR_MEMORY;
  rounder->taps = moments->taps;
  rounder->n = kept ? count : moments->taps;
  const size_t n = (size_t)rounder->n + 1; /* of none, too */
  rounder->order = malloc(n * sizeof *rounder->order);
  rounder->factor = malloc(n * n * sizeof *rounder->factor);
  rounder->energy = malloc(n * sizeof *rounder->energy);
  rounder->errors = malloc(n * sizeof *rounder->errors);
  const int complete = rounder->order && rounder->factor && rounder->energy && rounder->errors;
  if (!complete || !fill_order(rounder, moments, step, kept)) {
    wisp_round_close(&rounder);
    return WISP_ERR_MEMORY;
  }
  factor(rounder, moments, step);
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

void wisp_round_solve(wisp_rounder *rounder, float *values) {
  const int n = rounder->n;
  for (int i = 0; i < n; i++) rounder->errors[i] = values[rounder->order[i]];
  wisp_solve_factored(rounder->factor, rounder->energy, n, rounder->errors);
  for (int k = 0; k < rounder->taps; k++) values[k] = 0;
  for (int i = 0; i < n; i++) values[rounder->order[i]] = rounder->errors[i];
}

double wisp_round(wisp_rounder *rounder, const float *weights, int low, int high,
                  int8_t *integers) {
  const int n = rounder->n;
  double total = 0;
  memset(integers, 0, (size_t)rounder->taps);
  for (int i = n - 1; i >= 0; i--) {
    const float *row = rounder->factor + (size_t)i * (size_t)n;
    const float weight = weights[rounder->order[i]];
    const float wanted = weight + wisp_solve_dot(row + i + 1, rounder->errors + i + 1, n - i - 1);
    const int chosen = weight == 0 ? 0 : (int)lrintf(fminf(fmaxf(wanted, (float)low), (float)high));
    const float miss = wanted - (float)chosen;
    integers[rounder->order[i]] = (int8_t)chosen;
    rounder->errors[i] = weight - (float)chosen;
    total += (double)rounder->energy[i] * miss * miss;
  }
  return total;
}
