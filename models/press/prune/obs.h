/* obs.h - in which order the blocks of an output channel are best removed, and what that costs.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Optimal Brain Surgeon: the block goes whose loss is least once the weights that stay have made up for it, exactly,
 * in the metric of the real inputs; then the next one. Frantar & Alistarh, Optimal Brain Compression, 2022. */
#ifndef WISP_OBS_H
#define WISP_OBS_H

#include "blocks.h"
#include "calibrate/moments.h"
#include "core/src/pool.h"

/* What happens to each output channel of a convolution. */
typedef struct wisp_obs {
  int channels, blocks; /* of a channel */
  int *steps;           /* [channels]: how many were removed before it became pointless */
  int *order;           /* [channels][blocks] */
  float *loss;          /* [channels][blocks]: the squared error of the output after each */
} wisp_obs;

/* `weights` is [channels][taps]. `most` is the share of the blocks at which it ends, but for those that are zero
 * already: they go first. */
wisp_status wisp_obs_open(wisp_obs *obs, const wisp_moments *moments, const float *weights,
                          int channels, const wisp_blocks *blocks, float most, wisp_pool *pool);
void wisp_obs_close(wisp_obs *obs);

#endif
