/* solve.h - symmetric positive definite matrices: factors, solutions, inverses.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Matrices are dense, row after row. Of a symmetric one only one triangle is read. */
#ifndef WISP_SOLVE_H
#define WISP_SOLVE_H

#include "core/src/pool.h"

/* A [n][n], its upper triangle, becomes U with A = U' D U: above the diagonal U's rows, whose diagonal is 1; D goes to
 * `pivots` [n]. No pivot falls below `least` > 0. Returns the smallest that would have been: what is below `least` is
 * noise in A. */
float wisp_solve_factor(float *a, int n, float least, float *pivots);

/* Solves U' D U x = b in place. */
void wisp_solve_factored(const float *factor, const float *pivots, int n, float *b);

/* A [n][n], its lower triangle, becomes the lower triangle of its inverse. `column` [n] is scratch. Returns the
 * smallest pivot. */
double wisp_solve_invert(double *a, double *column, int n, wisp_pool *pool);

/* Whether a covariance damped by `damping` is so noisy, its smallest pivot being `pivot`, that what it says must not be
 * believed: inputs that hardly vary, in sums of floats. Then more damping is needed. */
int wisp_solve_is_noisy(double pivot, double damping);

/* How much more. */
enum { WISP_SOLVE_MORE = 10 };

/* Sums of products in an order that doesn't depend on the machine. */
float wisp_solve_dot(const float *a, const float *b, int n);

#endif
