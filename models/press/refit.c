/* refit.c - a convolution that reads only some of its inputs: the weights with which its outputs stay closest.
 * SPDX-License-Identifier: Apache-2.0 */
#include "refit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Part of the mean variance that is added to every tap's: few pictures don't know everything. */
static const float DAMPING = 0.01f;

static float covariance(const wisp_moments *m, int i, int j) {
  float n = (float)m->weight;
  size_t at = i >= j ? wisp_moment_at(i, j) : wisp_moment_at(j, i);
  return m->products[at] / n - m->sums[i] / n * (m->sums[j] / n);
}

/* ---- triangles; rows of `n` numbers ---- */

/* Eight sums side by side, so that the compiler may use vectors. */
static float dot(const float *a, const float *b, int n) {
  float sums[8] = {0}, sum = 0;
  int i = 0;
  for (; i + 8 <= n; i += 8)
    for (int k = 0; k < 8; k++) sums[k] += a[i + k] * b[i + k];
  for (; i < n; i++) sum += a[i] * b[i];
  for (int k = 0; k < 8; k++) sum += sums[k];
  return sum;
}

static void factorise(float *a, int n, float least) {
  for (int i = 0; i < n; i++) {
    float *row = a + (size_t)i * (size_t)n;
    for (int j = 0; j <= i; j++) {
      const float *other = a + (size_t)j * (size_t)n;
      float sum = row[j] - dot(row, other, j);
      row[j] = j < i ? sum / other[j] : sqrtf(fmaxf(sum, least));
    }
  }
}

/* x = (L L')^-1 x */
static void solve(const float *factor, int n, float *x) {
  for (int i = 0; i < n; i++) {
    const float *row = factor + (size_t)i * (size_t)n;
    x[i] = (x[i] - dot(row, x, i)) / row[i];
  }
  for (int i = n - 1; i >= 0; i--) {
    const float *row = factor + (size_t)i * (size_t)n;
    x[i] /= row[i];
    for (int k = 0; k < i; k++) x[k] -= row[k] * x[i];
  }
}

/* ---- open ---- */

static void fill_factor(wisp_refit *r) {
  double total = 0;
  for (int i = 0; i < r->n; i++) {
    float *row = r->factor + (size_t)i * (size_t)r->n;
    for (int j = 0; j <= i; j++) row[j] = covariance(r->moments, r->taps[i], r->taps[j]);
    total += (double)row[i];
  }
  float damping = total > 0 ? DAMPING * (float)(total / r->n) : 1;
  for (int i = 0; i < r->n; i++) r->factor[(size_t)i * (size_t)r->n + (size_t)i] += damping;
  factorise(r->factor, r->n, damping);
}

/* One row's products with the covariance of everything: v = C w. */
static void multiply(const wisp_moments *m, const float *weights, float *v) {
  float n = (float)m->weight, mean = dot(m->sums, weights, m->taps) / n;
  for (int i = 0; i < m->taps; i++) {
    const float *row = m->products + wisp_moment_at(i, 0);
    float weight = weights[i];
    v[i] = row[i] * weight + dot(row, weights, i);
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
  solve(r->factor, r->n, row);
}

static void fill_inverse(wisp_refit *r) {
  size_t n = (size_t)r->n;
  memset(r->inverse, 0, n * n * sizeof *r->inverse);
  for (size_t i = 0; i < n; i++) {
    const float *factor = r->factor + i * n;
    float *row = r->inverse + i * n;
    for (size_t k = 0; k < i; k++) {
      const float *above = r->inverse + k * n;
      for (size_t j = 0; j <= k; j++) row[j] -= factor[k] * above[j];
    }
    for (size_t j = 0; j < i; j++) row[j] /= factor[i];
    row[i] = 1 / factor[i];
  }
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
  size_t size = (size_t)n * (size_t)n + 1;
  r->factor = malloc(size * sizeof *r->factor);
  r->inverse = malloc(size * sizeof *r->inverse);
  r->weights = malloc((size_t)rows * (size_t)n * sizeof *r->weights + 1);
  float *products = malloc((size_t)moments->taps * sizeof *products);
  if (!r->factor || !r->inverse || !r->weights || !products) {
    free(products);
    wisp_refit_close(&r);
    return WISP_ERR_MEMORY;
  }
  fill_factor(r);
  for (int o = 0; o < rows; o++)
    fill_row(r, weights + (size_t)o * (size_t)moments->taps, r->weights + (size_t)o * (size_t)n,
             products);
  fill_inverse(r);
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

/* The taps' part of the covariance's inverse, which is M'M with M = L's inverse. */
static void fill_block(const wisp_refit *r, int first, int count, float *block) {
  memset(block, 0, (size_t)count * (size_t)count * sizeof *block);
  for (int k = first; k < r->n; k++) {
    const float *row = r->inverse + (size_t)k * (size_t)r->n + first;
    for (int i = 0; i < count; i++)
      for (int j = 0; j <= i; j++) block[i * count + j] += row[i] * row[j];
  }
}

double wisp_refit_loss(wisp_refit *r, int first, int count) {
  float *block = malloc((size_t)count * (size_t)count * sizeof *block), x[MOST];
  double loss = 0;
  if (!block || r->variance <= 0) {
    free(block);
    return block ? 0 : INFINITY;
  }
  fill_block(r, first, count, block);
  factorise(block, count, 1e-30f);
  for (int o = 0; o < r->rows; o++) {
    const float *weights = r->weights + (size_t)o * (size_t)r->n + first;
    memcpy(x, weights, (size_t)count * sizeof *x);
    solve(block, count, x);
    const double share = r->importance ? r->importance[o] : 1 / r->variance;
    for (int i = 0; i < count; i++) loss += share * (double)x[i] * (double)weights[i];
  }
  free(block);
  return loss;
}
