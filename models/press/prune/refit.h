/* refit.h - a convolution that reads only some of its inputs: the weights with which its outputs stay closest.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_REFIT_H
#define WISP_REFIT_H

#include "calibrate/observe.h"

typedef struct wisp_refit {
  const wisp_moments *moments;
  const int *taps; /* [n] that are read, ascending; borrowed */
  int n, rows;
  /* [rows] of an output's squared error; NULL: all alike, over their variance */
  const double *importance;
  float *factor, *pivots;   /* [n][n], [n] of their covariance, as solve.h has them; then scratch */
  double *inverse, *column; /* [n][n] of it, and scratch */
  float *weights;           /* [rows][n] */
  double variance;          /* of all outputs */
} wisp_refit;

/* `weights` [rows][moments->taps] are those of a convolution that reads everything; only read here. `importance` is
 * borrowed, and may be NULL. */
wisp_status wisp_refit_open(wisp_refit **refit, const wisp_moments *moments, const float *weights,
                            const double *importance, int rows, const int *taps, int n);
void wisp_refit_close(wisp_refit **refit);

/* The new weights, [rows][moments->taps], zero where nothing is read. */
void wisp_refit_weights(const wisp_refit *refit, float *weights);

/* What more the outputs would lose, by their importance, without `count` of the taps, at most 225, from number `first`
 * of those read on, were the others refitted. */
double wisp_refit_loss(wisp_refit *refit, int first, int count);

#endif
