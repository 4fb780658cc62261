/* integers.h - the weights of one output channel -> its scale and integers.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Weights are counted in the units of the integer inputs: times the step of what each tap reads. */
#ifndef WISP_INTEGERS_H
#define WISP_INTEGERS_H

#include "round.h"

/* What the channels of a layer share, and one thread's scratch. */
typedef struct wisp_integers {
  int taps, bits;
  float finest;          /* the least scale, in root mean squares of the weights that aren't zero */
  wisp_rounder *rounder; /* NULL: each weight to the nearest */
  const float *energy;   /* [taps] mean square of the input, in its units */
  float *scratch;        /* [taps] */
} wisp_integers;

/* What the integer inputs of each tap count: `step` and `energy` [taps]. */
void wisp_integers_units(const wisp_net *net, const wisp_net_layer *layer,
                         const wisp_moments *moments, float *step, float *energy);

/* Chooses the scale, which it returns, and rounds. `bias` must fit the sum. `error`, which may be NULL, becomes
 * the mean squared error of the output. */
float wisp_integers_run(const wisp_integers *integers, const float *weights, float bias,
                        int8_t *rounded, double *error);

/* The least scale with which the bias leaves room for the rest of the sum. */
float wisp_integers_least_scale(float bias);

/* WISP_ERR_LIMIT where the sum could leave FORMAT.md's range. */
wisp_status wisp_integers_check(const int8_t *rounded, int taps, float scale, float bias);

#endif
