/* round.h - rounds weights so that a convolution's outputs, not its weights, stay close.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Least squares in the metric of the real inputs: |R (w - q)|^2 with R'R their covariance. Going backwards through R,
 * each weight is rounded after it has taken over what the errors made so far leave to it. This is Babai's nearest
 * plane, and GPTQ (Frantar et al., 2022) in another order of words. */
#ifndef WISP_ROUND_H
#define WISP_ROUND_H

#include "calibrate/moments.h"

typedef struct wisp_rounder {
  int taps, n;   /* all of the layer's; those that may be other than zero */
  float damping; /* that was added to the covariance's diagonal */
  int *order;    /* [n]: the tap of each row; the one of most energy is last and rounded first */
  float *factor; /* [n][n]: R, each row divided by its diagonal; only above the diagonal */
  float *energy; /* [n]: the diagonal's squares */
  float *errors; /* [n]: scratch */
} wisp_rounder;

/* `step` [taps] is the unit in which the integer inputs of each tap are counted. `kept` [n] are the taps that may be
 * other than zero; NULL: all. */
wisp_status wisp_round_open(wisp_rounder **rounder, const wisp_moments *moments, const float *step,
                            const int *kept, int n);
void wisp_round_close(wisp_rounder **rounder);

/* The weights [taps] whose products with the damped covariance are `values` [taps], in place; zero where not kept. */
void wisp_round_solve(wisp_rounder *rounder, float *values);

/* Rounds `weights` [taps], given in units, to integers low ... high, zero where not kept and where the weight
 * is: a network that was pruned stays so. Returns the mean squared error that the output suffers, in units. */
double wisp_round(wisp_rounder *rounder, const float *weights, int low, int high, int8_t *integers);

#endif
