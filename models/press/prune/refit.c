/* refit.c - a convolution that reads only some of its inputs: the weights with which its outputs stay closest.
 * SPDX-License-Identifier: Apache-2.0 */
#include "refit.h"

#include <stdlib.h>
#include <string.h>

#include "round/solve.h"

/* Part of the mean variance that is added to every tap's: few pictures don't know everything. */
static const float DAMPING = 0.01f;

/* ---- open ---- */

static float least_damping(const wisp_refit *r) {
  double total = 0;
  for (int i = 0; i < r->n; i++)
    total += (double)wisp_moment_covariance(r->moments, r->taps[i], r->taps[i]);
  return total > 0 ? DAMPING * (float)(total / r->n) : 1;
}

/* Both read one triangle of the damped covariance. */
static void fill_matrices(wisp_refit *r, float damping) {
  const size_t n = (size_t)r->n;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j <= i; j++) {
      const float shared = wisp_moment_covariance(r->moments, r->taps[i], r->taps[j]);
      r->factor[j * n + i] = shared;
      r->inverse[i * n + j] = (double)shared;
    }
    r->factor[i * n + i] += damping;
    r->inverse[i * n + i] += (double)damping;
  }
}

static void solve(wisp_refit *r) {
  for (float damping = least_damping(r);; damping *= WISP_SOLVE_MORE) {
    fill_matrices(r, damping);
    const float pivot = wisp_solve_factor(r->factor, r->n, damping, r->pivots);
    if (!wisp_solve_is_noisy((double)pivot, (double)damping)) break;
  }
  wisp_solve_invert(r->inverse, r->column, r->n, NULL);
}

/* One row's products with the covariance of everything: v = C w. */
static void multiply(const wisp_moments *m, const float *weights, float *v) {
  const float n = (float)m->weight, mean = wisp_solve_dot(m->sums, weights, m->taps) / n;
  for (int i = 0; i < m->taps; i++) {
    const float *row = m->products + wisp_moment_at(i, 0);
    const float weight = weights[i];
    v[i] = row[i] * weight + wisp_solve_dot(row, weights, i);
    for (int j = 0; j < i; j++) v[j] += row[j] * weight;
  }
  for (int i = 0; i < m->taps; i++) v[i] = (v[i] - m->sums[i] * mean) / n;
}

static void fill_row(wisp_refit *r, const float *weights, float *row, float *products) {
  multiply(r->moments, weights, products);
  for (int k = 0; k < r->moments->taps; k++)
    r->variance += (double)weights[k] * (double)products[k];
  if (r->n == r->moments->taps) { /* nothing to make up for */
    memcpy(row, weights, (size_t)r->n * sizeof *row);
    return;
  }
  for (int k = 0; k < r->n; k++) row[k] = products[r->taps[k]];
  wisp_solve_factored(r->factor, r->pivots, r->n, row);
}

wisp_status wisp_refit_open(wisp_refit **out, const wisp_moments *moments, const float *weights,
                            const double *importance, int rows, const int *taps, int n) {
  *out = NULL;
  wisp_refit *r = calloc(1, sizeof *r);
  if (!r) return WISP_ERR_MEMORY;
  r->moments = moments;
  r->taps = taps;
  r->n = n;
  r->rows = rows;
  r->importance = importance;
  const size_t size = (size_t)n * (size_t)n + 1, line = (size_t)n + 1;
  r->factor = malloc(size * sizeof *r->factor);
  r->inverse = malloc(size * sizeof *r->inverse);
  r->pivots = malloc(line * sizeof *r->pivots);
  r->column = malloc(line * sizeof *r->column);
  r->weights = malloc((size_t)rows * (size_t)n * sizeof *r->weights + 1);
  float *products = malloc((size_t)moments->taps * sizeof *products);
  const int complete = r->factor && r->inverse && r->pivots && r->column && r->weights && products;
  if (!complete) {
    free(products);
    wisp_refit_close(&r);
    return WISP_ERR_MEMORY;
  }
  solve(r);
  for (int o = 0; o < rows; o++)
    fill_row(r, weights + (size_t)o * (size_t)moments->taps, r->weights + (size_t)o * (size_t)n,
             products);
  free(products);
  *out = r;
  return WISP_OK;
}

void wisp_refit_close(wisp_refit **out) {
  wisp_refit *r = *out;
  if (!r) return;
  *out = NULL;
  free(r->factor);
  free(r->inverse);
  free(r->pivots);
  free(r->column);
  free(r->weights);
  free(r);
}

/* ---- results ---- */

void wisp_refit_weights(const wisp_refit *r, float *weights) {
  memset(weights, 0, (size_t)r->rows * (size_t)r->moments->taps * sizeof *weights);
  for (int o = 0; o < r->rows; o++)
    for (int k = 0; k < r->n; k++)
      weights[(size_t)o * (size_t)r->moments->taps + (size_t)r->taps[k]] =
          r->weights[(size_t)o * (size_t)r->n + (size_t)k];
}

enum { MOST = 225 /* taps of a channel: a kernel of 15x15 */ };

/* Optimal Brain Surgeon: w' (the block of the inverse)^-1 w for each output. */
double wisp_refit_loss(wisp_refit *r, int first, int count) {
  float *block = r->factor, pivots[MOST], x[MOST];
  double loss = 0;
  if (r->variance <= 0) return 0;
  for (int i = 0; i < count; i++)
    for (int j = i; j < count; j++)
      block[i * count + j] =
          (float)r->inverse[(size_t)(first + j) * (size_t)r->n + (size_t)(first + i)];
  wisp_solve_factor(block, count, 1e-30f, pivots);
  for (int o = 0; o < r->rows; o++) {
    const float *weights = r->weights + (size_t)o * (size_t)r->n + first;
    const double share = r->importance ? r->importance[o] : 1 / r->variance;
    memcpy(x, weights, (size_t)count * sizeof *x);
    wisp_solve_factored(block, pivots, count, x);
    loss += share * (double)wisp_solve_dot(x, weights, count);
  }
  return loss;
}
