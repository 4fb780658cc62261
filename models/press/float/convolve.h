/* convolve.h - the float convolution: strips of output rows, four channels by eight pixels at a time.
 * SPDX-License-Identifier: Apache-2.0
 *
 * No im2col: tensors have borders of zeros, so that a tap is a distance in memory. Neighbouring outputs must read
 * neighbouring numbers; where the stride is larger, `wisp_convolve_unzip` lays the input out so first. */
#ifndef WISP_CONVOLVE_H
#define WISP_CONVOLVE_H

#include <stdint.h>

#include "floats.h"
#include "net.h"

enum { WISP_CONVOLVE_CHANNELS = 4, WISP_CONVOLVE_PIXELS = 8 };

/* A convolution with fixed addresses; all borrowed. */
typedef struct wisp_convolve {
  const float *weights;   /* [channels / 4, rounded up][taps][4], zero past the last channel */
  const float *bias;      /* [channels, rounded up to 4] */
  const int32_t *offsets; /* [taps] floats from a window's origin */
  int taps;
  const float *input; /* origin of the window of output (0, 0) */
  size_t input_step;  /* floats from the windows of a row to those of the next */
  wisp_activation activation;
  float slope;
  wisp_floats output;
  wisp_floats residual; /* added after the activation; data is NULL if there is none */
} wisp_convolve;

/* Fills `weights` and `bias` of a wisp_convolve from [channels][taps] and [channels]. */
void wisp_convolve_weights(const float *from, const float *from_bias, int channels, int taps,
                           float *weights, float *bias);

/* One channel: out = activation(sums) + residual; `residual` may be NULL, `out` the same as
 * `sums`. Reads up to three numbers past a row. */
void wisp_convolve_activate(const wisp_floats *sums, const wisp_floats *residual,
                            wisp_activation activation, float slope, const wisp_floats *out,
                            int channel);

/* One channel: out = gradient times the activation's derivative at the sums. Reads as above. */
void wisp_convolve_derive(const wisp_floats *sums, wisp_activation activation, float slope,
                          const wisp_floats *gradient, const wisp_floats *out, int channel);

/* Computes `rows` rows of output from `first` on. May read up to WISP_CONVOLVE_PIXELS numbers past a row. */
void wisp_convolve_rows(const wisp_convolve *convolve, int first, int rows);

/* Splits `rows` rows by column modulo `stride`: f32 [rows][pitch] -> [rows][stride][n]. */
void wisp_convolve_unzip(const float *input, int pitch, int rows, int stride, int n, float *output);

#endif
