/* round.h - rounds weights so that a convolution's outputs, not its weights, stay close.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Least squares in the metric of the real inputs: |R (w - q)|^2 with R'R their covariance. Going backwards through R,
 * each weight is rounded after it has taken over what the errors made so far leave to it. This is Babai's nearest
 * plane, and GPTQ (Frantar et al., 2022) in another order of words. */
#ifndef WISP_ROUND_H
#define WISP_ROUND_H

#include "observe.h"

typedef struct wisp_rounder {
  int taps;
  int *order;    /* [taps]: the tap of each row; the one of most energy is last and rounded first */
  float *factor; /* [taps][taps]: R, each row divided by its diagonal; only above the diagonal */
  float *energy; /* [taps]: the diagonal's squares */
  float *errors; /* [taps]: scratch */
} wisp_rounder;

/* `step` [taps] is the unit in which the integer inputs of each tap are counted. */
wisp_status wisp_round_open(wisp_rounder **rounder, const wisp_moments *moments, const float *step);
void wisp_round_close(wisp_rounder **rounder);

/* Rounds `weights` [taps], given in units, to integers low ... high. Returns the mean squared error that the output
 * suffers, in units. */
double wisp_round(wisp_rounder *rounder, const float *weights, int low, int high, int8_t *integers);

#endif
