/* observe.h - what the calibration pictures showed of each tensor and of each convolution's input.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_OBSERVE_H
#define WISP_OBSERVE_H

#include <stddef.h>
#include <stdint.h>

#include "core/src/error.h"
#include "float/exec.h"
#include "moments.h"

enum {
  WISP_BINS = 4096,  /* of a histogram */
  WISP_SAMPLES = 64, /* windows of a convolution looked at in a picture */
  WISP_PIXELS = 8,   /* of a tensor kept of a picture */
  WISP_PIXELS_MOST = 512
};

/* The values of a tensor. The histogram spans -reach ... reach, a power of two that grows with them.
 * The pixels are a fair choice of all that went by. */
typedef struct wisp_spread {
  float low, high;
  float reach;
  uint32_t *bins; /* [WISP_BINS]: of some of the values */
  float *pixels;  /* [pixels_kept][channels] */
  int pixels_kept, pixels_seen;
} wisp_spread;

typedef struct wisp_observer {
  const wisp_net *net;
  wisp_pool *pool;
  int pictures; /* observed */
  uint32_t lot;
  wisp_spread *spreads;  /* [layers + 1], by tensor */
  wisp_moments *moments; /* [layers]; empty for what is no convolution */
  float *windows;        /* [WISP_SAMPLES][taps, rounded up to 8] of the convolution at hand */
} wisp_observer;

/* Borrows the net and the pool. */
wisp_status wisp_observer_open(wisp_observer **observer, const wisp_net *net, wisp_pool *pool,
                               wisp_error *error);
void wisp_observer_close(wisp_observer **observer);

/* What a convolution reads for output (y, x), filled up with zeros: f32 [wisp_moments_width(taps)]. */
void wisp_observe_window(const wisp_net_layer *layer, const wisp_exec *exec, int y, int x,
                         float *window);

#endif
