/* solve.c - symmetric positive definite matrices: factors, solutions, inverses.
 * SPDX-License-Identifier: Apache-2.0 */
#include "solve.h"

#include <math.h>
#include <stddef.h>

/* Eight sums side by side, so that the compiler may use vectors. */
float wisp_solve_dot(const float *a, const float *b, int n) {
  float sums[8] = {0};
  int i = 0;
  for (; i + 8 <= n; i += 8)
    for (int k = 0; k < 8; k++) sums[k] += a[i + k] * b[i + k];
  float sum = 0;
  for (; i < n; i++) sum += a[i] * b[i];
  for (int k = 0; k < 8; k++) sum += sums[k];
  return sum;
}

/* Cholesky: row by row, and what is left of A below shrinks. */
float wisp_solve_factor(float *a, int n, float least, float *pivots) {
  float smallest = INFINITY;
  for (int i = 0; i < n; i++) {
    float *row = a + (size_t)i * (size_t)n;
    const float pivot = fmaxf(row[i], least);
    smallest = fminf(smallest, row[i]);
    pivots[i] = pivot;
    for (int k = i + 1; k < n; k++) row[k] /= pivot;
    for (int j = i + 1; j < n; j++) {
      float *below = a + (size_t)j * (size_t)n;
      const float share = row[j] * pivot;
      for (int k = j; k < n; k++) below[k] -= share * row[k];
    }
  }
  return smallest;
}

/* Without noise no pivot is smaller than what was added to the whole diagonal. */
int wisp_solve_is_noisy(double pivot, double damping) {
  return pivot < damping / 2 && isfinite(damping * WISP_SOLVE_MORE);
}

void wisp_solve_factored(const float *factor, const float *pivots, int n, float *b) {
  for (int i = 0; i < n; i++) {
    const float *row = factor + (size_t)i * (size_t)n;
    for (int k = i + 1; k < n; k++) b[k] -= row[k] * b[i];
  }
  for (int i = n - 1; i >= 0; i--) {
    const float *row = factor + (size_t)i * (size_t)n;
    b[i] = b[i] / pivots[i] - wisp_solve_dot(row + i + 1, b + i + 1, n - i - 1);
  }
}

/* ---- the inverse, by sweeping one variable after the other ---- */

typedef struct sweep {
  double *a;
  double *column; /* [n] of the variable, before */
  int n, variable, rows;
} sweep;

static void sweep_task(void *context, int strip) {
  const sweep *s = context;
  const int first = strip * s->rows, end = first + s->rows < s->n ? first + s->rows : s->n;
  const double pivot = s->column[s->variable];
  for (int i = first; i < end; i++) {
    double *row = s->a + (size_t)i * (size_t)s->n, share = s->column[i] / pivot;
    if (i == s->variable) continue;
    for (int j = 0; j <= i; j++) row[j] -= share * s->column[j];
    if (s->variable < i) row[s->variable] = share;
  }
  if (s->variable < first || s->variable >= end) return;
  double *row = s->a + (size_t)s->variable * (size_t)s->n;
  for (int j = 0; j < s->variable; j++) row[j] = s->column[j] / pivot;
  row[s->variable] = -1 / pivot;
}

double wisp_solve_invert(double *a, double *column, int n, wisp_pool *pool) {
  enum { ROWS = 64 };
  sweep s = {.a = a, .column = column, .n = n, .rows = ROWS};
  double smallest = INFINITY;
  for (s.variable = 0; s.variable < n; s.variable++) {
    for (int i = 0; i < n; i++)
      column[i] = i <= s.variable ? a[(size_t)s.variable * (size_t)n + (size_t)i]
                                  : a[(size_t)i * (size_t)n + (size_t)s.variable];
    smallest = fmin(smallest, column[s.variable]);
    wisp_pool_run(pool, sweep_task, &s, (n + ROWS - 1) / ROWS);
  }
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) a[(size_t)i * (size_t)n + (size_t)j] *= -1;
  return smallest;
}
